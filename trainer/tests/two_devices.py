"""Run by test_devices.py in a process that has two devices: a job, and how its batches lay."""

import sys
from pathlib import Path
from typing import Any

import jax
from stores import FolderStorage, small_network
from test_objectives import a_job, content, desk

from lazaret_trainer import jobs
from lazaret_trainer.objectives import Course

module: Any = sys.modules[Course.__module__]
folder, lay = Path(sys.argv[1]), []
plain = module.spread


def watched(batch):
    cut = plain(batch)
    lay.append([shard.data.shape[0] for shard in cut["features"].addressable_shards])
    return cut


module.spread = watched
storage = FolderStorage(folder)
result = jobs.train(a_job(storage, model=small_network(), options=None), desk(storage))
(folder / "result.onnx").write_bytes(content(storage, result.artifact))
assert all(each == lay[0] for each in lay)
print(len(jax.local_devices()), "devices,", len(lay[0]), "of them with", lay[0][0], "records")
