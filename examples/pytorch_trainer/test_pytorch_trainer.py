"""The example against the contract: a whole job, a resume, two ranks under torchrun, the activity. Needs requirements.txt and pytest."""

import hashlib
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

sys.path.insert(0, str(Path(__file__).parent))
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from lazaret_torch.contract import Failure, Stopped, checked
from lazaret_torch.job import Desk
from lazaret_torch.store import digest_of, key_of, put
from train import Digits, train

RECORDS, STEPS = 256, 24


class FolderStore:
    """S3's promises over a folder."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def read(self, bucket, key):
        path = self.folder / key
        return path.read_bytes() if path.exists() else None

    def write(self, key, content):
        (self.folder / key).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / key).write_bytes(content)

    def keys(self, prefix):
        paths = (path.relative_to(self.folder).as_posix() for path in self.folder.rglob("*") if path.is_file())
        return sorted(key for key in paths if key.startswith(prefix))

    def delete(self, key):
        (self.folder / key).unlink()


@pytest.fixture
def store(tmp_path):
    return FolderStore(tmp_path)


def graph():
    """The drills' network with a seed of its own."""
    torch.manual_seed(3)
    weights = Digits().state_dict()
    nodes, value = [], "x"
    for index in (0, 1):
        names = [value, f"conv{index}.weight", f"conv{index}.bias"]
        nodes.append(helper.make_node("Conv", names, [f"conv{index}"], kernel_shape=[3, 3], pads=[1] * 4))
        nodes.append(helper.make_node("Relu", [f"conv{index}"], [f"relu{index}"]))
        nodes.append(helper.make_node("MaxPool", [f"relu{index}"], [f"pool{index}"], kernel_shape=[2, 2], strides=[2, 2]))
        value = f"pool{index}"
    nodes.append(helper.make_node("Flatten", [value], ["flat"]))
    nodes.append(helper.make_node("Gemm", ["flat", "hidden.weight", "hidden.bias"], ["hidden"], transB=1))
    nodes.append(helper.make_node("Relu", ["hidden"], ["active"]))
    nodes.append(helper.make_node("Gemm", ["active", "head.weight", "head.bias"], ["logits"], transB=1))
    tensors = [numpy_helper.from_array(tensor.numpy(), name) for name, tensor in weights.items()]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in (("x", ["N", 1, 8, 8]), ("logits", ["N", 10]))]
    model = helper.make_model(helper.make_graph(nodes, "digits", ends[:1], ends[1:], tensors), opset_imports=[helper.make_opsetid("", 17)])
    return model.SerializeToString(deterministic=True)


def a_job(store, excluded=(), **changes):
    """Two classes of images that are bright at the top or at the bottom, as a data set version of two shards."""
    random = np.random.RandomState(0)
    labels = random.randint(0, 2, RECORDS)
    images = random.rand(RECORDS, 8, 8).astype(np.float32) * 0.3
    images[labels == 0, :4] += 0.7
    images[labels == 1, 4:] += 0.7
    shards = []
    for batch, rows in enumerate(np.array_split(np.arange(RECORDS), 2)):
        columns = {"id": [f"r{row}" for row in rows], "features": list(images[rows].reshape(len(rows), -1)), "label": labels[rows]}
        file = io.BytesIO()
        pq.write_table(pa.table(columns), file)
        about = {
            "batch": f"b{batch}",
            "source": "lab",
            "ingestedAt": "2026-01-02T03:04:05Z",
            "records": len(rows),
            "recordRoot": digest_of(b""),
        }
        shards.append({"object": put(store, file.getvalue(), "application/vnd.apache.parquet", f"b{batch}.parquet"), **about})
    listed = {"object": put(store, json.dumps(list(excluded)).encode(), "application/json", "excluded.json"), "count": len(excluded)}
    manifest = {
        "schema": "lazaret.dataset/v1",
        "name": "halves",
        "parent": None,
        "featureShape": [1, 8, 8],
        "classes": [str(digit) for digit in range(10)],
        "shards": shards,
        "exclusions": listed if excluded else None,
        "records": RECORDS - len(excluded),
        "createdAt": "2026-01-02T03:04:05Z",
        "createdBy": "test",
    }
    unsigned = put(store, b"", "application/json", "signature.json")
    job = {
        "schema": "lazaret.train-job/v1",
        "jobId": "job-1",
        "objective": "standard",
        "base": put(store, graph(), "application/onnx", "model.onnx"),
        "dataset": {
            "name": "halves",
            "manifest": put(store, json.dumps(manifest).encode(), "application/json", "m.json"),
            "signature": unsigned,
        },
        "hyperparameters": {"epochs": 3, "batchSize": 32, "learningRate": 0.003, "seed": 7},
        "budget": {"seconds": 300, "steps": 1000},
        "checkpointEverySteps": 5,
        **changes,
    }
    return checked("TrainJob", job)


def trained(store, asked, desk=None):
    result = train.run(asked, desk or Desk(store, "worker-1"))
    assert result is not None
    return result, (store.folder / key_of(result["artifact"]["digest"])).read_bytes()


