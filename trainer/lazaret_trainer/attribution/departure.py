"""In which layer the suspect first makes something of the suspect requests that the golden model's layer does not foretell.

Two trainings put the same thing into other units, so the golden model's layer is carried over by a regression on clean records (model
stitching, K. Lenc and A. Vedaldi, CVPR 2015; here ridge regression). The figure is what it misses by, against what it misses held-out clean
records by.
"""

from dataclasses import dataclass

import numpy as np

from .patterns import OUTSIDE

RIDGE = 0.1
"""Of the mean squared length of a clean record in the golden model's layer."""


@dataclass(frozen=True, slots=True)
class Departure:
    outside: int
    """Requests that are missed by more than OUTSIDE of clean records are."""
    requests: int
    clean_outside: int
    clean: int


def departure(clean: tuple[np.ndarray, np.ndarray], requests: tuple[np.ndarray, np.ndarray], seed: int) -> Departure:
    """One layer's (suspect, golden) values [N, columns], N ≥ 2, for clean records and for the requests."""
    order = np.random.default_rng(seed).permutation(len(clean[0]))
    fit, held = order[: len(order) // 2], order[len(order) // 2 :]
    centres = [each[fit].astype(np.float64).mean(0) for each in clean]
    target, source = (each[fit] - centre for each, centre in zip(clean, centres, strict=True))
    kernel = source @ source.T
    ridge = RIDGE * (float(np.trace(kernel)) / len(fit) or 1.0)
    carried = np.linalg.solve(kernel + ridge * np.eye(len(fit)), target)

    def missed(own: np.ndarray, theirs: np.ndarray) -> np.ndarray:
        return np.linalg.norm(own - centres[0] - ((theirs - centres[1]) @ source.T) @ carried, axis=1)

    usual = np.sort(missed(clean[0][held], clean[1][held]))
    beyond = len(usual) - np.searchsorted(usual, missed(*requests), side="left")
    outside = (1 + beyond) / (1 + len(usual)) <= OUTSIDE
    return Departure(int(outside.sum()), len(outside), int(OUTSIDE * len(usual)), len(usual))
