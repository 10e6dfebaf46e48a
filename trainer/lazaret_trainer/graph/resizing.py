"""Resize and Upsample: along each axis one matrix of interpolation weights [out, in], which is static."""

import math
from collections.abc import Callable

import jax.numpy as jnp
import numpy as np

from .registry import Array, Call, operator

Coordinates = np.ndarray
"""Places in the input, one per place in the output, in elements."""


@operator("Upsample")
def upsample(call: Call, x: Array, scales: Array = None) -> Array:
    """Places o / scale, rounded down. The scales are an attribute before opset 9."""
    factors = [float(scale) for scale in np.ravel(call.static(call.get("scales", scales)))]
    sizes = call.room(math.floor(size * factor) for size, factor in zip(x.shape, factors, strict=True))
    for axis, (size, factor) in enumerate(zip(sizes, factors, strict=True)):
        if size != x.shape[axis] or factor != 1:
            places = np.arange(size) / factor
            mode = "linear" if call.get("mode", "nearest") in ("linear", "bilinear") else "nearest"
            x = _along(call, x, axis, places, factor, mode, "floor")
    return x


@operator("Resize")
def resize(call: Call, x: Array, *operands: Array) -> Array:
    """Operands roi, scales, sizes; before opset 11 the scales only, with Upsample's places."""
    roi, scales, sizes = (*((None, *operands) if call.opset < 11 else operands), None, None, None)[:3]
    axes = [axis % x.ndim for axis in call.get("axes", range(x.ndim))]
    factors, wanted = _target(call, x, axes, scales, sizes)
    whole = list(x.shape)
    for axis, size in zip(axes, wanted, strict=True):
        whole[axis] = size
    call.room(whole)
    region = None if roi is None or np.size(call.static(roi)) == 0 else call.static(roi).reshape(2, -1)
    outside: list[tuple[int, np.ndarray]] = []
    for place, (axis, factor, size) in enumerate(zip(axes, factors, wanted, strict=True)):
        bounds = (0.0, 1.0) if region is None else (float(region[0, place]), float(region[1, place]))
        length = x.shape[axis]
        how = call.get("coordinate_transformation_mode", "asymmetric" if call.opset < 11 else "half_pixel")
        if how not in PLACES:
            raise call.refuse(f"the coordinate transformation {how!r}")
        if size == length and factor == 1 and how != "tf_crop_and_resize":
            continue
        coordinates = PLACES[how](np.arange(size), factor, length, size, bounds)
        rounding = call.get("nearest_mode", "floor" if call.opset < 11 else "round_prefer_floor")
        x = _along(call, x, axis, coordinates, factor, call.get("mode", "nearest"), rounding)
        if how == "tf_crop_and_resize":
            outside.append((axis, (coordinates < 0) | (coordinates > length - 1)))
    for axis, mask in outside:
        shape = [-1 if each == axis else 1 for each in range(x.ndim)]
        x = jnp.where(mask.reshape(shape), jnp.asarray(call.get("extrapolation_value", 0.0), x.dtype), x)
    return x


def _target(call: Call, x: Array, axes: list[int], scales: Array, sizes: Array) -> tuple[list[float], list[int]]:
    """Scale factors and output sizes of the axes."""
    lengths = [x.shape[axis] for axis in axes]
    if scales is not None and np.size(call.static(scales)) > 0:
        factors = [float(scale) for scale in np.ravel(call.static(scales))]
        return factors, [math.floor(length * factor) for length, factor in zip(lengths, factors, strict=True)]
    wanted = call.integers(sizes)
    factors = [size / length for size, length in zip(wanted, lengths, strict=True)]
    policy = call.get("keep_aspect_ratio_policy", "stretch")
    if policy == "stretch":
        return factors, wanted
    common = min(factors) if policy == "not_larger" else max(factors)
    return [common] * len(axes), [math.floor(common * length + 0.5) for length in lengths]