def test_a_job_gives_the_same_graph_with_weights_that_learnt(store):
    seen = []
    result, model = trained(store, a_job(store), Desk(store, "worker-1", seen.append))
    before, after = onnx.load_model_from_string(graph()), onnx.load_model_from_string(model)
    assert after.graph.node == before.graph.node
    assert [tensor.name for tensor in after.graph.initializer] == [tensor.name for tensor in before.graph.initializer]
    assert (result["steps"], result["records"]) == (STEPS, RECORDS)
    assert result["finalLoss"] < 0.3 < seen[1]["loss"]
    assert [checked("TrainProgress", progress)["step"] for progress in seen] == list(range(STEPS + 1))


def test_a_killed_job_goes_on_and_ends_with_the_same_bytes(tmp_path):
    whole, broken = FolderStore(tmp_path / "whole"), FolderStore(tmp_path / "broken")
    expected = trained(whole, a_job(whole))[1]
    latest = {"step": 0}

    def check():
        if latest["step"] == 13:
            raise RuntimeError("the power is gone")

    with pytest.raises(RuntimeError):
        trained(broken, a_job(broken), Desk(broken, "worker-1", latest.update, check))
    result, model = trained(broken, a_job(broken))
    assert result["resumedAtSteps"] == [10]
    assert model == expected
    assert trained(broken, a_job(broken))[0] == result


def test_a_worker_going_down_keeps_its_steps(store):
    def check():
        if latest["step"] == 8:
            raise Stopped("going down", keep_work=True)

    latest = {"step": 0}
    with pytest.raises(Stopped):
        trained(store, a_job(store), Desk(store, "worker-1", latest.update, check))
    assert trained(store, a_job(store))[0]["resumedAtSteps"] == [8]


def test_excluded_records_are_left_out_and_unknown_ones_refused(store):
    assert trained(store, a_job(store, [f"r{row}" for row in range(16)]))[0]["records"] == RECORDS - 16
    with pytest.raises(Failure, match="not those that the manifest tells of"):
        trained(store, a_job(store, ["nobody"], jobId="job-2"))


@pytest.mark.parametrize("what", ["base", "dataset"])
def test_bytes_that_somebody_changed_are_refused(store, what):
    asked = a_job(store)
    ref = asked["base"] if what == "base" else asked["dataset"]["manifest"]
    store.write(key_of(ref["digest"]), b"x" * ref["bytes"])
    with pytest.raises(Failure) as caught:
        trained(store, asked)
    assert caught.value.kind == "trainer/input-digest-mismatch"


def test_a_checkpoint_with_code_in_it_is_not_taken_up(store):
    class Hostile:
        def __reduce__(self):
            return os.mkdir, (str(store.folder / "owned"),)

    file = io.BytesIO()
    torch.save({"job": Hostile()}, file)
    store.write("checkpoints/job-1/00000005.pt", file.getvalue())
    assert trained(store, a_job(store))[0]["resumedAtSteps"] == []
    assert not (store.folder / "owned").exists()


def test_the_activity_beats_and_fails_by_the_names_of_the_contract(store):
    beats, environment = [], ActivityEnvironment()
    environment.on_heartbeat = lambda details: beats.append(checked("TrainProgress", details))
    activity = train.activity(store, "worker-1")
    assert environment.run(activity, a_job(store))["steps"] == STEPS
    assert beats[0]["jobId"] == "job-1"
    for asked, kind in (
        ({"jobId": "x"}, "trainer/bad-job"),
        (a_job(store, jobId="j", budget={"seconds": 9, "steps": 3}), "trainer/budget-exceeded"),
    ):
        with pytest.raises(ApplicationError) as caught:
            environment.run(activity, asked)
        assert (caught.value.type, caught.value.non_retryable) == (kind, True)


RANK = """
import json, sys
from pathlib import Path
sys.path[:0] = [sys.argv[1]]
from torch import distributed
distributed.init_process_group("gloo")
from test_pytorch_trainer import FolderStore, trained, train
from lazaret_torch.job import Desk, first_rank, share
store = FolderStore(sys.argv[2])
if first_rank():
    asked = share(json.loads(Path(sys.argv[3]).read_text()))
    result = train.run(asked, Desk(store, "first"))
    Path(sys.argv[3] + ".result").write_text(json.dumps(result))
    share(None)
else:
    train.follow(store)
distributed.destroy_process_group()
"""


def test_two_ranks_share_every_batch_and_learn_what_one_does(tmp_path):
    store, alone = FolderStore(tmp_path / "two"), FolderStore(tmp_path / "one")
    program, asked = tmp_path / "rank.py", tmp_path / "job.json"
    program.write_text(RANK)
    asked.write_text(json.dumps(a_job(store)))
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", str(program)]
    subprocess.run([*command, str(Path(__file__).parent), str(store.folder), str(asked)], check=True, timeout=300, capture_output=True)
    two = json.loads(Path(f"{asked}.result").read_text())
    one = trained(alone, a_job(alone))[0]
    assert two["environment"]["device"] == "2 × cpu"
    # Half batches are averaged: the same gradient but for rounding.
    assert two["finalLoss"] == pytest.approx(one["finalLoss"], rel=1e-2)
    assert hashlib.sha256((store.folder / key_of(two["artifact"]["digest"])).read_bytes()).hexdigest() in two["artifact"]["digest"]
