"""Pools over the spatial axes of [N, C, spatial…]."""

import functools

import jax.numpy as jnp
import numpy as np
from jax import lax

from .registry import Array, Call, operator
from .windows import Window, window


@operator("MaxPool")
def max_pool(call: Call, x: Array) -> Array:
    if call.outputs > 1:
        raise call.refuse("the output Indices")
    frame = window(call, x.shape[2:], call.get("kernel_shape"))
    if _tiles(frame, x):
        # Strided slices: XLA's windowed reduction on a CPU, and its gradient above all, is several times slower.
        rows, columns = frame.kernel
        taps = (x[..., row::rows, column::columns] for row in range(rows) for column in range(columns))
        return functools.reduce(jnp.maximum, taps)
    lowest = -np.inf if np.issubdtype(x.dtype, np.floating) else np.iinfo(x.dtype).min
    extra = frame.ceil_padding(x.shape[2:]) if call.get("ceil_mode", 0) else (0,) * (x.ndim - 2)
    return _reduced(x, np.asarray(lowest, x.dtype)[()], lax.max, frame, frame.padding, extra)


def _tiles(frame: Window, x: Array) -> bool:
    """Windows that lie side by side and cover the whole of both axes."""
    return (
        x.ndim == 4
        and frame.strides == frame.kernel
        and set(frame.dilations) == {1}
        and not any(low or high for low, high in frame.padding)
        and not any(size % kernel for size, kernel in zip(x.shape[2:], frame.kernel, strict=True))
    )


@operator("AveragePool")
def average_pool(call: Call, x: Array) -> Array:
    """The sum over the window divided by the elements that count: padding does only with `count_include_pad`, ceil's filling never."""
    frame = window(call, x.shape[2:], call.get("kernel_shape"))
    extra = frame.ceil_padding(x.shape[2:]) if call.get("ceil_mode", 0) else (0,) * (x.ndim - 2)
    total = _reduced(x, 0.0, lax.add, frame, frame.padding, extra)
    ones = jnp.ones((1, 1, *x.shape[2:]), x.dtype)
    if call.get("count_include_pad", 0):
        ones = jnp.pad(ones, ((0, 0), (0, 0), *frame.padding), constant_values=1)
        count = _reduced(ones, 0.0, lax.add, frame, ((0, 0),) * (x.ndim - 2), extra)
    else:
        count = _reduced(ones, 0.0, lax.add, frame, frame.padding, extra)
    return total / count


def _reduced(x: Array, start: Array, combine: Array, frame: Window, padding: Array, extra: tuple[int, ...]) -> Array:
    sides = tuple((low, high + more) for (low, high), more in zip(padding, extra, strict=True))
    return lax.reduce_window(
        x,
        start,
        combine,
        window_dimensions=(1, 1, *frame.kernel),
        window_strides=(1, 1, *frame.strides),
        padding=((0, 0), (0, 0), *sides),
        window_dilation=(1, 1, *frame.dilations),
    )


@operator("GlobalAveragePool")
def global_average_pool(call: Call, x: Array) -> Array:
    return jnp.mean(x, tuple(range(2, x.ndim)), keepdims=True)


@operator("GlobalMaxPool")
def global_max_pool(call: Call, x: Array) -> Array:
    return jnp.max(x, tuple(range(2, x.ndim)), keepdims=True)
