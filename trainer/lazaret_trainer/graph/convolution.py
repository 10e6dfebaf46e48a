"""Convolutions over [N, C, spatial…].

How a plain two-dimensional kernel is computed decides how long a training step on a CPU takes: as a whole over many records with their
channels last (images.py), else as a matrix product over gathered patches (im2col).
"""

import math

import jax.numpy as jnp
from jax import lax

from .images import SEVERAL_RECORDS, channels_first, channels_last, convolve_images
from .registry import Array, Call, operator
from .windows import Window, split, window

LARGEST_GATHERED_KERNEL = 49
"""Taps (7×7). Beyond, the gathered patches cost more memory than the product saves time."""


@operator("Conv")
def convolve(call: Call, x: Array, weight: Array, bias: Array = None) -> Array:
    frame = window(call, x.shape[2:], weight.shape[2:])
    groups = call.get("group", 1)
    if x.ndim == 4 and groups == 1 and _whole(x, frame):
        result = convolve_images(channels_last(x), jnp.transpose(weight, (2, 3, 1, 0)), frame.padding)
        return channels_first(result if bias is None else result + bias)
    if x.ndim == 4 and groups == 1 and math.prod(frame.kernel) <= LARGEST_GATHERED_KERNEL:
        return _gathered(x, weight, bias, frame)
    result = lax.conv_general_dilated(
        x,
        weight,
        window_strides=frame.strides,
        padding=frame.padding,
        rhs_dilation=frame.dilations,
        dimension_numbers=_layout(x.ndim - 2),
        feature_group_count=groups,
    )
    return _biased(result, bias)


def _whole(x: Array, frame: Window) -> bool:
    """Neighbouring windows over enough records. Fewer come with a gradient for each record: XLA makes of many kernels' gradients one
    convolution in groups, which takes many times as long as the product."""
    return {*frame.strides, *frame.dilations} == {1} and x.shape[0] >= SEVERAL_RECORDS and jnp.issubdtype(x.dtype, jnp.floating)


def _gathered(x: Array, weight: Array, bias: Array, frame: Window) -> Array:
    """x [N, C, H, W], weight [O, C, h, w] → [N, O, H′, W′] by one product [N·H′·W′, h·w·C] × [h·w·C, O]."""
    outputs, channels, height, width = weight.shape
    padded = jnp.pad(x, ((0, 0), (0, 0), *frame.padding)).transpose(0, 2, 3, 1)
    sizes = [(padded.shape[1 + axis] - frame.reach[axis]) // frame.strides[axis] + 1 for axis in (0, 1)]

    def tap(row: int, column: int) -> Array:
        starts = (row * frame.dilations[0], column * frame.dilations[1])
        rows, columns = (
            slice(start, start + (size - 1) * stride + 1, stride) for start, size, stride in zip(starts, sizes, frame.strides, strict=True)
        )
        return padded[:, rows, columns]

    patches = jnp.concatenate([tap(row, column) for row in range(height) for column in range(width)], axis=-1)
    kernel = weight.transpose(2, 3, 1, 0).reshape(height * width * channels, outputs)
    product = patches.reshape(-1, height * width * channels) @ kernel
    product = product if bias is None else product + bias
    return product.reshape(x.shape[0], *sizes, outputs).transpose(0, 3, 1, 2)


@operator("ConvTranspose")
def transposed_convolve(call: Call, x: Array, weight: Array, bias: Array = None) -> Array:
    """The gradient of a convolution: dilate the input by the strides, then convolve with the flipped kernel."""
    axes = range(x.ndim - 2)
    ones = [1] * len(axes)
    strides, dilations, groups = call.get("strides", ones), call.get("dilations", ones), call.get("group", 1)
    extra = call.get("output_padding", [0] * len(axes))
    reach = [(weight.shape[2 + axis] - 1) * dilations[axis] + 1 for axis in axes]
    padding = _transposed_padding(call, x.shape[2:], strides, extra, reach)

    flipped = jnp.flip(weight, tuple(range(2, x.ndim)))
    channels, outputs = flipped.shape[:2]
    kernel = flipped.reshape(groups, channels // groups, outputs, *weight.shape[2:])
    kernel = jnp.moveaxis(kernel, 2, 1).reshape(groups * outputs, channels // groups, *weight.shape[2:])
    result = lax.conv_general_dilated(
        x,
        kernel,
        window_strides=ones,
        padding=[(reach[a] - 1 - padding[a][0], reach[a] - 1 - padding[a][1] + extra[a]) for a in axes],
        lhs_dilation=strides,
        rhs_dilation=dilations,
        dimension_numbers=_layout(len(axes)),
        feature_group_count=groups,
    )
    return _biased(result, bias)


def _transposed_padding(
    call: Call, spatial: tuple[int, ...], strides: list[int], extra: list[int], reach: list[int]
) -> list[tuple[int, int]]:
    """Either stated, or what is over when an output shape is wanted."""
    axes = range(len(spatial))
    automatic = call.get("auto_pad", "NOTSET")
    wanted = call.get("output_shape")
    if wanted is None and automatic.startswith("SAME"):
        wanted = [spatial[axis] * strides[axis] for axis in axes]
    if wanted is not None:
        wanted = wanted[-len(spatial) :]
        totals = [strides[a] * (spatial[a] - 1) + extra[a] + reach[a] - wanted[a] for a in axes]
        return [split(total, automatic) for total in totals]
    pads = call.get("pads", [0] * (2 * len(spatial)))
    return [(pads[axis], pads[axis + len(spatial)]) for axis in axes]


def _layout(axes: int) -> tuple[str, str, str]:
    spatial = "DHW"[3 - axes :] if axes <= 3 else "".join(chr(ord("a") + axis) for axis in range(axes))
    return "NC" + spatial, "OI" + spatial, "NC" + spatial


def _biased(result: Array, bias: Array) -> Array:
    return result if bias is None else result + bias.reshape(1, -1, *(1,) * (result.ndim - 2))
