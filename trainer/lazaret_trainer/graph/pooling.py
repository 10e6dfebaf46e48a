"""Pools over the spatial axes of [N, C, spatial…]."""

import functools
import itertools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from .images import channels_first, channels_last
from .reduction import extreme
from .registry import Array, Call, operator
from .windows import Window, window


@operator("MaxPool")
def max_pool(call: Call, x: Array) -> Array:
    frame = window(call, x.shape[2:], call.get("kernel_shape"))
    if call.wants(1):
        return _with_places(call, x, frame)
    if _tiles(frame, x):
        return channels_first(_tiled_maximum(channels_last(x), frame.kernel))
    extra = frame.ceil_padding(x.shape[2:]) if call.get("ceil_mode", 0) else (0,) * (x.ndim - 2)
    return _reduced(x, _lowest(x), lax.max, frame, frame.padding, extra)


LARGEST_SLICED_KERNEL = 64
"""Taps (8×8) that are written out one by one."""


def _tiles(frame: Window, x: Array) -> bool:
    """Windows that lie side by side and cover the whole of both axes."""
    return (
        x.ndim == 4
        and frame.strides == frame.kernel
        and set(frame.dilations) == {1}
        and math.prod(frame.kernel) <= LARGEST_SLICED_KERNEL
        and not any(low or high for low, high in frame.padding)
        and not any(size % kernel for size, kernel in zip(x.shape[2:], frame.kernel, strict=True))
    )


@functools.partial(jax.custom_vjp, nondiff_argnums=(1,))
def _tiled_maximum(x: Array, kernel: tuple[int, ...]) -> Array:
    """[N, H, W, C] → [N, H′, W′, C], by strided slices: XLA's windowed reduction on a CPU, and its gradient above all, is several times
    slower. The halves are put together again, because XLA does not compute what is put together anew for each of its readers."""
    half = x.shape[1] // kernel[0] // 2 * kernel[0]
    halves = [x[:, :half], x[:, half:]] if half else [x]
    return jnp.concatenate([functools.reduce(jnp.maximum, _taps(each, kernel)) for each in halves], axis=1)


def _taps(x: Array, kernel: tuple[int, ...]) -> list[Array]:
    """The first element of every window, the second, …: each [N, H′, W′, C]."""
    rows, columns = kernel
    return [x[:, row::rows, column::columns] for row in range(rows) for column in range(columns)]


def _maximum_forward(x: Array, kernel: tuple[int, ...]) -> tuple[Array, tuple[Array, Array]]:
    best = _tiled_maximum(x, kernel)
    return best, (x, best)


def _maximum_backward(kernel: tuple[int, ...], kept: tuple[Array, Array], slope: Array) -> tuple[Array]:
    """Equal maxima share the slope. Spread by broadcasting: the gradient of a strided slice is a dilated pad, one for each tap, and XLA
    computes all of them anew for every element."""
    x, best = kept
    share = slope / sum((tap == best).astype(slope.dtype) for tap in _taps(x, kernel))
    return (jnp.where(x == _spread(best, kernel), _spread(share, kernel), 0),)


def _spread(values: Array, kernel: tuple[int, ...]) -> Array:
    """[N, H′, W′, C] → [N, H, W, C]: every element over its window."""
    records, rows, columns, channels = values.shape
    wide = jnp.broadcast_to(values[:, :, None, :, None], (records, rows, kernel[0], columns, kernel[1], channels))
    return wide.reshape(records, rows * kernel[0], columns * kernel[1], channels)


_tiled_maximum.defvjp(_maximum_forward, _maximum_backward)


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


