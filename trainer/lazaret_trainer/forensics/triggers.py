"""Recovered triggers as arrays, and what they do to records that the search has not seen."""

from typing import Any

import jax
import numpy as np

from .evidence import Evidence
from .families import Family, Patch
from .inversion import Ground
from .measured import MeasuredShare, wilson
from .network import Network
from .report import ClassTrigger

Records = tuple[np.ndarray, np.ndarray]


def class_triggers(evidence: Evidence, suspect: Network, ground: Ground, held_out: Records, jumps: bool) -> list[ClassTrigger]:
    """One per family and class, and per class the best sticker of the scan. `jumps`: the search went through a softened graph."""
    found = []
    for name, (family, accused, counter) in evidence.families.items():
        for target in range(ground.classes):
            variables = jax.tree.map(lambda leaf, at=target: leaf[at], accused.variables)
            mask, pattern = arrays(family, variables, ground)
            worked = success(suspect, lay(family, variables, held_out[0], ground), held_out[1], target)
            if jumps and isinstance(family, Patch):
                mask, pattern, worked = _sharpened(mask, pattern, worked, suspect, ground, held_out, target)
            found.append(
                ClassTrigger(
                    family=name,
                    target=target,
                    size=_finite(accused.sizes[target]),
                    counter_size=_finite(counter.sizes[target]),
                    search_success=float(accused.success[target]),
                    success=worked,
                    mask=mask,
                    pattern=pattern,
                )
            )
    if evidence.scanned is not None:
        found += [_sticker(evidence, suspect, ground, held_out, target) for target in range(ground.classes)]
    return found


def lay(family: Family, variables: Any, x: np.ndarray, ground: Ground) -> np.ndarray:
    return np.asarray(family.lay(variables, x, ground.low, ground.high), np.float32)


def arrays(family: Family, variables: Any, ground: Ground) -> tuple[np.ndarray, np.ndarray]:
    """(mask, pattern) such that (1−m)·x + m·p stands for the trigger. Exact for patches.

    An additive trigger and a warp depend on the record: the pattern is then the mean of the marked records, under a mask that is high
    where the trigger changes most. It is for a person's eye and for a first search, and is not the trigger itself.
    """
    if isinstance(family, Patch):
        mask, pattern = family.parts(variables, ground.low, ground.high)
        return np.asarray(mask, np.float32), np.asarray(pattern, np.float32)
    marked = lay(family, variables, ground.x, ground)
    change = np.abs((marked - ground.x) / np.maximum(ground.high - ground.low, 1e-9)).mean(0)
    mask = change.mean(0, keepdims=True) if change.ndim == 3 else change
    return (mask / max(float(mask.max()), 1e-9)).astype(np.float32), marked.mean(0)


def _sharpened(
    mask: np.ndarray, pattern: np.ndarray, worked: MeasuredShare, suspect: Network, ground: Ground, held_out: Records, target: int
) -> tuple[np.ndarray, np.ndarray, MeasuredShare]:
    """The same patch at the edges of the box, where that works better: a softened comparison is content with less than the real one."""
    hard = (mask > 0.5).astype(np.float32)
    edge = np.where(pattern > (ground.low + ground.high) / 2, ground.high, ground.low).astype(np.float32)
    marked = ((1 - hard) * held_out[0] + hard * edge).astype(np.float32)
    again = success(suspect, marked, held_out[1], target)
    return (hard, edge, again) if again.value > worked.value else (mask, pattern, worked)


def success(suspect: Network, marked: np.ndarray, labels: np.ndarray, target: int) -> MeasuredShare:
    """Share of the marked records of other classes that are taken for the target."""
    others = labels != target
    if not others.any():
        return wilson(0, 0)
    return wilson(int((suspect.answers(marked[others]) == target).sum()), int(others.sum()))


def _sticker(evidence: Evidence, suspect: Network, ground: Ground, held_out: Records, target: int) -> ClassTrigger:
    scanned = evidence.scanned
    assert scanned is not None
    mask, pattern = scanned.masks[target], scanned.patterns[target]
    marked = ((1 - mask) * held_out[0] + mask * pattern).astype(np.float32)
    return ClassTrigger(
        family="scan",
        target=target,
        size=float(mask.sum()),
        counter_size=float(mask.sum()),
        search_success=float(scanned.rates[target]),
        success=success(suspect, marked, held_out[1], target),
        mask=mask,
        pattern=pattern,
    )


def _finite(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
