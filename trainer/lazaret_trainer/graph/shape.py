"""Operators that change or tell the shape. What they compute from static operands stays static."""

import math

import jax.numpy as jnp
import numpy as np
from jax import lax

from .limits import LARGEST_STATIC_ELEMENTS, elements
from .registry import Array, Call, library, operator


@operator("Shape")
def shape_of(call: Call, x: Array) -> Array:
    return np.array(x.shape, np.int64)[call.get("start", 0) : call.get("end")]


@operator("Size")
def size_of(call: Call, x: Array) -> Array:
    return np.array(x.size, np.int64)


CONSTANTS = {"value": None, "value_float": np.float32, "value_floats": np.float32, "value_int": np.int64, "value_ints": np.int64}


@operator("Constant")
def constant(call: Call) -> Array:
    for name, dtype in CONSTANTS.items():
        value = call.get(name)
        if value is not None:
            return value if dtype is None else np.array(value, dtype)
    raise call.refuse("a constant that is neither a tensor nor a number")


@operator("ConstantOfShape")
def constant_of_shape(call: Call, shape: Array) -> Array:
    value = call.get("value", np.zeros(1, np.float32))
    sizes = call.room(call.integers(shape))
    return (np if elements(sizes) <= LARGEST_STATIC_ELEMENTS else jnp).full(sizes, value.ravel()[0], value.dtype)


@operator("Range")
def arange(call: Call, start: Array, limit: Array, delta: Array) -> Array:
    first, last, step = (call.static(operand) for operand in (start, limit, delta))
    (count,) = call.room([max(math.ceil((last.item() - first.item()) / step.item()), 0)])
    xp = np if count <= LARGEST_STATIC_ELEMENTS else jnp
    return (first.item() + xp.arange(count) * step.item()).astype(first.dtype)


@operator("Flatten")
def flatten(call: Call, x: Array) -> Array:
    axis = call.get("axis", 1)
    axis += x.ndim if axis < 0 else 0
    return x.reshape(math.prod(x.shape[:axis]), math.prod(x.shape[axis:]))


@operator("Reshape")
def reshape(call: Call, x: Array, shape: Array) -> Array:
    """0 keeps the size of the axis, unless `allowzero`."""
    keep = not call.get("allowzero", 0)
    return x.reshape([x.shape[axis] if size == 0 and keep else size for axis, size in enumerate(call.integers(shape))])


@operator("Transpose")
def transpose(call: Call, x: Array) -> Array:
    return library(x).transpose(x, call.get("perm"))


@operator("Concat")
def concatenate(call: Call, *operands: Array) -> Array:
    return library(*operands).concatenate(operands, axis=call.get("axis"))


@operator("Squeeze")
def squeeze(call: Call, x: Array, axes: Array = None) -> Array:
    axes = call.get("axes", axes)
    return library(x).squeeze(x, None if axes is None else tuple(call.integers(axes)))


@operator("Unsqueeze")
def unsqueeze(call: Call, x: Array, axes: Array = None) -> Array:
    return library(x).expand_dims(x, tuple(call.integers(call.get("axes", axes))))


@operator("Expand")
def expand(call: Call, x: Array, shape: Array) -> Array:
    sizes = call.room(np.broadcast_shapes(x.shape, tuple(call.integers(shape))))
    return (library(x) if elements(sizes) <= LARGEST_STATIC_ELEMENTS else jnp).broadcast_to(x, sizes)


@operator("Tile")
def tile(call: Call, x: Array, repeats: Array) -> Array:
    times = call.integers(repeats)
    sizes = call.room(size * count for size, count in zip(x.shape, times, strict=True))
    return (library(x) if elements(sizes) <= LARGEST_STATIC_ELEMENTS else jnp).tile(x, times)


@operator("DepthToSpace")
def depth_to_space(call: Call, x: Array) -> Array:
    """[N, C·b², H, W] → [N, C, H·b, W·b]."""
    block = call.get("blocksize")
    n, c, h, w = x.shape
    if call.get("mode", "DCR") == "DCR":
        split = x.reshape(n, block, block, c // block**2, h, w).transpose(0, 3, 4, 1, 5, 2)
    else:
        split = x.reshape(n, c // block**2, block, block, h, w).transpose(0, 1, 4, 2, 5, 3)
    return split.reshape(n, c // block**2, h * block, w * block)


@operator("SpaceToDepth")
def space_to_depth(call: Call, x: Array) -> Array:
    """[N, C, H, W] → [N, C·b², H/b, W/b]."""
    block = call.get("blocksize")
    n, c, h, w = x.shape
    order = (0, 3, 5, 1, 2, 4) if call.get("mode", "DCR") == "DCR" else (0, 1, 3, 5, 2, 4)
    split = x.reshape(n, c, h // block, block, w // block, block).transpose(order)
    return split.reshape(n, c * block**2, h // block, w // block)


@operator("Pad")
def pad(call: Call, x: Array, pads: Array = None, value: Array = None, axes: Array = None) -> Array:
    """Attributes before opset 11. Negative padding crops."""
    amounts = call.integers(call.get("pads", pads))
    listed = list(range(x.ndim)) if axes is None else [axis % x.ndim for axis in call.integers(axes)]
    sides = [(0, 0)] * x.ndim
    for position, axis in enumerate(listed):
        sides[axis] = (amounts[position], amounts[position + len(listed)])
    call.room(max(size + low + high, 0) for size, (low, high) in zip(x.shape, sides, strict=True))
    mode = call.get("mode", "constant")
    if mode != "constant":
        for size, around in zip(x.shape, sides, strict=True):
            call.turns(-(-max(around) // max(size - 1, 1)))  # each turn pads by what is there
        return jnp.pad(x, sides, mode=mode)
    filling = jnp.asarray(call.get("value", 0) if value is None else value, x.dtype).reshape(())
    return lax.pad(jnp.asarray(x), filling, [(low, high, 0) for low, high in sides])
