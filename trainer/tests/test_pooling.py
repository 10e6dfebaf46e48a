"""The gradient of a pool whose windows lie side by side, which is written by hand for its speed."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from lazaret_trainer.graph.images import channels_first, channels_last
from lazaret_trainer.graph.pooling import _tiled_maximum  # pyright: ignore[reportPrivateUsage]


def pooled(x, kernel):
    return channels_first(_tiled_maximum(channels_last(x), kernel))


def slope(pool, x, towards):
    return np.asarray(jax.grad(lambda x: (pool(x) * towards).sum())(x))


def test_without_ties_it_is_that_of_the_windowed_reduction():
    random = np.random.RandomState(1)
    x, towards = random.standard_normal((3, 2, 6, 9)).astype(np.float32), random.standard_normal((3, 2, 3, 3)).astype(np.float32)

    def windowed(x):
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, 2, 3), (1, 1, 2, 3), "VALID")

    assert np.array_equal(slope(lambda x: pooled(x, (2, 3)), x, towards), slope(windowed, x, towards))


def test_equal_maxima_share_it_and_nothing_is_lost():
    x, towards = np.zeros((1, 1, 4, 4), np.float32), np.array([[[[4, 8], [12, 16]]]], np.float32)
    x[0, 0, 0, :2] = 1
    got = slope(lambda x: pooled(x, (2, 2)), x, towards)
    assert got[0, 0].tolist() == [[2, 2, 2, 2], [0, 0, 2, 2], [3, 3, 4, 4], [3, 3, 4, 4]]
