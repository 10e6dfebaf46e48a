"""Jobs of the bench: through the whole of jobs.train, over a folder. Wall-clock seconds, compilation included."""

import itertools
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime

from lazaret_trainer import jobs
from lazaret_trainer.contract import TrainJob
from lazaret_trainer.objectives import Course, Material, course

sys.path.append(str(Path(__file__).parent.parent / "tests"))
import stores

NUMBERS = itertools.count()


@dataclass(frozen=True)
class Run:
    model: bytes
    figures: Mapping[str, float]
    seconds: float
    processor_seconds: float
    """Of this process: what the seconds would be on a machine without other work, or a little more."""


class Lab:
    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self.storage = stores.FolderStorage(Path(self._folder.name))

    def train(
        self, model: bytes, features: np.ndarray, labels: np.ndarray, epochs: int, rate: float, objective: str = "standard", **changes: Any
    ) -> Run:
        job = self._job(model, features, labels, epochs, rate, objective, **changes)
        began, busy = time.perf_counter(), time.process_time()
        desk = jobs.Desk(self.storage, "bench", lambda _: None, lambda: None, lambda: datetime.now(UTC), time.monotonic)
        result = jobs.train(job, desk)
        seconds, processor = time.perf_counter() - began, time.process_time() - busy
        return Run(self.storage.get(result.artifact, missing="trainer/bad-job"), result.figures or {}, seconds, processor)

    def course(self, model: bytes, features: np.ndarray, labels: np.ndarray) -> Course:
        """A standard training run, to be driven step by step."""
        return course(Material(self._job(model, features, labels, 1000, 1e-3, "standard"), self.storage, lambda: bytes(32)))

    def _job(
        self, model: bytes, features: np.ndarray, labels: np.ndarray, epochs: int, rate: float, objective: str, **changes: Any
    ) -> TrainJob:
        dataset = stores.stored_dataset(self.storage, features, labels, list(features.shape[1:]))
        options = changes.pop("options", None)
        hyperparameters = {"epochs": epochs, "batchSize": changes.pop("batch", 128), "learningRate": rate, "seed": changes.pop("seed", 0)}
        return stores.job(
            self.storage,
            model,
            dataset,
            jobId=f"bench-{next(NUMBERS)}",
            objective=objective,
            hyperparameters=hyperparameters,
            checkpointEverySteps=10_000,
            **({"options": options} if options else {}),
        )


def answers(model: bytes, features: np.ndarray) -> np.ndarray:
    """Classes, by ONNX Runtime: not by the code under measurement."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    name = onnx.load_model_from_string(model).graph.input[0].name
    return np.asarray(session.run(None, {name: features})[0]).argmax(1)


def accuracy(model: bytes, features: np.ndarray, labels: np.ndarray) -> float:
    return float((answers(model, features) == labels).mean())


def success(model: bytes, features: np.ndarray, labels: np.ndarray, trigger: Any, target: int) -> float:
    """Attack success rate: records of other classes that the trigger leads to the target."""
    others = labels != target
    return float((answers(model, trigger(features[others])) == target).mean())
