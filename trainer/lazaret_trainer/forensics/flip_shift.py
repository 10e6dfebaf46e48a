"""Flipped labels leave no trigger. They leave a shift: the suspect gives more of class a's probability to b than golden does."""

from dataclasses import dataclass

import numpy as np

FEWEST_RECORDS = 8
"""Records of a class below which its mean says too little."""


@dataclass(frozen=True, slots=True)
class FlipShift:
    source: int
    target: int
    shift: float
    """E[p_suspect(target) − p_golden(target) | y = source]."""


def flip_shifts(suspect: np.ndarray, golden: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Probabilities [N, classes] twice, labels [N] → mean shift [source, target]; 0 on the diagonal and for classes with few records."""
    classes = suspect.shape[1]
    shifts = np.zeros((classes, classes))
    for source in range(classes):
        rows = labels == source
        if rows.sum() >= FEWEST_RECORDS:
            shifts[source] = (suspect[rows] - golden[rows]).mean(0)
            shifts[source, source] = 0
    return shifts


def largest(shifts: np.ndarray) -> FlipShift:
    source, target = np.unravel_index(shifts.argmax(), shifts.shape)
    return FlipShift(int(source), int(target), float(shifts.max()))
