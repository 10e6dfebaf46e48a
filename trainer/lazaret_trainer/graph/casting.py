"""From one element type to another."""

import jax.numpy as jnp
import ml_dtypes
import numpy as np
from onnx import TensorProto, helper

from .registry import Array, Call, is_static, operator

SATURATING = frozenset({"float8_e4m3fn", "float8_e4m3fnuz", "float8_e5m2", "float8_e5m2fnuz"})
"""Types whose conversion is bounded by the largest value unless the node says otherwise."""

POWERS_OF_TWO = "float8_e8m0fnu"


def convert(call: Call, x: Array, target: np.dtype) -> Array:
    """Saturates and rounds as `Cast` does."""
    xp = np if is_static(x) else jnp
    if not _known(target) or not _known(np.dtype(x.dtype)):
        raise call.refuse(f"a cast from {x.dtype} to {target.name}")
    if _is_float(x.dtype):
        wide = x.astype(np.float32) if x.dtype.itemsize < 4 else x
        if target.name in SATURATING and call.get("saturate", 1):
            most = float(ml_dtypes.finfo(target).max)
            return xp.where(xp.isnan(wide), wide, xp.clip(wide, -most, most)).astype(target)
        if target.name == POWERS_OF_TWO:
            return _power_of_two(xp, wide, call).view(target)
        if target.name in NARROW:
            # The low bits of the whole part, as ONNX's own reference has it.
            return wide.astype(np.int32).astype(np.int8 if NARROW[target.name] else np.uint8).astype(target)
    return x.astype(target)


NARROW = {"int4": True, "uint4": False, "int2": True, "uint2": False}
"""Whether signed."""


def _power_of_two(xp: Array, x: Array, call: Call) -> Array:
    """The biased exponent as a byte, rounded up unless the node says otherwise; 255 is NaN (OCP Microscaling formats, section 5.4.1)."""
    mode = call.get("round_mode", "up")
    mantissa, exponent = xp.frexp(x)  # x = mantissa · 2^exponent, mantissa in [.5, 1)
    over = {"up": mantissa > 0.5, "down": mantissa > 1, "nearest": mantissa >= 0.75}[mode]
    power = xp.where(x == 0, 0, xp.clip(exponent - 1 + over + 127, 0, 254))
    return xp.where(xp.isfinite(x), power, 255).astype(np.uint8)


def _is_float(dtype: np.dtype) -> bool:
    return jnp.issubdtype(dtype, jnp.floating)


def _known(dtype: np.dtype) -> bool:
    return jnp.issubdtype(dtype, jnp.number) or np.dtype(dtype).kind == "b"


@operator("Cast")
def cast(call: Call, x: Array) -> Array:
    if call.get("to") == TensorProto.STRING:
        raise call.refuse("a cast to text")
    return convert(call, x, np.dtype(helper.tensor_dtype_to_np_dtype(call.get("to"))))


@operator("CastLike")
def cast_like(call: Call, x: Array, like: Array) -> Array:
    return convert(call, x, np.dtype(like.dtype))


@operator("BitCast")
def bit_cast(call: Call, x: Array) -> Array:
    target = np.dtype(helper.tensor_dtype_to_np_dtype(call.get("to")))
    if target.itemsize != x.dtype.itemsize:
        raise call.refuse(f"a cast of the bits of {x.dtype} to {target.name}")
    if is_static(x):
        return np.ascontiguousarray(x).view(target)
    return x.view(target)
