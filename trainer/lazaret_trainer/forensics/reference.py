"""A stand-in for the golden model where none is at hand: the suspect's own architecture, drawn anew and taught the suspect's answers on
clean records and mixtures of them. It learns the task and not the trigger, which no clean record shows (distillation as in Neural
Attention Distillation, Li et al. 2021, used here for comparison and not for repair).
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from .network import Architecture, Network

STEPS = 400
BATCH = 128
RATE = 3e-3


def distilled(suspect: Network, x: np.ndarray, labels: np.ndarray, *, seed: int, check: Callable[[], None]) -> Network:
    """x [N, …], labels [N] → a model of the suspect's architecture. Half of each batch are mixtures (Zhang et al. 2018)."""
    random = np.random.default_rng(seed)
    weights = drawn_anew(suspect.weights, random)
    moments = _optimizer().init(weights)
    for step in range(STEPS):
        first, second = random.integers(0, len(x), (2, BATCH))
        share = np.where(np.arange(BATCH) < BATCH // 2, 1.0, random.uniform(0.3, 1.0, BATCH)).astype(np.float32)
        share = share.reshape(-1, *(1,) * (x.ndim - 1))
        batch = share * x[first] + (1 - share) * x[second]
        weights, moments = _taught(suspect.architecture, suspect.weights, weights, moments, batch.astype(np.float32), labels[first])
        if step % 16 == 0:
            jax.block_until_ready(weights)
            check()
    return Network(suspect.architecture, {name: np.asarray(value) for name, value in weights.items()})


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


@functools.partial(jax.jit, static_argnums=0, donate_argnums=(2, 3))
def _taught(architecture: Architecture, teacher: Any, weights: Any, moments: Any, x: Any, labels: Any) -> Any:
    taught = jax.nn.softmax(architecture(teacher, x))
    plain = jax.nn.one_hot(labels, taught.shape[1])
    # Only the unmixed half has a label; the truth is told beside the teacher, who may be wrong on purpose.
    half = (jnp.arange(len(x)) < len(x) // 2)[:, None]
    wanted = jnp.where(half, 0.5 * taught + 0.5 * plain, taught)

    def loss(weights: Any) -> Any:
        return optax.softmax_cross_entropy(architecture(weights, x), wanted).mean()

    moved, moments = _optimizer().update(jax.grad(loss)(weights), moments)
    return optax.apply_updates(weights, moved), moments
