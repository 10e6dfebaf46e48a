"""The judge of the adversarial objective: the gate's own PGD (lazaret_trainer/robustness), harder. It trained no model here."""

import numpy as np

from lazaret_trainer.graph import GraphModel
from lazaret_trainer.robustness import Ascent, Space

STEPS = 40
RESTARTS = 6


def robust_accuracy(model: bytes, features: np.ndarray, labels: np.ndarray, epsilon: float) -> float:
    """Share of records that every restart leaves with their label; L∞ ball of radius `epsilon` within 0 to 1."""
    graph = GraphModel(model)
    ascent = Ascent(graph, Space(np.zeros((), np.float32), np.ones((), np.float32)))
    standing = ascent.right(graph.parameters, features, labels)
    for number in range(RESTARTS):
        standing &= ascent.restart(graph.parameters, features, labels, "linf", epsilon, STEPS, number, number % 2 == 1)
    return float(standing.mean())
