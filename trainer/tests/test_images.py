"""Convolutions with the channels last: result and gradients, which are written by hand, beside those of XLA's own convolution."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from lazaret_trainer.graph.images import convolve_images

SHAPES = {
    "a few channels, in parts": (64, 9, 7, 1, 3, 3, 5),
    "a few channels, a number of records that has no parts": (11, 6, 6, 3, 3, 3, 4),
    "a few channels, an even kernel": (8, 6, 5, 2, 2, 4, 3),
    "many channels, gradients in parts that do not come out even": (40, 6, 6, 6, 3, 3, 4),
    "single taps": (16, 4, 4, 3, 1, 1, 2),
}


@pytest.mark.parametrize("padding", [((0, 0), (0, 0)), ((1, 1), (1, 1)), ((2, 0), (0, 3))], ids=["none", "even", "uneven"])
@pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES.keys())
def test_result_and_gradients_are_those_of_the_plain_convolution(shape, padding):
    count, rows, columns, channels, height, width, outputs = shape
    random = np.random.RandomState(3)
    x = random.standard_normal((count, rows, columns, channels)).astype(np.float32)
    kernel = random.standard_normal((height, width, channels, outputs)).astype(np.float32)

    def plain(x, kernel, padding):
        return lax.conv_general_dilated(x, kernel, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))

    def all_of(convolve):
        def told(x, kernel):
            result = convolve(x, kernel, padding)
            return (jnp.sin(result) * jnp.arange(result.size).reshape(result.shape)).sum() / result.size, result

        return jax.jit(jax.grad(told, (0, 1), has_aux=True))(x, kernel)

    for mine, theirs in zip(jax.tree.leaves(all_of(convolve_images)), jax.tree.leaves(all_of(plain)), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=2e-4 * float(np.abs(theirs).max()))
