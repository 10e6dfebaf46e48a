"""Numbers as small integers: y = saturate(round(x / scale) + zero).

The functions are exact; the gradient through a rounding is zero, so that only weights behind the last quantiser learn.
"""

import jax.numpy as jnp
import ml_dtypes
import numpy as np
from onnx import helper

from .casting import convert
from .convolution import convolve
from .registry import Array, Call, operator


def _spread(call: Call, values: Array, x: Array) -> Array:
    """One value for all, one per index of the axis, or one per block along it; broadcastable to x."""
    values = jnp.asarray(values)
    if values.ndim == 0 or values.size == 1:
        return values.reshape(())
    axis = call.get("axis", 1) % x.ndim
    block = call.get("block_size", 0)
    if values.ndim == 1 and not block:
        return values.reshape([-1 if each == axis else 1 for each in range(x.ndim)])
    size = block or -(-x.shape[axis] // values.shape[axis])
    return jnp.repeat(values, size, axis=axis, total_repeat_length=values.shape[axis] * size)[
        tuple(slice(0, x.shape[axis]) if each == axis else slice(None) for each in range(x.ndim))
    ]


@operator("QuantizeLinear")
def quantise(call: Call, x: Array, scale: Array, zero: Array = None) -> Array:
    kind = call.get("output_dtype", 0)
    target = np.dtype(helper.tensor_dtype_to_np_dtype(kind)) if kind else np.dtype(np.uint8 if zero is None else zero.dtype)
    ratio = jnp.asarray(x).astype(jnp.float32) / _spread(call, scale, x).astype(jnp.float32)
    offset = 0 if zero is None else _spread(call, zero, x).astype(jnp.float32)
    return _saturated(call, ratio, offset, target)


def _saturated(call: Call, ratio: Array, offset: Array, target: np.dtype) -> Array:
    """Integers are rounded half to even and bounded by their type; the small floats do both by their own rules."""
    if not jnp.issubdtype(target, jnp.integer):
        return convert(call, ratio + offset, target)
    bounds = ml_dtypes.iinfo(target)
    whole = jnp.clip(jnp.round(ratio) + offset, int(bounds.min), int(bounds.max))
    return whole.astype(jnp.int32).astype(target)


@operator("DequantizeLinear")
def dequantise(call: Call, x: Array, scale: Array, zero: Array = None) -> Array:
    kind = call.get("output_dtype", 0)
    target = helper.tensor_dtype_to_np_dtype(kind) if kind else scale.dtype
    centred = _whole(x) if zero is None else _whole(x) - _spread(call, _whole(zero), x)
    return (centred.astype(jnp.float32) * _spread(call, scale, x).astype(jnp.float32)).astype(target)


def _whole(x: Array) -> Array:
    """Wide enough for a difference of two of them."""
    x = jnp.asarray(x)
    return x.astype(jnp.int32 if jnp.issubdtype(x.dtype, jnp.integer) else jnp.float32)


def _centred(x: Array, zero: Array, axis: int) -> Array:
    """x − zero; a zero per row or column runs along the axis."""
    if zero is None:
        return _whole(x)
    zero = _whole(zero)
    if zero.ndim == 1 and zero.size > 1:
        zero = zero.reshape([-1 if each == axis % x.ndim else 1 for each in range(x.ndim)])
    return _whole(x) - (zero.reshape(()) if zero.size == 1 else zero)


@operator("MatMulInteger")
def integer_matmul(call: Call, a: Array, b: Array, a_zero: Array = None, b_zero: Array = None) -> Array:
    return jnp.matmul(_centred(a, a_zero, -2), _centred(b, b_zero, -1))


@operator("QLinearMatMul")
def quantised_matmul(
    call: Call, a: Array, a_scale: Array, a_zero: Array, b: Array, b_scale: Array, b_zero: Array, y_scale: Array, y_zero: Array
) -> Array:
    product = jnp.matmul(_centred(a, a_zero, -2), _centred(b, b_zero, -1))
    rows = a_scale.reshape(-1, 1) if np.ndim(a_scale) == 1 else a_scale
    ratio = product.astype(jnp.float32) * (rows * b_scale / y_scale).astype(jnp.float32)
    return _saturated(call, ratio, _whole(y_zero), np.dtype(y_zero.dtype))


@operator("ConvInteger")
def integer_convolve(call: Call, x: Array, w: Array, x_zero: Array = None, w_zero: Array = None) -> Array:
    return convolve(call, _centred(x, x_zero, 1), _centred(w, w_zero, 0))


@operator("QLinearConv")
def quantised_convolve(
    call: Call,
    x: Array,
    x_scale: Array,
    x_zero: Array,
    w: Array,
    w_scale: Array,
    w_zero: Array,
    y_scale: Array,
    y_zero: Array,
    bias: Array = None,
) -> Array:
    """The bias has the scale x·w, as the standard says."""
    total = convolve(call, _centred(x, x_zero, 1), _centred(w, w_zero, 0), None if bias is None else jnp.asarray(bias))
    factor = jnp.asarray(x_scale * w_scale / y_scale, jnp.float32)
    factor = factor.reshape(1, -1, *(1,) * (total.ndim - 2)) if factor.size > 1 else factor.reshape(())
    return _saturated(call, total.astype(jnp.float32) * factor, _whole(y_zero), np.dtype(y_zero.dtype))
