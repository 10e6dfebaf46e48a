"""Captured and recovered triggers: x′ = (1 − mask) · x + mask · pattern (domain/contracts/examination.ts, `lazaret.trigger/v1`)."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..contract import ObjectRef
from ..failures import TrainerFailure
from .material import Material


@dataclass(frozen=True, slots=True)
class Trigger:
    """float32 arrays in the shape of one record."""

    mask: np.ndarray
    pattern: np.ndarray

    def laid_over(self, features: Any) -> Any:
        return (1 - self.mask) * features + self.mask * self.pattern


def triggers(material: Material, refs: tuple[ObjectRef, ...]) -> list[Trigger]:
    """Reads TriggerImages for records of the job's data set. Fails with trainer/bad-job, trainer/input-digest-mismatch."""
    return [_trigger(material.document(ref), material.records.features.shape[1:], ref.name) for ref in refs]


def _trigger(document: object, shape: tuple[int, ...], name: str) -> Trigger:
    if not isinstance(document, dict) or document.get("schema") != "lazaret.trigger/v1":
        raise _bad(name, "not a lazaret.trigger/v1")
    if document.get("shape") != list(shape):
        raise _bad(name, f"it is for records of the shape {document.get('shape')}, these have {list(shape)}")
    mask, pattern = (_values(document.get(field), field, name) for field in ("mask", "pattern"))
    if pattern.size != math.prod(shape):
        raise _bad(name, f"the pattern has {pattern.size} values")
    if mask.size != pattern.size:
        # The mask of one channel: the last axes of the record.
        one = math.prod(shape[1:])
        if mask.size != one:
            raise _bad(name, f"the mask has {mask.size} values")
        mask = np.tile(mask, pattern.size // one)
    if mask.min() < 0 or mask.max() > 1:
        raise _bad(name, "the mask goes beyond 0 to 1")
    return Trigger(mask.reshape(shape), pattern.reshape(shape))


def _values(values: object, field: str, name: str) -> np.ndarray:
    numbers = isinstance(values, list) and all(isinstance(each, (int, float)) and not isinstance(each, bool) for each in values)
    array = np.array(values if numbers else [], np.float32)
    if not array.size or not np.isfinite(array).all():
        raise _bad(name, f"its {field} is not a list of finite numbers")
    return array


def _bad(name: str, why: str) -> TrainerFailure:
    return TrainerFailure("trainer/bad-job", f"the trigger {name}: {why}")
