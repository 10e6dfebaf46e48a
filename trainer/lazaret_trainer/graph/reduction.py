"""Reductions over axes. The axes are an attribute in older opsets and an operand in newer ones."""

import functools
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax

from .registry import Array, Call, library, operator


def _log_sum_exp(xp: Any, x: Array, **where: Any) -> Array:
    """Shifted by the maximum, so that large values do not overflow."""
    # No gradient: what is taken away is added again.
    top = xp.max(x if xp is np else lax.stop_gradient(x), **{**where, "keepdims": True, "initial": -np.inf})
    top = xp.where(xp.isfinite(top), top, 0).astype(x.dtype)
    shifted = xp.log(xp.sum(xp.exp(x - top), **where))
    return shifted + top.reshape(shifted.shape)


def _extreme(name: str) -> Any:
    return lambda xp, x, **where: getattr(xp, name)(x, **where) if xp is np or "initial" in where else extreme(x, name, **where)


def extreme(x: Array, name: str, axis: tuple[int, ...] | None, keepdims: bool) -> Array:
    """The greatest (`max`) or least (`min`), taken from its place.

    JAX's own gradient of a maximum divides by the number of elements that equal it, and compiled code may compute them twice, rounded
    differently: then none is equal, and the gradient is NaN. Taken from its place, the first one has the whole gradient.
    """
    axes = sorted({each % x.ndim for each in (range(x.ndim) if axis is None else axis)})
    rest = [each for each in range(x.ndim) if each not in axes]
    flat = x.transpose(*rest, *axes).reshape(*(x.shape[each] for each in rest), -1)
    place = getattr(jnp, f"arg{name}")(flat, axis=-1, keepdims=True)
    found = jnp.take_along_axis(flat, place, axis=-1)[..., 0]
    return jnp.expand_dims(found, axes) if keepdims else found


REDUCTIONS = {
    "ReduceMean": lambda xp, x, **where: xp.mean(x, **where),
    "ReduceSum": lambda xp, x, **where: xp.sum(x, **where).astype(x.dtype),
    "ReduceProd": lambda xp, x, **where: xp.prod(x, **where).astype(x.dtype),
    "ReduceMax": _extreme("max"),
    "ReduceMin": _extreme("min"),
    "ReduceL1": lambda xp, x, **where: xp.sum(xp.abs(x), **where),
    "ReduceL2": lambda xp, x, **where: xp.sqrt(xp.sum(x * x, **where)),
    "ReduceSumSquare": lambda xp, x, **where: xp.sum(x * x, **where),
    "ReduceLogSum": lambda xp, x, **where: xp.log(xp.sum(x, **where)),
    "ReduceLogSumExp": _log_sum_exp,
}

NO_IDENTITY = ("ReduceMax", "ReduceMin")
"""numpy refuses these over nothing; ONNX gives the least and the greatest value of the type."""

POINTWISE_WITHOUT_AXES = ("ReduceL1", "ReduceL2", "ReduceSumSquare", "ReduceLogSum")
"""With `noop_with_empty_axes` nothing is summed, but the function of each element remains (ONNX 1.18 and later say so)."""


def _reduce(call: Call, x: Array, axes: Array = None) -> Array:
    function = REDUCTIONS[call.operator]
    xp = library(x)
    axes = call.get("axes", axes)
    listed = () if axes is None else tuple(call.integers(axes))
    if not listed and call.get("noop_with_empty_axes", 0):
        return function(xp, x, axis=()) if call.operator in POINTWISE_WITHOUT_AXES else x
    where: dict[str, Any] = {"axis": listed or None, "keepdims": bool(call.get("keepdims", 1))}
    if call.operator in NO_IDENTITY and x.size == 0:
        lowest, highest = (False, True) if x.dtype == bool else (-np.inf, np.inf)
        where["initial"] = np.array(lowest if call.operator == "ReduceMax" else highest, x.dtype)
    result = function(xp, x, **where)
    return np.asarray(result) if xp is np else result


operator(*REDUCTIONS)(_reduce)


@operator("ArgMax", "ArgMin")
def extreme_index(call: Call, x: Array) -> Array:
    axis, keep = call.get("axis", 0), bool(call.get("keepdims", 1))
    find = functools.partial(jnp.argmax if call.operator == "ArgMax" else jnp.argmin, axis=axis, keepdims=keep)
    index = x.shape[axis] - 1 - find(jnp.flip(x, axis)) if call.get("select_last_index", 0) else find(x)
    return index.astype(jnp.int64) if jnp.zeros((), jnp.int64).dtype == jnp.int64 else index.astype(jnp.int32)
