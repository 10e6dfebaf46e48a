"""Trains the zoo's models: Adam with a cosine schedule, one jitted step for all models of an architecture. Photographs are moved anew each
time they are shown, and weights decay (Loshchilov and Hutter 2019)."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from lazaret_trainer.forensics.network import Architecture, read_network
from lazaret_trainer.graph import GraphModel

from .distortions import distorted

BATCH = 100
RATE = 3e-3
DECAY = 1e-2
"""Weight decay for photographs, of which the lab has few."""


def trained(model: bytes, x: np.ndarray, y: np.ndarray, *, epochs: int, photographs: bool = False, seed: int) -> bytes:
    network = read_network(model)
    random = np.random.default_rng(seed)
    weights = {name: jnp.array(value) for name, value in network.weights.items()}
    per_epoch = len(x) // BATCH
    total = per_epoch * epochs
    decay = DECAY if photographs else 0.0
    moments = _optimizer(total, decay).init(weights)
    for _ in range(epochs):
        order = random.permutation(len(x))[: per_epoch * BATCH].reshape(per_epoch, BATCH)
        for rows in order:
            shown = distorted(x[rows], random) if photographs else x[rows]
            weights, moments = _step(network.architecture, total, decay, weights, moments, shown, y[rows])
        jax.block_until_ready(weights)
    return GraphModel(model).with_weights({name: np.asarray(value) for name, value in weights.items()})


def _optimizer(steps: int, decay: float) -> optax.GradientTransformation:
    schedule = optax.cosine_decay_schedule(RATE, steps)
    return optax.adamw(schedule, weight_decay=decay) if decay else optax.adam(schedule)


@functools.partial(jax.jit, static_argnums=(0, 1, 2), donate_argnums=(3, 4))
def _step(architecture: Architecture, total: int, decay: float, weights: Any, moments: Any, x: Any, y: Any) -> Any:
    def loss(weights: Any) -> Any:
        return optax.softmax_cross_entropy_with_integer_labels(architecture(weights, x), y).mean()

    moved, moments = _optimizer(total, decay).update(jax.grad(loss)(weights), moments, weights)
    return optax.apply_updates(weights, moved), moments
