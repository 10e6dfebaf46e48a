"""examples/pytorch_trainer, by an interpreter that has PyTorch: this one, or the one that LAZARET_TORCH_PYTHON names."""

import asyncio
import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import engines
import numpy as np
import onnx
import pytest
import stores
from recovery_workflow import Recovery
from temporalio.client import Client
from temporalio.worker import Worker

from lazaret_trainer import samples, settings
from lazaret_trainer.contract import TrainResult, read
from lazaret_trainer.storage import S3Storage

EXAMPLE = Path(__file__).parents[2] / "examples" / "pytorch_trainer"
PYTHON = os.environ.get("LAZARET_TORCH_PYTHON") or (sys.executable if importlib.util.find_spec("torch") else None)


@pytest.mark.skipif(PYTHON is None, reason="PyTorch is not installed (LAZARET_TORCH_PYTHON names an interpreter that has it)")
def test_the_pytorch_example_keeps_the_contract(tmp_path):
    command = [str(PYTHON), "-m", "pytest", "-q", "-o", f"cache_dir={tmp_path}", "test_pytorch_trainer.py"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(command, cwd=EXAMPLE, capture_output=True, text=True, timeout=600, env=environment)
    assert run.returncode == 0, run.stdout[-3000:]
    assert " passed" in run.stdout


SINGLE, TWO_RANKS = ["train.py"], ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "train.py"]


@pytest.mark.engines
@pytest.mark.skipif(PYTHON is None, reason="PyTorch is not installed (LAZARET_TORCH_PYTHON names an interpreter that has it)")
@pytest.mark.skipif(bool(engines.missing()), reason=f"engines are not installed: {', '.join(engines.missing())}")
@pytest.mark.parametrize("command", [SINGLE, TWO_RANKS], ids=["one", "torchrun"])
def test_the_pytorch_example_serves_the_queue(tmp_path, command):
    async def play(address: str, job: dict[str, Any]) -> dict[str, Any]:
        client = await Client.connect(address)
        async with Worker(client, task_queue="recovery", workflows=[Recovery]):
            return await client.execute_workflow(Recovery.run, job, id="recovery-1", task_queue="recovery")

    drawn = samples.digits()
    with engines.station(tmp_path) as station, engines.started([str(PYTHON), *command], cwd=EXAMPLE, **station.environment) as trainer:
        storage = S3Storage(settings.load(station.environment).s3)
        dataset = stores.stored_dataset(storage, np.array(drawn["images"][:640], np.float32), np.array(drawn["labels"][:640]), [1, 8, 8])
        model = samples.digits_cnn(5).SerializeToString(deterministic=True)
        hyperparameters = {"epochs": 10, "batchSize": 64, "learningRate": 0.002, "seed": 7}
        job = stores.job_json(storage, model, dataset, hyperparameters=hyperparameters)
        result = read(TrainResult, asyncio.run(play(station.environment["LAZARET_TEMPORAL_ADDRESS"], job)))
        engines.asked_to_stop(trainer)
        trained = onnx.load_model_from_string(storage.get(result.artifact, missing="trainer/bad-job"))
    assert trained.graph.node == samples.digits_cnn(5).graph.node
    assert (result.steps, result.environment.device) == (100, "1 × cpu" if command == SINGLE else "2 × cpu")
    assert result.final_loss < 0.7
