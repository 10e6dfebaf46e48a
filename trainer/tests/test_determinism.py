"""The same bytes whatever the machine is busy with, and however many cores it has."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import os, sys, tempfile, time
from datetime import UTC, datetime
from pathlib import Path

os.sched_setaffinity(0, [int(core) for core in sys.argv[1].split(",")])
sys.path[:0] = sys.argv[2:]
import numpy as np
import stores
from lazaret_trainer import device, jobs, samples

device.configure(cache=None)
storage = stores.FolderStorage(Path(tempfile.mkdtemp(dir=os.environ["TMPDIR"])))
drawn = samples.digits()
dataset = stores.stored_dataset(storage, np.array(drawn["images"][:400], np.float32), np.array(drawn["labels"][:400]), [1, 8, 8])
hyperparameters = {"epochs": 2, "batchSize": 64, "learningRate": 0.002, "seed": 7}
job = stores.job(storage, samples.digits_cnn(0).SerializeToString(deterministic=True), dataset, hyperparameters=hyperparameters)
desk = jobs.Desk(storage, "w", lambda progress: None, lambda: None, lambda: datetime.now(UTC), time.monotonic)
print(jobs.train(job, desk).artifact.digest)
"""


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity") or (os.cpu_count() or 1) < 2, reason="needs two cores that can be chosen from")
def test_one_core_and_all_of_them_give_the_same_bytes(tmp_path):
    tests = Path(__file__).parent
    every = sorted(os.sched_getaffinity(0))
    digests = []
    for cores in (every[:1], every):
        command = [sys.executable, "-c", PROGRAM, ",".join(map(str, cores)), str(tests), str(tests.parent)]
        environment = {name: value for name, value in os.environ.items() if name not in ("NPROC", "XLA_FLAGS")}
        result = subprocess.run(command, capture_output=True, text=True, check=True, env={**environment, "TMPDIR": str(tmp_path)})
        digests.append(result.stdout.strip())
    assert digests[0].startswith("sha256:")
    assert digests[0] == digests[1]
