"""What the last layer looks like for each class, and which requests do not look like the class they were answered.

Class means and one shared covariance (K. Lee et al., NeurIPS 2018), shrunk towards a ball, because records are fewer than dimensions.
"""

from dataclasses import dataclass

import numpy as np

SHRINKAGE = 0.1
"""Share of the ball in the covariance."""
FEWEST_OF_CLASS = 3
OUTSIDE = 0.02
"""Share of clean records that may lie outside their own class's pattern."""


@dataclass(frozen=True, slots=True)
class Patterns:
    classes: np.ndarray
    """int [K]: those with enough records to know."""
    means: np.ndarray
    """[K, R] and what is left of them outside the basis, both in units of the covariance."""
    centre: np.ndarray
    basis: np.ndarray
    """[R, D], orthonormal rows."""
    scale: np.ndarray
    """[R]: standard deviations along the basis."""
    rest: float
    """Standard deviation in every direction outside the basis."""
    clean: np.ndarray
    """Distances of held-out clean records from the mean of the class they are answered, ascending."""

    def distances(self, features: np.ndarray) -> np.ndarray:
        """features [N, D] → Mahalanobis distances [N, K]."""
        return _distances(features, self.means, self.centre, self.basis, self.scale, self.rest)

    def p_values(self, features: np.ndarray, answers: np.ndarray) -> np.ndarray:
        """Conformal: the share of clean records at least as far from their class's mean. NaN where the class is not known."""
        distances = self.distances(features)
        own = _own(distances, self.classes, answers)
        beyond = len(self.clean) - np.searchsorted(self.clean, own, side="left")
        return np.where(np.isnan(own), np.nan, (1 + beyond) / (1 + len(self.clean)))

    def nearest(self, features: np.ndarray) -> np.ndarray:
        """The class whose mean is nearest, int [N]."""
        return self.classes[self.distances(features).argmin(1)]


def fitted(features: np.ndarray, answers: np.ndarray, seed: int) -> Patterns | None:
    """From clean records: means and covariance from one half of them, distances from the other. None where no two classes have enough."""
    order = np.random.default_rng(seed).permutation(len(features))
    fit, held = order[: len(order) // 2], order[len(order) // 2 :]
    x = features.astype(np.float64)
    counts = np.bincount(answers[fit])
    classes = np.flatnonzero(counts >= FEWEST_OF_CLASS)
    if len(classes) < 2:
        return None
    centres = np.stack([x[fit][answers[fit] == each].mean(0) for each in classes])
    known = fit[np.isin(answers[fit], classes)]
    within = x[known] - centres[np.searchsorted(classes, answers[known])]
    _, spread, basis = np.linalg.svd(within / np.sqrt(len(within)), full_matrices=False)
    variance = float((spread**2).sum()) / features.shape[1] or 1.0
    scale = np.sqrt((1 - SHRINKAGE) * spread**2 + SHRINKAGE * variance)
    centre = centres.mean(0)
    rest = float(np.sqrt(SHRINKAGE * variance))
    held = held[np.isin(answers[held], classes)]
    own = _own(_distances(x[held], centres, centre, basis, scale, rest), classes, answers[held])
    return Patterns(classes, centres, centre, basis, scale, rest, np.sort(own))


def _own(distances: np.ndarray, classes: np.ndarray, answers: np.ndarray) -> np.ndarray:
    place = np.minimum(np.searchsorted(classes, answers), len(classes) - 1)
    return np.where(classes[place] == answers, distances[np.arange(len(answers)), place], np.nan)


def _distances(x: np.ndarray, means: np.ndarray, centre: np.ndarray, basis: np.ndarray, scale: np.ndarray, rest: float) -> np.ndarray:
    """‖·‖² = Σ over the basis of z²/s², and what the basis does not hold over rest²."""
    squared = []
    moved = x.astype(np.float64) - centre
    for mean in means - centre:
        away = moved - mean
        along = away @ basis.T
        squared.append(((along / scale) ** 2).sum(1) + np.maximum((away**2).sum(1) - (along**2).sum(1), 0) / rest**2)
    return np.sqrt(np.stack(squared, 1))
