"""Which parts of the suspect requests made the suspect leave the golden model's answer.

Integrated gradients (M. Sundararajan et al., ICML 2017). The function explained is how much more the suspect prefers its own answer to
the golden model's than the golden model does: (s_t − s_g)(x) − (g_t − g_g)(x). The path goes from the mean of the clean records that the
golden model answers alike.
"""

import functools
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..forensics.network import Network

STEPS = 16
"""Of the path, at the middle of equal parts."""
MOST_REQUESTS = 64


@dataclass(frozen=True, slots=True)
class Saliency:
    values: np.ndarray
    """float64, the shape of one record: the attribution's mean over the requests, where it speaks for the suspect's answer; sums to one, or
    is zero everywhere. What lies elsewhere in every request, as a stroke does, averages out; a trigger stays."""
    mean: np.ndarray
    """The mean of the requests."""
    requests: int
    missed: float
    """Median over the requests of |Σ attribution − (F(x) − F(baseline))| / |F(x) − F(baseline)|: how much the path's steps miss."""


def saliency(suspect: Network, golden: Network, x: np.ndarray, answers: np.ndarray, truth: np.ndarray, baselines: np.ndarray) -> Saliency:
    """x and baselines [N, …record], N ≥ 1; answers of the suspect and `truth` of the golden model int [N]. MOST_REQUESTS are explained."""
    count = min(len(x), MOST_REQUESTS)
    rows = np.resize(np.arange(count), MOST_REQUESTS)
    arguments = [each[rows] for each in (x, baselines, answers, truth)]
    mine, theirs = (_integrated(each, *arguments) for each in (suspect, golden))
    attributed, gap = (a[:count] - b[:count] for a, b in zip(mine, theirs, strict=True))
    missed = np.abs(attributed.reshape(count, -1).sum(1) - gap) / np.maximum(np.abs(gap), 1e-9)
    mean = np.maximum(attributed.mean(0), 0)
    return Saliency(mean / (mean.sum() or 1.0), x[:count].mean(0), count, float(np.median(missed)))


def _integrated(network: Network, x: np.ndarray, baselines: np.ndarray, answers: np.ndarray, truth: np.ndarray) -> tuple[Any, Any]:
    """Attributions of the margin [N, …], and the margin's change along the path [N]."""

    def look(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        margins, slopes = _slopes(network.architecture, network.weights, x, answers, truth)
        return np.asarray(margins, np.float64), np.asarray(slopes, np.float64)

    total = sum(look(baselines + np.float32((step + 0.5) / STEPS) * (x - baselines))[1] for step in range(STEPS))
    return (x - baselines) * (total / STEPS), look(x)[0] - look(baselines)[0]


@functools.partial(jax.jit, static_argnums=0)
def _slopes(architecture: Any, weights: Any, x: Any, answers: Any, truth: Any) -> Any:
    """Margins [N] of one answer over the other, and their slopes [N, …]. One step a call: all in one program take a minute to compile."""
    places = jnp.arange(len(x))

    def margins(x: Any) -> tuple[Any, Any]:
        logits = architecture(weights, x)
        told = logits[places, answers] - logits[places, truth]
        return told.sum(), told

    (_, told), slopes = jax.value_and_grad(margins, has_aux=True)(x)
    return told, slopes
