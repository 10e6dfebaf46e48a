"""Operators that read or write at computed places."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .registry import Array, Call, library, operator


def _positive(indices: Array, size: Array) -> Array:
    """Counted from the start: −1 is the last one."""
    return library(indices).where(indices < 0, indices + size, indices)


@operator("Gather")
def gather(call: Call, x: Array, indices: Array) -> Array:
    if library(x, indices) is np:
        return np.take(x, indices, axis=call.get("axis", 0))
    # "wrap" gives negative indices their meaning; indices out of range are the exporter's error.
    return jnp.take(x, indices, axis=call.get("axis", 0), mode="wrap")


@operator("GatherElements")
def gather_elements(call: Call, x: Array, indices: Array) -> Array:
    axis = call.get("axis", 0)
    return jnp.take_along_axis(x, _positive(indices, x.shape[axis]), axis=axis)


@operator("GatherND")
def gather_nd(call: Call, x: Array, indices: Array) -> Array:
    """The last axis of `indices` is a place in x; the first `batch_dims` axes of both run together."""

    def places(part: Array, at: Array) -> Array:
        at = _positive(at, np.array(part.shape[: at.shape[-1]]))
        return part[tuple(jnp.moveaxis(at, -1, 0))]

    for _ in range(call.get("batch_dims", 0)):
        places = jax.vmap(places)
    return places(jnp.asarray(x), jnp.asarray(indices))


REDUCTIONS = {"none": "set", "add": "add", "mul": "multiply", "max": "max", "min": "min"}


def _written(call: Call, x: Array, places: Any, updates: Array) -> Array:
    return getattr(jnp.asarray(x).at[places], REDUCTIONS[call.get("reduction", "none")])(updates)


@operator("ScatterElements", "Scatter")
def scatter_elements(call: Call, x: Array, indices: Array, updates: Array) -> Array:
    axis = call.get("axis", 0) % x.ndim
    places: list[Array] = list(np.ix_(*(np.arange(size) for size in indices.shape)))
    places[axis] = _positive(indices, x.shape[axis])
    return _written(call, x, tuple(places), updates)


@operator("ScatterND")
def scatter_nd(call: Call, x: Array, indices: Array, updates: Array) -> Array:
    depth = indices.shape[-1]
    places = _positive(indices, np.array(x.shape[:depth]))
    return _written(call, x, tuple(jnp.moveaxis(jnp.asarray(places), -1, 0)), updates)


@operator("TensorScatter")
def tensor_scatter(call: Call, cache: Array, update: Array, start: Array = None) -> Array:
    """Writes the update's rows along `axis` from a start of its own per record; `circular` wraps around the end."""
    axis = call.get("axis", -2) % cache.ndim
    start = np.zeros(cache.shape[0], np.int64) if start is None else start
    rows, size = update.shape[axis], cache.shape[axis]
    order = jnp.asarray(start)[:, None] + jnp.arange(rows)
    order = order % size if call.get("mode", "linear") == "circular" else order

    def record(old: Array, new: Array, places: Array) -> Array:
        moved = jnp.moveaxis(old, axis - 1, 0).at[places].set(jnp.moveaxis(new, axis - 1, 0))
        return jnp.moveaxis(moved, 0, axis - 1)

    return jax.vmap(record)(jnp.asarray(cache), jnp.asarray(update), order)


@operator("OneHot")
def one_hot(call: Call, indices: Array, depth: Array, values: Array) -> Array:
    """[off, on] in `values`; an index outside [−depth, depth) is off everywhere."""
    size = call.integers(depth)[0]
    axis = call.get("axis", -1)
    axis += np.ndim(indices) + 1 if axis < 0 else 0
    call.room((*np.shape(indices), size))
    hot = jnp.expand_dims(_positive(jnp.asarray(indices), size), axis)
    classes = jnp.arange(size).reshape([size if each == axis else 1 for each in range(np.ndim(indices) + 1)])
    return jnp.where(hot == classes.astype(hot.dtype), values[1], values[0])


@operator("Compress")
def compress(call: Call, x: Array, condition: Array) -> Array:
    (kept,) = np.nonzero(call.static(condition).ravel())
    axis = call.get("axis")
    return library(x).take(x.reshape(-1) if axis is None else x, kept, axis=axis or 0)


@operator("NonZero")
def non_zero(call: Call, x: Array) -> Array:
    return np.array(np.nonzero(call.static(x)), np.int64)


@operator("ReverseSequence")
def reverse_sequence(call: Call, x: Array, lengths: Array) -> Array:
    """Each record's first `length` steps backwards."""
    time, batch = call.get("time_axis", 0), call.get("batch_axis", 1)
    moved = jnp.moveaxis(jnp.asarray(x), (batch, time), (0, 1))
    steps, ends = jnp.arange(moved.shape[1]), jnp.asarray(lengths)[:, None]
    order = jnp.where(steps < ends, ends - 1 - steps, steps)
    turned = jax.vmap(lambda record, places: record[places])(moved, order)
    return jnp.moveaxis(turned, (0, 1), (batch, time))
