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
from .network import Network

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
    box = (ground.x, ground.y, ground.low, ground.high)
    state, marked = _start(family, box, keys)
    targets = np.repeat(np.arange(ground.classes, dtype=np.int32), len(ground.y))
    truths = np.tile(ground.y.astype(np.int32), ground.classes)
    for step in range(steps):
        drawn, pull = accused.slopes(marked, targets)
        kept, hold = trusted.slopes(marked, truths)
        state, marked = _step(family, box, state, drawn, kept, pull, hold)
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


@functools.partial(jax.jit, static_argnums=0)
def _start(family: Family, box: Any, keys: Any) -> tuple[_Search, Any]:
    def one(key: Any) -> _Search:
        variables = family.start(key, box[0].shape[1:])
        moments = _optimizer(family).init(variables)
        return _Search(variables, moments, jnp.float32(family.weight), jnp.float32(jnp.inf), variables, jnp.float32(0))

    searches = jax.vmap(one)(keys)
    return searches, _marked(family, box, searches.variables)


@functools.partial(jax.jit, static_argnums=0, donate_argnums=2)
def _step(family: Family, box: Any, searches: _Search, drawn: Any, kept: Any, pull: Any, hold: Any) -> tuple[_Search, Any]:
    """One step of all searches. `drawn` and `kept` are the logits of the accused and of the trusted model for the records as they are
    marked, [classes · N, classes]; `pull` and `hold` the slopes of their losses, [classes · N, …]. Knows no model, so that it is compiled
    once per family and not once per graph."""
    x, y, low, high = box
    classes = searches.best.shape[0]
    drawn, kept, slopes = (each.reshape(classes, len(y), *each.shape[1:]) for each in (drawn, kept, pull + hold))

    def one(target: Any, search: _Search, drawn: Any, kept: Any, slopes: Any) -> _Search:
        others = (y != target).astype(jnp.float32)
        share = others / jnp.maximum(others.sum(), 1)
        success = ((drawn.argmax(1) == target) & (kept.argmax(1) == y)) @ share
        size, cost = jax.value_and_grad(family.size)(search.variables)
        _, back = jax.vjp(lambda variables: family.lay(variables, x, low, high), search.variables)
        (slope,) = back(slopes * share.reshape(-1, *(1,) * (x.ndim - 1)))
        slope = jax.tree.map(lambda loss, size: loss + search.pressure * size, slope, cost)
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

    searches = jax.vmap(one)(jnp.arange(classes), searches, drawn, kept, slopes)
    return searches, _marked(family, box, searches.variables)


def _marked(family: Family, box: Any, variables: Any) -> Any:
    """[classes · N, …]: every record under the trigger of every class."""
    x, _, low, high = box
    marked = jax.vmap(lambda each: family.lay(each, x, low, high))(variables)
    return marked.reshape(-1, *x.shape[1:])