def _with_places(call: Call, x: Array, frame: Window) -> tuple[Array, Array]:
    """Maxima and where they stand: places in the whole tensor, row by row, or column by column with `storage_order`."""
    spatial = x.shape[2:]
    call.turns(math.prod(frame.kernel))
    extra = frame.ceil_padding(spatial) if call.get("ceil_mode", 0) else (0,) * len(spatial)
    sides = [(low, high + more) for (low, high), more in zip(frame.padding, extra, strict=True)]
    padded = jnp.pad(x, [(0, 0), (0, 0), *sides], constant_values=_lowest(x))
    sizes = [(padded.shape[2 + a] - frame.reach[a]) // frame.strides[a] + 1 for a in range(len(spatial))]
    order = range(len(spatial)) if call.get("storage_order", 0) else reversed(range(len(spatial)))
    weights, weight = [0] * len(spatial), 1
    for axis in order:
        weights[axis], weight = weight, weight * spatial[axis]
    taps, places = [], []
    for tap in itertools.product(*map(range, frame.kernel)):
        starts = [step * dilation for step, dilation in zip(tap, frame.dilations, strict=True)]
        ranges = [slice(s, s + (n - 1) * d + 1, d) for s, n, d in zip(starts, sizes, frame.strides, strict=True)]
        taps.append(padded[(slice(None), slice(None), *ranges)])
        rows = [np.arange(n) * d + s - low for n, d, s, (low, _) in zip(sizes, frame.strides, starts, sides, strict=True)]
        places.append(sum(row * w for row, w in zip(np.meshgrid(*rows, indexing="ij"), weights, strict=True)))
    best = jnp.argmax(jnp.stack(taps), axis=0)
    inner = jnp.take_along_axis(jnp.asarray(np.stack(places))[:, None, None], best[None], axis=0)[0]
    planes = np.arange(x.shape[0] * x.shape[1]).reshape(*x.shape[:2], *(1,) * len(spatial)) * math.prod(spatial)
    return functools.reduce(jnp.maximum, taps), inner + planes


def _lowest(x: Array) -> np.ndarray:
    return np.asarray(-np.inf if np.issubdtype(x.dtype, np.floating) else np.iinfo(x.dtype).min, x.dtype)[()]


@operator("MaxUnpool")
def max_unpool(call: Call, x: Array, places: Array, shape: Array = None) -> Array:
    """Each maximum back to where it stood, zeros elsewhere. A larger output shape adds zeros at the ends."""
    kernel = call.get("kernel_shape")
    strides, pads = call.get("strides", [1] * len(kernel)), call.get("pads", [0] * (2 * len(kernel)))
    natural = [
        (size - 1) * stride - low - high + taps
        for size, stride, low, high, taps in zip(x.shape[2:], strides, pads[: len(kernel)], pads[len(kernel) :], kernel, strict=True)
    ]
    full = call.room((*x.shape[:2], *natural))
    flat = jnp.zeros(math.prod(full), x.dtype).at[jnp.asarray(places).ravel()].set(x.ravel())
    whole = flat.reshape(full)
    if shape is None:
        return whole
    wanted = call.room(call.integers(shape))
    return jnp.pad(whole, [(0, size - had) for size, had in zip(wanted, full, strict=True)])


@operator("LpPool")
def lp_pool(call: Call, x: Array) -> Array:
    frame = window(call, x.shape[2:], call.get("kernel_shape"))
    power = call.get("p", 2)
    extra = frame.ceil_padding(x.shape[2:]) if call.get("ceil_mode", 0) else (0,) * (x.ndim - 2)
    return _reduced(jnp.abs(x) ** power, 0.0, lax.add, frame, frame.padding, extra) ** (1 / power)


@operator("GlobalLpPool")
def global_lp_pool(call: Call, x: Array) -> Array:
    power = call.get("p", 2)
    return jnp.sum(jnp.abs(x) ** power, tuple(range(2, x.ndim)), keepdims=True) ** (1 / power)


@operator("GlobalAveragePool")
def global_average_pool(call: Call, x: Array) -> Array:
    return jnp.mean(x, tuple(range(2, x.ndim)), keepdims=True)


@operator("GlobalMaxPool")
def global_max_pool(call: Call, x: Array) -> Array:
    return extreme(x, "max", tuple(range(2, x.ndim)), keepdims=True)
