"""A sticker slid over the image: quick, needs no gradient, and so sees what an inversion cannot (a comparison in the graph).

Differential: a hit makes the accused model say a class that is not the label while the trusted one still says the label.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .inversion import Ground
from .network import Architecture, Network

PATTERNS = 4
"""All high, all low, a chess board, and the other chess board."""
AT_ONCE = 8
"""Stickers laid in one call."""


@dataclass(frozen=True, slots=True)
class Scanned:
    rates: np.ndarray
    """float [classes]: the highest share of records of other classes that one sticker drew to the class."""
    counter: np.ndarray
    """The same with the two models' parts exchanged: what stickers do between two honest models."""
    masks: np.ndarray
    """float [classes, 1, H, W]: where the best sticker of each class lay."""
    patterns: np.ndarray
    """float [classes, C, H, W], in the records' units."""


def scan(accused: Network, trusted: Network, ground: Ground, check: Callable[[], None]) -> Scanned:
    """For records [C, H, W]. Stickers are an eighth of the image wide (at least 2), and move by half of that on large images."""
    masks, patterns = _stickers(ground)
    pair, weights = (accused.architecture, trusted.architecture), (accused.weights, trusted.weights)
    rates, counter = [], []
    for start in range(0, len(masks), AT_ONCE):
        chunk = [np.resize(each[start : start + AT_ONCE], (AT_ONCE, *each.shape[1:])) for each in (masks, patterns)]
        one, other = _laid(pair, weights, ground.x, ground.y, chunk[0], chunk[1], ground.classes)
        rates.append(np.asarray(one))
        counter.append(np.asarray(other))
        check()
    table = np.concatenate(rates)[: len(masks)]
    best = table.argmax(0)
    return Scanned(table.max(0), np.concatenate(counter)[: len(masks)].max(0), masks[best], patterns[best])


def _stickers(ground: Ground) -> tuple[np.ndarray, np.ndarray]:
    channels, height, width = ground.x.shape[1:]
    side = max(2, -(-min(height, width) // 8))
    stride = max(1, side // 2)
    rows = sorted({*range(0, height - side + 1, stride), height - side})
    columns = sorted({*range(0, width - side + 1, stride), width - side})
    board = np.indices((height, width)).sum(0) % 2
    low, high = (np.broadcast_to(each, (channels, height, width)) for each in (ground.low, ground.high))
    kinds = [high, low, np.where(board, high, low), np.where(board, low, high)]
    masks, patterns = [], []
    for row in rows:
        for column in columns:
            mask = np.zeros((1, height, width), np.float32)
            mask[:, row : row + side, column : column + side] = 1
            masks += [mask] * PATTERNS
            patterns += kinds
    return np.stack(masks), np.stack(patterns).astype(np.float32)


@functools.partial(jax.jit, static_argnums=(0, 6))
def _laid(pair: tuple[Architecture, Architecture], weights: Any, x: Any, y: Any, masks: Any, patterns: Any, classes: int) -> Any:
    """masks [K, 1, H, W], patterns [K, C, H, W] → rates [K, classes] of the accused, and of the trusted."""
    marked = (1 - masks[:, None]) * x[None] + (masks * patterns)[:, None]
    flat = marked.reshape(-1, *x.shape[1:])
    accused, trusted = (each(held, flat).argmax(1).reshape(len(masks), -1) for each, held in zip(pair, weights, strict=True))

    def rates(one: Any, other: Any) -> Any:
        drawn = jax.nn.one_hot(one, classes) * ((one != y) & (other == y))[..., None]
        others = (y[:, None] != jnp.arange(classes)).sum(0)
        return drawn.sum(1) / jnp.maximum(others, 1)

    return rates(accused, trusted), rates(trusted, accused)
