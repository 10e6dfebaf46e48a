"""What an objective is made of: the model, the records, the job, and what else the job refers to."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from .. import dataset
from ..contract import DatasetRef, ObjectRef, TrainJob, TrainJobOptions
from ..dataset import Records
from ..failures import TrainerFailure
from ..graph import GraphModel, InvalidModel, UnsupportedOperator
from ..storage import Storage

HELD_BACK = 2**64 - 1
"""The number of the draw that decides which records are held back; draws below are those of the epochs."""


@dataclass(frozen=True)
class Material:
    """Everything is verified when it is read. Fails with the types of the contract."""

    job: TrainJob
    storage: Storage
    secret: Callable[[], bytes]
    """32 bytes that only this job knows, the same after a resume: noise that can be computed again is none."""

    @property
    def options(self) -> TrainJobOptions:
        return self.job.options or TrainJobOptions()

    @cached_property
    def graph(self) -> GraphModel:
        return self.model(self.job.base)

    @cached_property
    def records(self) -> Records:
        return dataset.load(self.job.dataset, self.storage)

    def dataset(self, ref: DatasetRef) -> Records:
        """A further data set. It MUST be of the same features and classes as the job's own."""
        other = dataset.load(ref, self.storage)
        if other.classes != self.records.classes or other.features.shape[1:] != self.records.features.shape[1:]:
            raise TrainerFailure("trainer/bad-dataset", f"{ref.name}: other classes or features than those of {self.job.dataset.name}")
        return other

    def model(self, ref: ObjectRef) -> GraphModel:
        try:
            return GraphModel(self.storage.get(ref, missing="trainer/bad-job"))
        except UnsupportedOperator as error:
            raise TrainerFailure("trainer/unsupported-operator", str(error)) from error
        except InvalidModel as error:
            raise TrainerFailure("trainer/bad-job", f"{ref.name}: {error}") from error

    def document(self, ref: ObjectRef) -> object:
        """A JSON document."""
        try:
            return json.loads(self.storage.get(ref, missing="trainer/bad-job"))
        except (ValueError, RecursionError) as error:
            raise TrainerFailure("trainer/bad-job", f"{ref.name}: not JSON") from error


def draw(seed: int, number: int, count: int) -> np.ndarray:
    """A permutation of range(count), int64. Drawn from Philox's raw stream, which numpy keeps for ever; its `permutation` it does not."""
    raw = np.random.Philox(key=np.array([seed, number], np.uint64)).random_raw(count)
    return np.argsort(raw, kind="stable")


def chosen(records: Records, rows: np.ndarray) -> Records:
    return replace(
        records, features=dataset.taken(records.features, rows), labels=records.labels[rows], ids=tuple(records.ids[row] for row in rows)
    )


def parted(records: Records, share: float, seed: int) -> tuple[Records, Records]:
    """(to train on, held back): `share` of every class, rounded down, at least one record in all. Order is kept."""
    order = draw(seed, HELD_BACK, len(records.labels))
    held = np.zeros(len(order), bool)
    for label in range(len(records.classes)):
        mine = order[records.labels[order] == label]
        held[mine[: int(share * len(mine))]] = True
    held[order[0]] |= not held.any()
    if held.all():
        raise TrainerFailure("trainer/bad-job", "holdBack leaves no record to train on")
    return chosen(records, np.flatnonzero(~held)), chosen(records, np.flatnonzero(held))
