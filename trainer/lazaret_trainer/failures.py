"""How a job fails. The types are those of the contract; whether the station tries again is part of the type."""

from typing import Literal

from .contract.schema import DOCUMENT

FailureType = Literal[
    "trainer/bad-job",
    "trainer/input-digest-mismatch",
    "trainer/unsupported-operator",
    "trainer/bad-dataset",
    "trainer/diverged",
    "trainer/budget-exceeded",
    "trainer/out-of-memory",
    "trainer/privacy-budget",
    "trainer/storage-unavailable",
    "trainer/worker-stopped",
]


class TrainerFailure(Exception):
    """The trainer's one error class: a type of the contract and a sentence for people. Carries no paths and no secrets."""

    def __init__(self, kind: FailureType, message: str):
        super().__init__(message)
        self.kind: FailureType = kind

    @property
    def retryable(self) -> bool:
        return DOCUMENT["x-failures"][self.kind]["retryable"]


class Stopped(Exception):
    """The station cancelled the job, or this worker is going down. Not a failure of the job."""

    def __init__(self, message: str, *, keep_work: bool):
        super().__init__(message)
        self.keep_work = keep_work
        """Whether someone will go on with the job: then the steps since the last checkpoint are worth one more."""
