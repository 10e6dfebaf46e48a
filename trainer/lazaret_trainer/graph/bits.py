"""Operators on the bits of integers."""

from .registry import Array, Call, library, operator

BITWISE = {"BitwiseAnd": "bitwise_and", "BitwiseOr": "bitwise_or", "BitwiseXor": "bitwise_xor"}


@operator(*BITWISE)
def bitwise(call: Call, x: Array, y: Array) -> Array:
    return getattr(library(x, y), BITWISE[call.operator])(x, y)


@operator("BitwiseNot")
def bitwise_not(call: Call, x: Array) -> Array:
    return library(x).invert(x)


@operator("BitShift")
def bit_shift(call: Call, x: Array, y: Array) -> Array:
    xp = library(x, y)
    return xp.left_shift(x, y) if call.get("direction") == "LEFT" else xp.right_shift(x, y)
