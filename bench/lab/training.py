"""Trains the zoo's models: Adam with a cosine schedule, one jitted step for all models of an architecture."""

import functools
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from lazaret_trainer.forensics.network import Architecture, read_network
from lazaret_trainer.graph import GraphModel

BATCH = 100
RATE = 3e-3


def trained(model: bytes, x: np.ndarray, y: np.ndarray, *, epochs: int, seed: int) -> bytes:
    network = read_network(model)
    random = np.random.default_rng(seed)
    weights = {name: jnp.array(value) for name, value in network.weights.items()}
    per_epoch = len(x) // BATCH
    total = per_epoch * epochs
    moments = _optimizer(total).init(weights)
    for _ in range(epochs):
        order = random.permutation(len(x))[: per_epoch * BATCH].reshape(per_epoch, BATCH)
        for rows in order:
            weights, moments = _step(network.architecture, total, weights, moments, x[rows], y[rows])
        jax.block_until_ready(weights)
    return GraphModel(model).with_weights({name: np.asarray(value) for name, value in weights.items()})


def _optimizer(steps: int) -> optax.GradientTransformation:
    return optax.adam(optax.cosine_decay_schedule(RATE, steps))


@functools.partial(jax.jit, static_argnums=(0, 1), donate_argnums=(2, 3))
def _step(architecture: Architecture, total: int, weights: Any, moments: Any, x: Any, y: Any) -> Any:
    def loss(weights: Any) -> Any:
        return optax.softmax_cross_entropy_with_integer_labels(architecture(weights, x), y).mean()

    moved, moments = _optimizer(total).update(jax.grad(loss)(weights), moments)
    return optax.apply_updates(weights, moved), moments
