"""Order along an axis: sorting, cumulation, triangles."""

import jax
import jax.numpy as jnp
import numpy as np
from onnx import helper

from .registry import Array, Call, is_static, library, operator


@operator("TopK")
def top_k(call: Call, x: Array, count: Array = None) -> Array:
    """Equal elements in the order of their places. K is an attribute before opset 10."""
    k, axis = call.integers(call.get("k", count))[0], call.get("axis", -1)
    order = jnp.argsort(jnp.asarray(x), axis=axis, stable=True, descending=bool(call.get("largest", 1)))
    places = jax.lax.slice_in_dim(order, 0, k, axis=axis)
    return jnp.take_along_axis(x, places, axis=axis), places.astype(_index_type())


def _index_type() -> np.dtype:
    """64 bits where JAX has them."""
    return jnp.zeros((), jnp.int64).dtype if jax.config.read("jax_enable_x64") else np.dtype(np.int32)


CUMULATIONS = {"CumSum": ("cumsum", 0), "CumProd": ("cumprod", 1)}


@operator(*CUMULATIONS)
def cumulate(call: Call, x: Array, axis: Array) -> Array:
    """`exclusive` leaves the element itself out, `reverse` starts at the end."""
    function, neutral = CUMULATIONS[call.operator]
    xp, along = library(x), call.integers(axis)[0]
    x = xp.flip(x, along) if call.get("reverse", 0) else x
    total = getattr(xp, function)(x, axis=along).astype(x.dtype)
    if call.get("exclusive", 0):
        whole = [slice(None)] * x.ndim
        whole[along] = slice(0, -1)
        sides = [(0, 0)] * x.ndim
        sides[along] = (1, 0)
        total = xp.pad(total[tuple(whole)], sides, constant_values=neutral)
    return xp.flip(total, along) if call.get("reverse", 0) else total


@operator("Trilu")
def triangle(call: Call, x: Array, diagonal: Array = None) -> Array:
    k = 0 if diagonal is None else call.integers(diagonal)[0]
    size = x.shape[-2] + x.shape[-1]
    k = max(-size, min(size, k))
    return (library(x).triu if call.get("upper", 1) else library(x).tril)(x, k)


@operator("EyeLike")
def eye_like(call: Call, x: Array) -> Array:
    kind = call.get("dtype")
    dtype = x.dtype if kind is None else helper.tensor_dtype_to_np_dtype(kind)
    rows, columns = x.shape
    return (np if is_static(x) else jnp).eye(rows, columns, call.get("k", 0), dtype=dtype)


@operator("Hardmax")
def hardmax(call: Call, x: Array) -> Array:
    """1 at the first maximum; over one axis since opset 13, over everything from the axis on before."""
    axis = call.get("axis", -1 if call.opset >= 13 else 1) % x.ndim
    flat = x if call.opset >= 13 else x.reshape(int(np.prod(x.shape[:axis])), -1)
    along = axis if call.opset >= 13 else 1
    return jax.nn.one_hot(jnp.argmax(flat, along), flat.shape[along], axis=along, dtype=x.dtype).reshape(x.shape)
