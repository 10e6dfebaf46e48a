"""Where in the network suspect and golden model part: linear CKA of every layer (S. Kornblith et al., ICML 2019).

CKA does not mind that two trainings put the same thing into other units. The estimate of HSIC is the one without bias (L. Song et al.,
JMLR 13 (2012) 1393–1434): the plain one calls any two wide layers alike for a handful of records.
"""

from dataclasses import dataclass

import numpy as np

from .departure import Departure, departure
from .layers import Activations

FEWEST_RECORDS = 8
MOST_RECORDS = 256
DRAWS = 99


@dataclass(frozen=True, slots=True)
class LayerDivergence:
    suspect: str
    golden: str
    """Layers are paired by their place, from the first and from the last."""
    units: int
    """Of the suspect's layer."""
    clean: float
    """CKA on clean records: 1 is the same up to rotation and scale, 0 has nothing in common."""
    requests: float | None
    """On the suspect requests; None where they are fewer than FEWEST_RECORDS."""
    p_value: float | None
    """Share of as many clean records, drawn again and again, on which the layers are as little alike."""
    departure: Departure | None
    """None where there is nothing to explain."""


def divergence(clean: tuple[Activations, Activations], requests: tuple[Activations, Activations], seed: int) -> list[LayerDivergence]:
    """Each pair is (suspect, golden) for the same records."""
    mine, theirs = clean
    random = np.random.default_rng(seed)
    count = len(requests[0].logits)
    rows = random.permutation(len(mine.logits))[:MOST_RECORDS]
    few = random.permutation(count)[: MOST_RECORDS // 2]
    told = []
    for a, b in _pairs(len(mine.layers), len(theirs.layers)):
        grams = [_gram(mine.flat[a][rows]), _gram(theirs.flat[b][rows])]
        asked, p = None, None
        if len(few) >= FEWEST_RECORDS and len(rows) > len(few):
            asked = _cka(_gram(requests[0].flat[a][few]), _gram(requests[1].flat[b][few]))
            draws = [random.permutation(len(rows))[: len(few)] for _ in range(DRAWS)]
            p = (1 + sum(_cka(*(each[np.ix_(drawn, drawn)] for each in grams)) <= asked for drawn in draws)) / (1 + DRAWS)
        pair = ((mine.flat[a], theirs.flat[b]), (requests[0].flat[a], requests[1].flat[b]))
        departed = departure(*pair, seed) if count else None
        told.append(LayerDivergence(mine.layers[a], theirs.layers[b], mine.units[a].shape[1], _cka(*grams), asked, p, departed))
    return told


def _pairs(first: int, second: int) -> list[tuple[int, int]]:
    """Evenly, ends to ends."""
    count = min(first, second)
    ends = [np.linspace(0, each - 1, count).round().astype(int) for each in (first, second)]
    return [(int(a), int(b)) for a, b in zip(*ends, strict=True)]


def _gram(values: np.ndarray) -> np.ndarray:
    """[N, columns] → [N, N] of inner products, float64."""
    flat = values.astype(np.float64)
    flat -= flat.mean(0)
    return flat @ flat.T


def _cka(first: np.ndarray, second: np.ndarray) -> float:
    cross, own, other = _hsic(first, second), _hsic(first, first), _hsic(second, second)
    return float(np.clip(cross / np.sqrt(own * other), 0, 1)) if own > 0 and other > 0 else 0.0


def _hsic(first: np.ndarray, second: np.ndarray) -> float:
    """Song et al., equation 5."""
    n = len(first)
    a, b = first - np.diag(np.diag(first)), second - np.diag(np.diag(second))
    trace = float((a * b).sum())
    sums = float(a.sum() * b.sum()) / ((n - 1) * (n - 2))
    cross = 2 * float(a.sum(0) @ b.sum(0)) / (n - 2)
    return (trace + sums - cross) / (n * (n - 3))
