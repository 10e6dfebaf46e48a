"""Several devices and fewer bits: the same training, within what rounding allows."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest
from stores import FolderStorage, small_network
from test_objectives import a_job, content, desk

from lazaret_trainer import jobs
from lazaret_trainer.graph import GraphModel

MODEL = small_network()
TWO = "--xla_force_host_platform_device_count=2"


def weights(model: bytes) -> np.ndarray:
    return np.concatenate([value.ravel() for value in GraphModel(model).parameters.values()])


def moved(model: bytes) -> np.ndarray:
    return weights(model) - weights(MODEL)


def test_two_devices_share_every_batch_and_end_where_one_does(tmp_path):
    script = Path(__file__).with_name("two_devices.py")
    flags = f"{os.environ.get('XLA_FLAGS', '')} {TWO}"
    environment = {**os.environ, "XLA_FLAGS": flags, "PYTHONPATH": str(script.parents[1])}
    ran = subprocess.run([sys.executable, str(script), str(tmp_path / "two")], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["2", "devices,", "2", "of", "them", "with", "16", "records"]
    alone = FolderStorage(tmp_path / "one")
    one = moved(content(alone, jobs.train(a_job(alone, model=MODEL, options=None), desk(alone)).artifact))
    two = moved((tmp_path / "two" / "result.onnx").read_bytes())
    assert np.linalg.norm(one) > 0.1
    assert np.linalg.norm(two - one) < 1e-3 * np.linalg.norm(one)


def test_mixed_precision_multiplies_in_bfloat16_and_learns_the_same(tmp_path):
    storage = FolderStorage(tmp_path)
    plain = jobs.train(a_job(storage, model=MODEL, rate=0.01, jobId="plain", options=None), desk(storage))
    mixed = jobs.train(a_job(storage, model=MODEL, rate=0.01, jobId="mixed", options={"precision": "mixed"}), desk(storage))
    assert mixed.final_loss == pytest.approx(plain.final_loss, abs=0.1)
    assert weights(content(storage, mixed.artifact)).dtype == np.float32
    one, other = moved(content(storage, plain.artifact)), moved(content(storage, mixed.artifact))
    alike = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    assert 0.9 < alike < 1


def test_mixed_precision_reaches_the_products():
    from lazaret_trainer.contract import TrainJobOptions
    from lazaret_trainer.objectives.standard import Standard

    course: Any = Standard.__new__(Standard)
    course.options, course.graph = TrainJobOptions(precision="mixed"), GraphModel(MODEL)
    course._logits = course.graph.outputs[0]
    traced = jax.make_jaxpr(course.logits)(course.graph.parameters, np.zeros((2, 1, 8, 8), np.float32))
    products = [line for line in str(traced).splitlines() if "dot_general" in line]
    assert products
    assert all("bf16" in line for line in products)
