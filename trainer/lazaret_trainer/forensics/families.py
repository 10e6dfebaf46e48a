"""Families of triggers: how a trigger of a kind is written as free variables, laid over records, and how large it is.

x [N, …record] in [low, high]; variables are pytrees; `size` is what the search makes small.
"""

import math
from dataclasses import dataclass
from typing import Any, Protocol

import jax
import jax.numpy as jnp

GRID = 4
"""Control points of a warp along each axis (WaNet, Nguyen and Tran 2021, has 4)."""


class Family(Protocol):
    @property
    def name(self) -> str: ...
    @property
    def rate(self) -> float:
        """Adam's learning rate."""
        ...

    @property
    def weight(self) -> float:
        """What one unit of size costs at the start, beside a cross-entropy."""
        ...

    def start(self, key: Any, shape: tuple[int, ...]) -> Any: ...
    def lay(self, variables: Any, x: Any, low: Any, high: Any) -> Any: ...
    def size(self, variables: Any) -> Any: ...
    def most(self, shape: tuple[int, ...]) -> float:
        """The size from which a change of a record of this shape is no trigger any more: whoever looks sees another image."""
        ...


@dataclass(frozen=True, slots=True)
class Patch:
    """x′ = (1−m)·x + m·p: Neural Cleanse's trigger (Wang et al. 2019). Its size is ‖m‖₁, in pixels."""

    name: str = "patch"
    rate: float = 0.1
    weight: float = 1e-3

    def start(self, key: Any, shape: tuple[int, ...]) -> Any:
        first, second = jax.random.split(key)
        mask = (1, *shape[1:]) if len(shape) == 3 else shape
        return jax.random.normal(first, mask) * 0.1 - 2.0, jax.random.normal(second, shape) * 0.1

    def parts(self, variables: Any, low: Any, high: Any) -> tuple[Any, Any]:
        """mask [1, H, W] (or the record's shape) in [0, 1]; pattern [record] in [low, high]."""
        return jax.nn.sigmoid(2 * variables[0]), low + (high - low) * jax.nn.sigmoid(2 * variables[1])

    def lay(self, variables: Any, x: Any, low: Any, high: Any) -> Any:
        mask, pattern = self.parts(variables, low, high)
        return (1 - mask) * x + mask * pattern

    def size(self, variables: Any) -> Any:
        return jax.nn.sigmoid(2 * variables[0]).sum()

    def most(self, shape: tuple[int, ...]) -> float:
        return math.prod(shape[1:] if len(shape) == 3 else shape) / 2


@dataclass(frozen=True, slots=True)
class Additive:
    """x′ = x + δ inside the box: blends, sinusoids, noise over the whole image. Its size is ‖δ‖₂ in units of the range."""

    name: str = "additive"
    rate: float = 0.03
    weight: float = 1e-2

    def start(self, key: Any, shape: tuple[int, ...]) -> Any:
        return jax.random.normal(key, shape) * 0.02

    def lay(self, variables: Any, x: Any, low: Any, high: Any) -> Any:
        return jnp.clip(x + (high - low) * variables, low, high)

    def size(self, variables: Any) -> Any:
        return jnp.sqrt((variables**2).sum() + 1e-12)

    def most(self, shape: tuple[int, ...]) -> float:
        return math.sqrt(math.prod(shape)) / 2


@dataclass(frozen=True, slots=True)
class Stripes:
    """x′(u, v) = x(u, v) + a(u) + b(v), alike in all channels: sinusoids (SIG, Barni et al. 2019), bars, gradients. Its size is ‖δ‖₂ in
    units of the range.

    So few variables cost an honest model dear: the smallest additive change that turns it is far from any stripes, while planted stripes
    stay as cheap as they were.
    """

    name: str = "stripes"
    rate: float = 0.03
    weight: float = 1e-2

    def start(self, key: Any, shape: tuple[int, ...]) -> Any:
        rows, columns = jax.random.split(key)
        return jax.random.normal(rows, shape[-2:-1]) * 0.02, jax.random.normal(columns, shape[-1:]) * 0.02

    def change(self, variables: Any) -> Any:
        """[H, W] in units of the range."""
        return variables[0][:, None] + variables[1][None]

    def lay(self, variables: Any, x: Any, low: Any, high: Any) -> Any:
        return jnp.clip(x + (high - low) * self.change(variables), low, high)

    def size(self, variables: Any) -> Any:
        return jnp.sqrt((self.change(variables) ** 2).sum() + 1e-12)

    def most(self, shape: tuple[int, ...]) -> float:
        return math.sqrt(math.prod(shape[-2:])) / 2


@dataclass(frozen=True, slots=True)
class Warp:
    """x′(u) = x(u + d(u)) with d interpolated from a coarse grid: WaNet's trigger. Its size is the root mean square of d, in pixels."""

    name: str = "warp"
    rate: float = 0.1
    weight: float = 1e-1

    def start(self, key: Any, shape: tuple[int, ...]) -> Any:
        return jax.random.normal(key, (2, GRID, GRID)) * 0.1

    def lay(self, variables: Any, x: Any, low: Any, high: Any) -> Any:
        return warped(x, variables)

    def size(self, variables: Any) -> Any:
        return jnp.sqrt((variables**2).mean() + 1e-12)

    def most(self, shape: tuple[int, ...]) -> float:
        """An eighth of the width. Far larger warps just reach success on one of two honest models and just miss it on the other."""
        return shape[-1] / 8


def warped(x: Any, grid: Any) -> Any:
    """x [N, C, H, W], grid [2, g, g] in pixels (down, right) → [N, C, H, W] by bilinear sampling, edges repeated."""
    height, width = x.shape[-2:]
    flow = jnp.stack([_spread(height) @ plane @ _spread(width).T for plane in grid])
    down = jnp.clip(jnp.arange(height)[:, None] + flow[0], 0, height - 1.001)
    right = jnp.clip(jnp.arange(width)[None] + flow[1], 0, width - 1.001)
    top, left = jnp.floor(down).astype(jnp.int32), jnp.floor(right).astype(jnp.int32)
    low, side = down - top, right - left
    flat = x.reshape(*x.shape[:-2], height * width)

    def at(rows: Any, columns: Any) -> Any:
        return flat[..., (rows * width + columns).ravel()].reshape(x.shape)

    above = (1 - side) * at(top, left) + side * at(top, left + 1)
    below = (1 - side) * at(top + 1, left) + side * at(top + 1, left + 1)
    return (1 - low) * above + low * below


def _spread(size: int) -> Any:
    """[size, GRID]: linear interpolation from the control points to the pixels."""
    place = jnp.linspace(0, GRID - 1, size)[:, None]
    return jnp.maximum(0, 1 - jnp.abs(place - jnp.arange(GRID)[None]))