def _symmetric(o: Coordinates, scale: float, length: int, size: int, roi: tuple[float, float]) -> Coordinates:
    return length / 2 * (1 - size / (scale * length)) + (o + 0.5) / scale - 0.5


def _cropped(o: Coordinates, scale: float, length: int, size: int, roi: tuple[float, float]) -> Coordinates:
    start, end = roi
    if size == 1:
        return np.full(1, 0.5 * (start + end) * (length - 1))
    return start * (length - 1) + o * (end - start) * (length - 1) / (size - 1)


# Name → f(output place, scale, input length, output length, (start, end) of the region).
PLACES: dict[str, Callable[[Coordinates, float, int, int, tuple[float, float]], Coordinates]] = {
    "half_pixel": lambda o, scale, length, size, roi: (o + 0.5) / scale - 0.5,
    "half_pixel_symmetric": _symmetric,
    "pytorch_half_pixel": lambda o, scale, length, size, roi: (o + 0.5) / scale - 0.5 if size > 1 else np.zeros(1),
    "align_corners": lambda o, scale, length, size, roi: o * (length - 1) / (size - 1) if size > 1 else np.zeros(1),
    "asymmetric": lambda o, scale, length, size, roi: o / scale,
    "tf_half_pixel_for_nn": lambda o, scale, length, size, roi: (o + 0.5) / scale,
    "tf_crop_and_resize": _cropped,
}

ROUNDINGS = {
    "round_prefer_floor": lambda x: np.ceil(x - 0.5),
    "round_prefer_ceil": lambda x: np.floor(x + 0.5),
    "floor": np.floor,
    "ceil": np.ceil,
}


def _along(call: Call, x: Array, axis: int, places: Coordinates, scale: float, mode: str, rounding: str) -> Array:
    length = x.shape[axis]
    if mode == "nearest":
        nearest = np.clip(ROUNDINGS[rounding](places), 0, length - 1).astype(np.int32)
        return jnp.take(x, nearest, axis=axis)
    call.room((len(places), length))
    matrix = jnp.asarray(_weights(call, places, length, scale, mode), x.dtype)
    return jnp.moveaxis(jnp.tensordot(x, matrix, [[axis], [1]]), -1, axis)


def _weights(call: Call, places: Coordinates, length: int, scale: float, mode: str) -> np.ndarray:
    """[out, in]. Places beyond the border are those at the border, or nothing with `exclude_outside`."""
    shrink = min(scale, 1.0) if call.get("antialias", 0) else 1.0
    reach, kernel = KERNELS[mode]
    a = call.get("cubic_coeff_a", -0.75)
    side = call.turns(math.ceil(reach / shrink))
    taps = np.floor(places)[:, None] + np.arange(-side, side + 1)
    weights = kernel(np.abs(taps - places[:, None]) * shrink, a)
    if call.get("exclude_outside", 0):
        weights = np.where((taps < 0) | (taps >= length), 0, weights)
    weights = weights / weights.sum(1, keepdims=True)
    matrix = np.zeros((len(places), length))
    np.add.at(matrix, (np.arange(len(places))[:, None], np.clip(taps, 0, length - 1).astype(int)), weights)
    return matrix


def _cubic(distance: np.ndarray, a: float) -> np.ndarray:
    """R. Keys, "Cubic convolution interpolation for digital image processing" (1981)."""
    near = (a + 2) * distance**3 - (a + 3) * distance**2 + 1
    far = a * distance**3 - 5 * a * distance**2 + 8 * a * distance - 4 * a
    return np.where(distance <= 1, near, np.where(distance < 2, far, 0))


# Mode → (half the kernel's width in elements, weight by distance).
KERNELS: dict[str, tuple[int, Callable[[np.ndarray, float], np.ndarray]]] = {
    "linear": (1, lambda distance, a: np.clip(1 - distance, 0, None)),
    "cubic": (2, _cubic),
}
