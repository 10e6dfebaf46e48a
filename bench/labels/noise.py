"""Label noise of a stated kind and rate: true labels (N,) in, given labels (N,) out. The rate is the expected share of wrong ones."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_predict

Labels = NDArray[np.int64]
Floats = NDArray[np.float64]

KINDS = ("symmetric", "asymmetric", "sparse", "instance", "ambiguous")


def corrupt(kind: str, rate: float, x: Floats, y: Labels, rng: np.random.Generator) -> Labels:
    """The given labels under one kind of noise."""
    classes = int(y.max()) + 1
    if kind in ("symmetric", "asymmetric", "sparse"):
        return through(transition(kind, rate, classes, rng), y, rng)
    return instance(rate, x, y, classes, rng) if kind == "instance" else ambiguous(rate, x, y, classes, rng)


def transition(kind: str, rate: float, classes: int, rng: np.random.Generator) -> Floats:
    """T[j, i] = P(given i | true j), (K, K).

    symmetric: to any other class. asymmetric: to the next class, at rates from half to one and a half of the stated one.
    sparse: to a few classes of its own, at such rates too (the manner of Northcutt et al. 2021).
    """
    rates = np.full(classes, rate)
    if kind != "symmetric":
        rates = np.minimum(rng.permutation(np.linspace(0.5, 1.5, classes)) * rate, 0.45)
    matrix = np.diag(1 - rates)
    for true in range(classes):
        others = np.delete(np.arange(classes), true)
        if kind == "symmetric":
            matrix[true, others] = rates[true] / len(others)
        elif kind == "asymmetric":
            matrix[true, (true + 1) % classes] = rates[true]
        else:
            few = rng.choice(others, max(1, min(3, len(others) // 2)), replace=False)
            matrix[true, few] = rates[true] * rng.dirichlet(np.full(len(few), 2.0))
    return matrix


def through(matrix: Floats, y: Labels, rng: np.random.Generator) -> Labels:
    bounds = matrix[y].cumsum(axis=1)
    return np.minimum((rng.random((len(y), 1)) > bounds).sum(axis=1), matrix.shape[0] - 1)


def instance(rate: float, x: Floats, y: Labels, classes: int, rng: np.random.Generator) -> Labels:
    """Part-dependent noise: a rate of its own per record, the wrong class by a random projection of its features (Xia et al. 2020)."""
    rates = np.clip(rng.normal(rate, 0.1, len(y)), 0, 0.9)
    weights = rng.normal(size=(classes, x.shape[1], classes))
    logits = np.stack([x[at] @ weights[y[at]] for at in range(len(y))])
    logits = logits / logits.std()
    logits[np.arange(len(y)), y] = -np.inf
    odds = np.exp(logits - logits.max(axis=1, keepdims=True))
    matrix = odds / odds.sum(axis=1, keepdims=True)
    wrong = np.minimum((rng.random((len(y), 1)) > matrix.cumsum(axis=1)).sum(axis=1), classes - 1)
    return np.where(rng.random(len(y)) < rates, wrong, y)


def ambiguous(rate: float, x: Floats, y: Labels, classes: int, rng: np.random.Generator) -> Labels:
    """An annotator errs where a linear model is in doubt: chance and class of an error follow the probabilities of the other classes."""
    model = LogisticRegression(max_iter=100, C=0.5)
    belief = cross_val_predict(model, x, y, cv=3, method="predict_proba") ** 0.5
    belief = belief / belief.sum(axis=1, keepdims=True)
    others = belief.copy()
    others[np.arange(len(y)), y] = 0
    doubt = others.sum(axis=1)
    scale = rate / doubt.mean()
    for _ in range(50):
        scale *= rate / np.minimum(scale * doubt, 0.9).mean()
    bounds = (others / others.sum(axis=1, keepdims=True)).cumsum(axis=1)
    wrong = np.minimum((rng.random((len(y), 1)) > bounds).sum(axis=1), classes - 1)
    return np.where(rng.random(len(y)) < np.minimum(scale * doubt, 0.9), wrong, y)
