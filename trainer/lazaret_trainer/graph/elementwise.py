"""Arithmetic, comparison and logic, element by element with numpy's broadcasting (which is ONNX's since opset 7)."""

import functools

import jax.numpy as jnp
import numpy as np
from jax import lax

from .registry import Array, Call, library, operator

# ONNX operator → the function of the same meaning in numpy and in jax.numpy.
SAME_MEANING = {
    "Abs": "abs",
    "Acos": "arccos",
    "Acosh": "arccosh",
    "Add": "add",
    "And": "logical_and",
    "Asin": "arcsin",
    "Asinh": "arcsinh",
    "Atan": "arctan",
    "Atanh": "arctanh",
    "Ceil": "ceil",
    "Cos": "cos",
    "Cosh": "cosh",
    "Equal": "equal",
    "Exp": "exp",
    "Floor": "floor",
    "Greater": "greater",
    "GreaterOrEqual": "greater_equal",
    "IsNaN": "isnan",
    "Less": "less",
    "LessOrEqual": "less_equal",
    "Log": "log",
    "Mul": "multiply",
    "Neg": "negative",
    "Not": "logical_not",
    "Or": "logical_or",
    "Round": "round",
    "Sign": "sign",
    "Sin": "sin",
    "Sinh": "sinh",
    "Sqrt": "sqrt",
    "Sub": "subtract",
    "Tan": "tan",
    "Tanh": "tanh",
    "Where": "where",
    "Xor": "logical_xor",
}


def _same(function: str, call: Call, *operands: Array) -> Array:
    return getattr(library(*operands), function)(*operands)


for _name, _function in SAME_MEANING.items():
    operator(_name)(functools.partial(_same, _function))


@operator("IsInf")
def is_infinite(call: Call, x: Array) -> Array:
    xp = library(x)
    signs = (x > 0) * call.get("detect_positive", 1) + (x < 0) * call.get("detect_negative", 1)
    return xp.logical_and(xp.isinf(x), signs > 0)


@operator("Identity")
def identity(call: Call, x: Array) -> Array:
    return x


@operator("Reciprocal")
def reciprocal(call: Call, x: Array) -> Array:
    return 1 / x


@operator("Erf")
def erf(call: Call, x: Array) -> Array:
    return lax.erf(jnp.asarray(x))


@operator("Div")
def divide(call: Call, x: Array, y: Array) -> Array:
    """Integers are divided towards zero, unlike Python's `//`."""
    if not np.issubdtype(x.dtype, np.integer):
        return library(x, y).divide(x, y)
    if library(x, y) is np:
        return np.trunc(np.true_divide(x, y)).astype(x.dtype)
    return lax.div(*jnp.broadcast_arrays(x, y))


@operator("Pow")
def power(call: Call, x: Array, y: Array) -> Array:
    """A constant whole exponent is a product: its gradient has no logarithm, so it exists at zero and below."""
    if isinstance(y, np.ndarray) and y.ndim == 0 and float(y).is_integer():
        return lax.integer_pow(jnp.asarray(x), int(y))
    return jnp.power(x, y).astype(x.dtype)


@operator("Mod")
def modulo(call: Call, x: Array, y: Array) -> Array:
    xp = library(x, y)
    return (xp.fmod if call.get("fmod", 0) else xp.mod)(x, y)


VARIADIC = {"Min": "minimum", "Max": "maximum", "Sum": "add", "Mean": "add"}


@operator(*VARIADIC)
def variadic(call: Call, *operands: Array) -> Array:
    total = functools.reduce(getattr(library(*operands), VARIADIC[call.operator]), operands)
    return total / len(operands) if call.operator == "Mean" else total


@operator("Clip")
def clip(call: Call, x: Array, low: Array = None, high: Array = None) -> Array:
    """Bounds are attributes before opset 11. Where low > high the result is high, as ONNX says."""
    low, high = call.get("min", low), call.get("max", high)
    if low is not None:
        x = jnp.maximum(x, jnp.asarray(low, x.dtype))
    if high is not None:
        x = jnp.minimum(x, jnp.asarray(high, x.dtype))
    return x
