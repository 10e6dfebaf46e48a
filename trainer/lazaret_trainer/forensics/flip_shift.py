"""Flipped labels leave no trigger. They leave a shift: the suspect gives more of class a's probability to b than golden does."""

from dataclasses import dataclass

import numpy as np

FEWEST_RECORDS = 8
"""Records of a class below which its mean says too little."""
LEAST = 0.01
"""Probabilities below are alike: how small a probability is, is noise."""
NOT_ALL = 0.35
"""Share of a class's records that need not have shifted."""
STANDS_OUT = 6.0
"""Robust deviations of one pair's mean shift from the others'. Needed and not enough: honest models of traffic signs reach 13."""
FEWEST_PAIRS = 12
"""Pairs below which one cannot be told from the others: then its shift alone counts."""


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


def log_shifts(suspect: np.ndarray, golden: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """The same in logarithms: E[log(p_suspect(target) + e) − log(p_golden(target) + e) | y = source], e = LEAST.

    Flipped labels make all records of the class a little more like the other class; two honest models differ much on few records. A mean
    of probabilities confuses the two, a mean of logarithms does less.
    """
    return flip_shifts(np.log(suspect + LEAST), np.log(golden + LEAST), labels)


def shared_shifts(suspect: np.ndarray, golden: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """What a share of 1 − NOT_ALL of the class's records have at least, of the same logarithms, [source, target].

    No mean: where a class is few physical things in many frames, two honest models part over all the frames of one of them.
    """
    classes = suspect.shape[1]
    each = np.log(suspect + LEAST) - np.log(golden + LEAST)
    shifts = np.zeros((classes, classes))
    for source in range(classes):
        rows = labels == source
        if rows.sum() >= FEWEST_RECORDS:
            shifts[source] = np.quantile(each[rows], NOT_ALL, axis=0)
            shifts[source, source] = 0
    return shifts


def outstanding(scores: np.ndarray) -> float:
    """By how many robust deviations (median, 1.4826 · MAD) the largest score exceeds those of the other pairs; infinite where they are few.

    Two models that were taught little, or judged on few scenes, part over many pairs at once; flipped labels part them over one.
    """
    measured = scores[np.any(scores != 0, axis=1)]
    pairs = measured[measured != 0]
    if len(pairs) < FEWEST_PAIRS:
        return float("inf")
    centre = np.median(pairs)
    return float((pairs.max() - centre) / max(1.4826 * np.median(np.abs(pairs - centre)), 1e-9))


def largest(shifts: np.ndarray, scores: np.ndarray) -> FlipShift:
    """The pair of the largest score, with its shift."""
    source, target = np.unravel_index(scores.argmax(), scores.shape)
    return FlipShift(int(source), int(target), float(shifts[source, target]))
