"""Arrays without a data set and without a model: exact posteriors of Gaussian classes, sent through noise, then blurred as an estimate is.

They cost nothing, so every number of records and of classes and every overlap is among what is learned from, and clean labels too.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from noise import KINDS, Floats, Labels, transition


@dataclass(frozen=True)
class Simulated:
    """Probabilities `p` (N, K), given labels and true labels (N,), and which noise of which rate it was."""

    p: Floats
    given: Labels
    truth: Labels
    kind: str
    rate: float


def simulate(rng: np.random.Generator) -> Simulated:
    classes = int(rng.choice([2, 2, 2, 3, 4, 6, 10, 10, 20, 40]))
    count = int(np.exp(rng.uniform(np.log(400), np.log(5000))))
    shares = rng.dirichlet(np.full(classes, rng.choice([2.0, 8.0, 100.0]))) * 0.95 + 0.05 / classes
    truth = rng.choice(classes, count, p=shares)
    lead = rng.uniform(0.8, 5.0) + 0.3 * np.log(classes / 2)
    x = rng.normal(size=(count, classes)) + lead * np.eye(classes)[truth]
    belief = softmax(lead * x + np.log(shares))
    kind = str(rng.choice(KINDS))
    rate = float(rng.choice([0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4]))
    channels = channel(kind, rate, belief, rng)
    given = drawn(channels[np.arange(count), truth], rng)
    p = np.einsum("nj,nji->ni", belief, channels)
    blurred = rng.uniform(0.7, 1.4) * np.log(p + 1e-4) + rng.uniform(0, 0.8) * rng.normal(size=p.shape)
    return Simulated(softmax(blurred), given, truth, kind, rate)


def channel(kind: str, rate: float, belief: Floats, rng: np.random.Generator) -> Floats:
    """P(given i | true j, record n), (N, K, K)."""
    count, classes = belief.shape
    if kind in ("symmetric", "asymmetric", "sparse"):
        return np.broadcast_to(transition(kind, rate, classes, rng), (count, classes, classes))
    weights = rng.dirichlet(np.ones(classes), count) if kind == "instance" else belief**0.5
    wrong = np.repeat(weights[:, None, :] + 1e-9, classes, axis=1)
    wrong[:, np.arange(classes), np.arange(classes)] = 0
    if kind == "instance":
        chance = np.repeat(np.clip(rng.normal(rate, 0.1, (count, 1)), 0, 0.9) * (rate > 0), classes, axis=1)
    else:
        doubt = 1 - weights / weights.sum(axis=1, keepdims=True)
        chance = np.minimum(doubt * rate / (doubt * belief).sum(axis=1).mean(), 0.9)
    out = chance[:, :, None] * wrong / wrong.sum(axis=2, keepdims=True)
    out[:, np.arange(classes), np.arange(classes)] = 1 - chance
    return out


def drawn(rows: Floats, rng: np.random.Generator) -> Labels:
    return np.minimum((rng.random((len(rows), 1)) > rows.cumsum(axis=1)).sum(axis=1), rows.shape[1] - 1)


def softmax(logits: Floats) -> Floats:
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    return odds / odds.sum(axis=1, keepdims=True)
