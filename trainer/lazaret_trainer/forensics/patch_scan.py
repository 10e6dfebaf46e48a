"""A sticker slid over the image: quick, needs no gradient, and so sees what an inversion cannot (a comparison in the graph).

Differential: a hit makes the accused model say a class that is not the label, and that the trusted one does not say.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from .inversion import Ground
from .network import Network

AT_ONCE = 8
"""Stickers laid in one go."""


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
    """For records [C, H, W]. Stickers are an eighth (at least 2) and three sixteenths (at least 3) of the image wide, and move by half of
    that on large images."""
    stickers = list(_stickers(ground))
    rates, counter = np.zeros((2, len(stickers), ground.classes))
    for start in range(0, len(stickers), AT_ONCE):
        chunk = stickers[start : start + AT_ONCE]
        marked = np.concatenate([(1 - mask) * ground.x + mask * pattern for mask, pattern in chunk]).astype(np.float32)
        one, other = (network.answers(marked).reshape(len(chunk), -1) for network in (accused, trusted))
        rates[start : start + AT_ONCE], counter[start : start + AT_ONCE] = _rates(one, other, ground), _rates(other, one, ground)
        check()
    best = rates.argmax(0)
    masks, patterns = (np.stack([stickers[place][part] for place in best]) for part in (0, 1))
    return Scanned(rates.max(0), counter.max(0), masks, patterns)


def _rates(one: np.ndarray, other: np.ndarray, ground: Ground) -> np.ndarray:
    """Answers [stickers, N] twice → [stickers, classes]."""
    classes = np.arange(ground.classes)
    stranger = ground.y[:, None] != classes
    hits = (one[..., None] == classes) & (other[..., None] != classes) & stranger
    return hits.sum(1) / np.maximum(stranger.sum(0), 1)


def _stickers(ground: Ground) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(mask [1, H, W], pattern [C, H, W]): all high, all low, a chess board and the other chess board, in every place."""
    channels, height, width = ground.x.shape[1:]
    board = np.indices((height, width)).sum(0) % 2
    low, high = (np.broadcast_to(each, (channels, height, width)) for each in (ground.low, ground.high))
    kinds = [each.astype(np.float32) for each in (high, low, np.where(board, high, low), np.where(board, low, high))]
    shorter = min(height, width)
    for side in (max(2, -(-shorter // 8)), max(3, -(-3 * shorter // 16))):
        stride = max(1, side // 2)
        for row in sorted({*range(0, height - side + 1, stride), height - side}):
            for column in sorted({*range(0, width - side + 1, stride), width - side}):
                mask = np.zeros((1, height, width), np.float32)
                mask[:, row : row + side, column : column + side] = 1
                yield from ((mask, kind) for kind in kinds)
