"""MM-BD (Wang, Xiang, Miller and Kesidis 2022): over the whole input box, the margin by which a class can win. A backdoor's is larger.

The paper's p-value fits a gamma to the other classes' margins. On small models it raises false alarms (measured), so the verdict takes
the margins relative to a reference model's, and the paper's p-value is told beside it.
"""

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from scipy import stats

from .inversion import Ground
from .network import Architecture, Network

STARTS = 8
"""Random inputs per class; the best counts."""


def margins(network: Network, ground: Ground, *, steps: int, seed: int, check: Callable[[], None]) -> np.ndarray:
    """float [classes]: the largest logit margin found for each class."""
    shape = (ground.classes, STARTS, *ground.x.shape[1:])
    x = ground.low + (ground.high - ground.low) * jax.random.uniform(jax.random.PRNGKey(seed), shape)
    moments = optax.adam(0.05).init(x)
    value = jnp.zeros(shape[:2])
    for step in range(steps):
        x, moments, value = _climb(network.architecture, network.weights, x, moments, ground.low, ground.high)
        if step % 8 == 0:
            jax.block_until_ready(x)
            check()
    return np.asarray(value.max(1))


@functools.partial(jax.jit, static_argnums=0)
def _climb(architecture: Architecture, weights: Any, x: Any, moments: Any, low: Any, high: Any) -> Any:
    classes, starts = x.shape[:2]
    own = jnp.repeat(jnp.arange(classes), starts)

    def margin(x: Any) -> Any:
        logits = architecture(weights, x.reshape(-1, *x.shape[2:]))
        mine = jax.nn.one_hot(own, classes, dtype=bool)
        each = logits[jnp.arange(len(own)), own] - jnp.where(mine, -jnp.inf, logits).max(1)
        return -each.sum(), each.reshape(classes, starts)

    (_, value), slope = jax.value_and_grad(margin, has_aux=True)(x)
    moved, moments = optax.adam(0.05).update(slope, moments)
    return jnp.clip(x + moved * (high - low), low, high), moments, value


def gamma_p_value(values: np.ndarray) -> float:
    """The paper's: chance that the largest of as many draws from the gamma fitted to the others is as large as the one seen."""
    values = np.maximum(values, 1e-3)
    top = int(values.argmax())
    rest = np.delete(values, top)
    if len(rest) < 3 or np.allclose(rest, rest[0]):
        return 1.0
    shape, _, scale = stats.gamma.fit(rest, floc=0)
    return float(1 - stats.gamma.cdf(values[top], shape, 0, scale) ** len(values))
