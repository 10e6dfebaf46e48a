"""Operators that pick parts of an array."""

import numpy as np

from .registry import Array, Call, library, operator


@operator("Split")
def split(call: Call, x: Array, sizes: Array = None) -> Array:
    axis = call.get("axis", 0)
    sizes = call.get("split", sizes)
    if sizes is None:
        size = -(-x.shape[axis] // call.outputs)
        borders = [min(part * size, x.shape[axis]) for part in range(1, call.outputs)]
    else:
        borders = np.cumsum(call.integers(sizes))[:-1].tolist()
    return tuple(library(x).split(x, borders, axis=axis))


@operator("Slice")
def slice_axes(call: Call, x: Array, starts: Array = None, ends: Array = None, axes: Array = None, steps: Array = None) -> Array:
    """Attributes before opset 10. An end below −size with a negative step means "to the very start", which Python writes None."""
    first, last = call.integers(call.get("starts", starts)), call.integers(call.get("ends", ends))
    axes = call.get("axes", axes)
    listed = range(len(first)) if axes is None else call.integers(axes)
    strides = [1] * len(first) if steps is None else call.integers(steps)
    ranges = [slice(None)] * x.ndim
    for start, end, axis, step in zip(first, last, listed, strides, strict=True):
        ranges[axis] = slice(start, None if step < 0 and end < -x.shape[axis] else end, step)
    return x[tuple(ranges)]
