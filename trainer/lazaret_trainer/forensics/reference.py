"""A stand-in for the golden model where none is at hand: the suspect's own architecture, drawn anew and taught the labels of the clean
probes and of mixtures of them (Zhang et al. 2018).

The suspect MUST NOT teach it. Taught the suspect's answers, even to clean records only and mixtures of them, it learns the trigger with
them: on digits the triggers of a sticker, a sinusoid and a warp then worked on .6 to .7 of records, against .01 to .4 with labels alone
(docs/forensics/backdoor.md).
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from .network import Architecture, Network

STEPS = 400
BATCH = 128
RATE = 3e-3
KEPT_BACK = 6
"""One of so many probes is kept back, to measure how well the stand-in knows the task."""
UNLIKE = 0.1
"""Difference of accuracy on the probes kept back from which a stand-in is no counterpart of the suspect: other thresholds hold then."""


@dataclass(frozen=True, slots=True)
class StandIn:
    network: Network
    lack: float
    """The suspect's accuracy less the stand-in's on probes that neither has seen. Far below 0 where the probes are near copies of each
    other (frames of one traffic sign): the stand-in then knows the probes and not the task."""

    @property
    def alike(self) -> bool:
        return alike(self.lack)


def alike(lack: float) -> bool:
    return abs(lack) <= UNLIKE


def stand_in(suspect: Network, x: np.ndarray, labels: np.ndarray, classes: int, *, seed: int, check: Callable[[], None]) -> StandIn:
    """x [N, …] and labels [N], unseen by the suspect. Half of each batch are mixtures, in the records and in the labels."""
    random = np.random.default_rng(seed)
    order = random.permutation(len(x))
    back, taught = order[: len(x) // KEPT_BACK], order[len(x) // KEPT_BACK :]
    truth = np.eye(classes, dtype=np.float32)[labels]
    weights = drawn_anew(suspect.weights, random)
    moments = _optimizer().init(weights)
    for step in range(STEPS):
        first, second = taught[random.integers(0, len(taught), (2, BATCH))]
        share = np.where(np.arange(BATCH) < BATCH // 2, 1.0, random.uniform(0.3, 1.0, BATCH)).astype(np.float32)[:, None]
        wide = share.reshape(-1, *(1,) * (x.ndim - 1))
        batch, wanted = wide * x[first] + (1 - wide) * x[second], share * truth[first] + (1 - share) * truth[second]
        weights, moments = _taught(suspect.architecture, weights, moments, batch.astype(np.float32), wanted)
        if step % 16 == 0:
            jax.block_until_ready(weights)
            check()
    made = Network(suspect.architecture, {name: np.asarray(value) for name, value in weights.items()})
    right, mine = ((network.answers(x[back]) == labels[back]).mean() if len(back) else 0.0 for network in (suspect, made))
    return StandIn(made, float(right - mine))


def drawn_anew(weights: dict[str, np.ndarray], random: np.random.Generator) -> dict[str, np.ndarray]:
    """Fresh weights: matrices and kernels as loud as they were, biases zero, scales one. Nothing else of the suspect survives."""
    fresh = {}
    for name in sorted(weights):
        value = np.asarray(weights[name])
        if value.ndim > 1:
            inputs = min(np.prod(value.shape[1:]), np.prod(value.shape[:-1])) if value.ndim == 2 else np.prod(value.shape[1:])
            drawn = random.standard_normal(value.shape) * np.sqrt(2 / max(inputs, 1))
        else:
            drawn = np.full(value.shape, 1.0 if abs(value.mean() - 1) < abs(value.mean()) else 0.0)
        fresh[name] = drawn.astype(value.dtype)
    return fresh


def _optimizer() -> optax.GradientTransformation:
    return optax.adam(optax.cosine_decay_schedule(RATE, STEPS))


@functools.partial(jax.jit, static_argnums=0, donate_argnums=(1, 2))
def _taught(architecture: Architecture, weights: Any, moments: Any, x: Any, wanted: Any) -> Any:
    def loss(weights: Any) -> Any:
        return optax.softmax_cross_entropy(architecture(weights, jnp.asarray(x)), wanted).mean()

    moved, moments = _optimizer().update(jax.grad(loss)(weights), moments)
    return optax.apply_updates(weights, moved), moments
