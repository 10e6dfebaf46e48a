"""Products of matrices."""

import jax.numpy as jnp

from .registry import Array, Call, operator


@operator("MatMul")
def matmul(call: Call, x: Array, y: Array) -> Array:
    return jnp.matmul(x, y)


@operator("Gemm")
def gemm(call: Call, a: Array, b: Array, c: Array = None) -> Array:
    """alpha · A′ · B′ + beta · C."""
    a = a.T if call.get("transA", 0) else a
    b = b.T if call.get("transB", 0) else b
    product = _scaled(call.get("alpha", 1.0), jnp.matmul(a, b))
    return product if c is None else product + _scaled(call.get("beta", 1.0), c)


def _scaled(factor: float, x: Array) -> Array:
    return x if factor == 1.0 else factor * x


@operator("Einsum")
def einsum(call: Call, *operands: Array) -> Array:
    return jnp.einsum(call.get("equation"), *operands)


@operator("Det")
def determinant(call: Call, x: Array) -> Array:
    return jnp.linalg.det(x)
