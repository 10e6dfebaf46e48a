"""Difference inversion: the smallest trigger that makes one model say a class while the other still says the truth.

For each class t it minimises CE(f(x′), t) + CE(g(x′), y) + λ·size over the records of other classes. λ rises while the trigger succeeds
and falls where it does not (Neural Cleanse, Wang et al. 2019; the difference to a trusted model is ours). All classes are searched at
once.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from .families import Family
from .network import Architecture, Network

ENOUGH = 0.8
"""Differential success from which a trigger counts as found, and its size as reached."""

PRESSURE = 1.06
"""Factor by which λ moves each step."""


@dataclass(frozen=True, slots=True)
class Inverted:
    """What the search found, per class."""

    sizes: np.ndarray
    """float [classes]: the smallest size that had success; infinite where none had."""
    success: np.ndarray
    """float [classes]: the best differential success seen on the records searched with."""
    variables: Any
    """The pytree of the family's variables, each leaf [classes, …]."""


@dataclass(frozen=True, slots=True)
class Ground:
    """What is searched on: records that both models get right, their labels, and the box that records live in."""

    x: np.ndarray
    y: np.ndarray
    low: np.ndarray
    """Lowest value per channel, to be broadcast over a record."""
    high: np.ndarray
    classes: int


def invert(
    accused: Network, trusted: Network, family: Family, ground: Ground, *, steps: int, seed: int, check: Callable[[], None]
) -> Inverted:
    """Searches `accused` for triggers that leave `trusted` unmoved. The same arguments give the same bits on one kind of machine."""
    keys = jax.random.split(jax.random.PRNGKey(seed), ground.classes)
    shape = ground.x.shape[1:]
    state = _start(family, shape, keys)
    pair = (accused.architecture, trusted.architecture)
    weights = (accused.weights, trusted.weights)
    for step in range(steps):
        state = _step(family, pair, weights, (ground.x, ground.y, ground.low, ground.high), state)
        if step % 8 == 0:
            jax.block_until_ready(state)
            check()
    return Inverted(np.asarray(state.best), np.asarray(state.success), jax.tree.map(np.asarray, state.kept))


@jax.tree_util.register_dataclass
@dataclass(frozen=True, slots=True)
class _Search:
    """One class's search; with a leading axis, all of them."""

    variables: Any
    moments: Any
    pressure: Any
    best: Any
    kept: Any
    success: Any


def _optimizer(family: Family) -> optax.GradientTransformation:
    return optax.adam(family.rate, b1=0.5, b2=0.9)


@functools.partial(jax.jit, static_argnums=(0, 1))
def _start(family: Family, shape: tuple[int, ...], keys: Any) -> _Search:
    def one(key: Any) -> _Search:
        variables = family.start(key, shape)
        moments = _optimizer(family).init(variables)
        return _Search(variables, moments, jnp.float32(family.weight), jnp.float32(jnp.inf), variables, jnp.float32(0))

    return jax.vmap(one)(keys)


@functools.partial(jax.jit, static_argnums=(0, 1), donate_argnums=4)
def _step(family: Family, pair: tuple[Architecture, Architecture], weights: Any, ground: Any, searches: _Search) -> _Search:
    x, y, low, high = ground

    def one(target: Any, search: _Search) -> _Search:
        others = (y != target).astype(jnp.float32)
        share = others / jnp.maximum(others.sum(), 1)

        def cost(variables: Any) -> Any:
            marked = family.lay(variables, x, low, high)
            accused, trusted = pair[0](weights[0], marked), pair[1](weights[1], marked)
            loss = _cross_entropy(accused, jnp.full_like(y, target)) + _cross_entropy(trusted, y)
            success = ((accused.argmax(1) == target) & (trusted.argmax(1) == y)) @ share
            size = family.size(variables)
            return loss @ share + search.pressure * size, (success, size)

        (_, (success, size)), slope = jax.value_and_grad(cost, has_aux=True)(search.variables)
        moved, moments = _optimizer(family).update(slope, search.moments)
        better = (success >= ENOUGH) & (size < search.best)
        return _Search(
            variables=optax.apply_updates(search.variables, moved),
            moments=moments,
            pressure=jnp.clip(jnp.where(success >= ENOUGH, search.pressure * PRESSURE, search.pressure / PRESSURE), 1e-6, 1e3),
            best=jnp.where(better, size, search.best),
            kept=jax.tree.map(
                lambda new, old: jnp.where(better | (jnp.isinf(search.best) & (success > search.success)), new, old),
                search.variables,
                search.kept,
            ),
            success=jnp.maximum(success, search.success),
        )

    return jax.vmap(one)(jnp.arange(searches.best.shape[0]), searches)


def _cross_entropy(logits: Any, labels: Any) -> Any:
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels)
