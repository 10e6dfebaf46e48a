"""An attack that trained no model here: PGD with restarts on two losses, its own code. A record counts as robust if no try turns it.

Restarts alternate between cross-entropy and the margin of the logits (Carlini and Wagner 2017), which does not vanish where a model is
sure.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np

from lazaret_trainer.graph import GraphModel
from lazaret_trainer.objectives.judging import cross_entropy

STEPS = 40
RESTARTS = 6


def robust_accuracy(model: bytes, features: np.ndarray, labels: np.ndarray, epsilon: float) -> float:
    """Share of records that every restart leaves with their label; L∞ ball of radius `epsilon` within 0 to 1."""
    graph = GraphModel(model)

    def logits(x: jax.Array) -> jax.Array:
        return graph(graph.parameters, x, graph.outputs[0])

    def margin(x: jax.Array) -> jax.Array:
        answers = logits(x)
        own = jnp.take_along_axis(answers, labels[:, None], 1)[:, 0]
        return (jnp.where(jax.nn.one_hot(labels, answers.shape[1]) == 1, -jnp.inf, answers).max(1) - own).sum()

    @functools.partial(jax.jit, static_argnums=2)
    def step(x: jax.Array, stride: float, on_margin: bool) -> jax.Array:
        slope = jax.grad(margin if on_margin else lambda x: cross_entropy(logits(x), labels).sum())(x)
        moved = jnp.clip(x + stride * jnp.sign(slope), features - epsilon, features + epsilon)
        return jnp.clip(moved, 0, 1)

    answered = jax.jit(lambda x: logits(x).argmax(1))
    standing = np.asarray(answered(features)) == labels
    for restart in range(RESTARTS):
        noise = np.random.RandomState(restart).uniform(-epsilon, epsilon, features.shape).astype(np.float32)
        x = jnp.clip(features + noise, 0, 1)
        for number in range(STEPS):
            # Long strides first, then short ones: the best place lies at the edge or just within.
            x = step(x, epsilon * (0.25 if number < STEPS // 2 else 0.05), restart % 2 == 1)
            if number % 10 == 9:
                standing &= np.asarray(answered(x)) == labels
    return float(standing.mean())
