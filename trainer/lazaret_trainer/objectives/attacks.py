"""Attacks on a model's inputs, as gradient ascent on a loss: L∞ and L2 balls (Madry et al. 2018) and square patches (Brown et al. 2017)."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from ..failures import TrainerFailure

Ascended = Callable[[Any, Any, Any], Any]
"""(parameters, attacked features, what the loss compares with) → the mean loss to be raised."""

STRIDE = 2.5
"""Steps together reach so many radii: from any start to any place of the ball."""

PATCH_STRIDE = 0.2
"""A patch's step, as a share of the features' range: its content is free."""


@dataclass(frozen=True, slots=True)
class Box:
    """What a feature can be. Attacked records stay inside."""

    low: float
    high: float

    @staticmethod
    def around(features: np.ndarray) -> "Box":
        return Box(float(features.min()), float(features.max()))


class Attack:
    """`attack(parameters, features, truth, key)` → attacked features, float32 [N, …]. A function of its arguments."""

    def __init__(self, loss: Ascended, norm: Literal["linf", "l2", "patch"], radius: float, steps: int, box: Box):
        self._loss, self._norm, self._radius, self._steps, self._box = loss, norm, radius, steps, box
        # One compiled step, called again and again: a loop that is compiled as a whole takes as many times longer to compile.
        self._begin, self._ascend = jax.jit(self._begun), jax.jit(self._ascended)

    def __call__(self, parameters: Any, features: Any, truth: Any, key: Any) -> Any:
        mask, attacked = self._begin(features, key)
        for _ in range(self._steps):
            attacked = self._ascend(parameters, features, attacked, mask, truth)
        return attacked

    def _begun(self, features: Any, key: Any) -> tuple[Any, Any]:
        """(mask of what may change, a random start)."""
        placing, filling = jax.random.split(key)
        if self._norm == "patch":
            mask = patch_mask(placing, features.shape, int(self._radius))
            content = jax.random.uniform(filling, features.shape, minval=self._box.low, maxval=self._box.high)
            return mask, (1 - mask) * features + mask * content
        mask = jnp.ones((1,) * features.ndim, features.dtype)
        if self._norm == "linf":
            change = jax.random.uniform(filling, features.shape, minval=-self._radius, maxval=self._radius)
        else:
            # A direction drawn evenly, and a length so that every part of the ball is as likely.
            change = jax.random.normal(filling, features.shape)
            share = jax.random.uniform(placing, (features.shape[0],)) ** (1 / np.prod(features.shape[1:]))
            change = change / _lengths(change) * _each(share, features) * self._radius
        return mask, self._inside(features + change)

    def _ascended(self, parameters: Any, features: Any, attacked: Any, mask: Any, truth: Any) -> Any:
        slope = jax.grad(lambda attacked: self._loss(parameters, attacked, truth))(attacked)
        if self._norm == "patch":
            stride = PATCH_STRIDE * (self._box.high - self._box.low)
            return self._inside(attacked + stride * mask * jnp.sign(slope))
        stride = STRIDE * self._radius / self._steps
        if self._norm == "linf":
            change = jnp.clip(attacked + stride * jnp.sign(slope) - features, -self._radius, self._radius)
        else:
            change = attacked + stride * slope / _lengths(slope) - features
            change = change * jnp.minimum(1, self._radius / _lengths(change))
        return self._inside(features + change)

    def _inside(self, features: Any) -> Any:
        return jnp.clip(features, self._box.low, self._box.high)


def patch_mask(key: Any, shape: tuple[int, ...], side: int) -> Any:
    """float32 [N, 1, height, width]: 1 in one square of each image, at a random place."""
    height, width = shape[-2:]
    corners = jax.random.randint(key, (shape[0], 2), 0, np.array([height - side + 1, width - side + 1]))
    rows, columns = jnp.arange(height)[None, :, None] - corners[:, :1, None], jnp.arange(width)[None, None, :] - corners[:, 1:, None]
    inside = (rows >= 0) & (rows < side) & (columns >= 0) & (columns < side)
    return inside[:, None].astype(jnp.float32)


def check_patch(side: float, shape: tuple[int, ...]) -> None:
    """Fails with trainer/bad-job where no such square fits into a record [channels, height, width]."""
    if len(shape) != 3 or side != int(side) or not 1 <= side <= min(shape[-2:]):
        raise TrainerFailure("trainer/bad-job", f"a patch of side {side:g} does not fit into records of the shape {list(shape)}")


def _lengths(values: Any) -> Any:
    flat = jnp.sqrt((values**2).reshape(values.shape[0], -1).sum(1))
    return _each(jnp.maximum(flat, 1e-12), values)


def _each(values: Any, like: Any) -> Any:
    """[N] as [N, 1, …] beside an array."""
    return values.reshape(-1, *(1,) * (like.ndim - 1))
