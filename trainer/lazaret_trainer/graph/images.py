"""Images with their channels last, [N, H, W, C]: how they are computed on.

ONNX puts the channels first, and then a processor's vectors run along the rows of a picture: every shift by a pixel, every second
element of a pool breaks them. With the channels last they run along the channels. An operator turns its operand, computes, and turns the
result back; XLA drops a turn that meets its own reverse, so that between two such operators nothing is moved.

The gradients are written by hand for the same reason. What is faster was measured on one core of a Zen 5 with jaxlib 0.10
(bench/throughput.py).
"""

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax import lax

from .registry import Array
from .windows import Padding

SEVERAL_RECORDS = 8
"""From here on a convolution over the whole batch is faster than a product over gathered patches."""

AT_ONCE = 32
"""Records whose gradients of a kernel are computed in one pass: they stay in the processor's cache."""

FEW_CHANNELS, FEW_TAPS = 4, 36
"""Up to so many channels, and elements of a window, XLA's convolution is 3 to 10 times slower than the sum of shifted images."""


def channels_last(x: Array) -> Array:
    return x.transpose(0, 2, 3, 1)


def channels_first(x: Array) -> Array:
    return x.transpose(0, 3, 1, 2)


def on_images(function: Callable[[Array], Array], x: Array) -> Array:
    """A function of single elements, over images with the channels last, over anything else as it is."""
    return channels_first(function(channels_last(x))) if x.ndim == 4 else function(x)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def convolve_images(x: Array, kernel: Array, padding: Padding) -> Array:
    """x [N, H, W, C], kernel [h, w, C, O] → [N, H′, W′, O]; strides and dilations are 1."""
    if not _narrow(kernel):
        return _convolution(x, kernel, padding)
    # A loop, because XLA would compute the sum anew for each of its readers: the pool, its gradient, the activation's.
    count = len(x)
    size = max(each for each in range(1, AT_ONCE + 1) if count % each == 0)
    if size < SEVERAL_RECORDS:
        return _shifted_sum(x, kernel, padding)
    parts = lax.map(lambda part: _shifted_sum(part, kernel, padding), x.reshape(-1, size, *x.shape[1:]))
    return parts.reshape(count, *parts.shape[2:])


def _forward(x: Array, kernel: Array, padding: Padding) -> tuple[Array, tuple[Array, Array]]:
    return convolve_images(x, kernel, padding), (x, kernel)


def _backward(padding: Padding, kept: tuple[Array, Array], slope: Array) -> tuple[Array, Array]:
    x, kernel = kept

    def towards_kernel(first: int) -> Array:
        part = x[first : first + AT_ONCE]
        (toward,) = jax.vjp(lambda kernel: _convolution(part, kernel, padding), kernel)[1](slope[first : first + AT_ONCE])
        return toward

    towards_kernels = functools.reduce(jnp.add, map(towards_kernel, range(0, len(x), AT_ONCE)))
    if _narrow(kernel):
        return _scattered(slope, kernel, padding, x.shape), towards_kernels
    turned = jnp.flip(kernel, (0, 1)).transpose(0, 1, 3, 2)
    margins = tuple((taps - 1 - low, taps - 1 - high) for taps, (low, high) in zip(kernel.shape, padding, strict=False))
    return _convolution(slope, turned, margins), towards_kernels


convolve_images.defvjp(_forward, _backward)


def _narrow(kernel: Array) -> bool:
    height, width, channels, _ = kernel.shape
    return channels <= FEW_CHANNELS and 1 < height * width * channels <= FEW_TAPS


def _convolution(x: Array, kernel: Array, padding: Padding) -> Array:
    return lax.conv_general_dilated(x, kernel, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))


def _shifted_sum(x: Array, kernel: Array, padding: Padding) -> Array:
    """The convolution, tap by tap, channel by channel: one loop over the result."""
    height, width, channels, _ = kernel.shape
    padded = jnp.pad(x, ((0, 0), *padding, (0, 0)))
    rows, columns = padded.shape[1] - height + 1, padded.shape[2] - width + 1
    terms = [
        padded[:, row : row + rows, column : column + columns, channel, None] * kernel[row, column, channel]
        for row in range(height)
        for column in range(width)
        for channel in range(channels)
    ]
    return functools.reduce(jnp.add, terms)


def _scattered(slope: Array, kernel: Array, padding: Padding, shape: tuple[int, ...]) -> Array:
    """What the slope of the result says of the image: every tap's share, moved to where the tap read."""
    height, width, channels, outputs = kernel.shape
    shares = slope.reshape(-1, outputs) @ kernel.reshape(-1, outputs).T
    shares = shares.reshape(*slope.shape[:3], height, width, channels)

    def moved(row: int, column: int) -> Array:
        """Beyond the image, where the padding was, nothing is kept."""
        margins = [
            (tap - low, size - (tap - low) - read, 0)
            for tap, (low, _), size, read in zip((row, column), padding, shape[1:3], slope.shape[1:3], strict=True)
        ]
        return lax.pad(shares[:, :, :, row, column], jnp.zeros((), slope.dtype), ((0, 0, 0), *margins, (0, 0, 0)))

    return functools.reduce(jnp.add, [moved(row, column) for row in range(height) for column in range(width)])
