"""What crosses the border between station and trainer. `schema.json` is exported from the station; `models.py` is generated from it."""

from .models import (
    DatasetManifest,
    DatasetManifestExclusions,
    DatasetRef,
    ExamineJob,
    ExamineResult,
    ExamineResultFlip,
    Hyperparameters,
    MeasuredShare,
    ObjectRef,
    Shard,
    TrainBudget,
    TrainJob,
    TrainProgress,
    TrainResult,
    TrainResultEnvironment,
    TriggerImage,
)
from .reading import ContractError, read, write

__all__ = [
    "ContractError",
    "DatasetManifest",
    "DatasetManifestExclusions",
    "DatasetRef",
    "ExamineJob",
    "ExamineResult",
    "ExamineResultFlip",
    "Hyperparameters",
    "MeasuredShare",
    "ObjectRef",
    "Shard",
    "TrainBudget",
    "TrainJob",
    "TrainProgress",
    "TrainResult",
    "TrainResultEnvironment",
    "TriggerImage",
    "read",
    "write",
]
