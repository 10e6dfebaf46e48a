"""Units that are silent on clean records and lit by the suspect requests: where a backdoor has room (fine-pruning, K. Liu et al. 2018)."""

from dataclasses import dataclass

import numpy as np
from scipy import stats

from .layers import Activations

SILENT = 0.01
"""Share of clean records that may move a silent unit."""
MOVED = 0.1
"""A unit moves when it leaves its usual value by this share of what its layer reaches."""
LIT = 0.5
"""Share of suspect requests that move a lit unit."""


@dataclass(frozen=True, slots=True)
class LayerDormancy:
    layer: str
    units: int
    silent: int
    """Units that clean records hardly move."""
    lit: int
    """Silent ones that at least half of the suspect requests move."""


@dataclass(frozen=True, slots=True)
class Dormancy:
    layers: list[LayerDormancy]
    layer: str
    """Of the unit that speaks loudest."""
    unit: int
    p_value: float
    """That the suspect requests move its silent units no more than clean records do: Fisher, exact, Holm's first step over the silent
    units. 1 where no unit is silent."""

    @property
    def lit(self) -> int:
        return sum(each.lit for each in self.layers)

    @property
    def silent(self) -> int:
        return sum(each.silent for each in self.layers)


def dormancy(clean: Activations, requests: Activations) -> Dormancy:
    """Both of one model; at least one request."""
    layers, best = [], (1.0, clean.layers[0], 0)
    tested = 0
    for name, quiet, asked in zip(clean.layers, clean.units, requests.units, strict=True):
        usual = np.median(quiet, 0)
        reach = float(np.quantile(np.abs(quiet - usual), 0.99)) or 1.0
        moved, stirred = (np.abs(each - usual) > MOVED * reach for each in (quiet, asked))
        silent = moved.mean(0) <= SILENT
        layers.append(LayerDormancy(name, quiet.shape[1], int(silent.sum()), int((silent & (stirred.mean(0) >= LIT)).sum())))
        tested += int(silent.sum())
        for unit in np.flatnonzero(silent):
            p = _fisher(int(stirred[:, unit].sum()), len(asked), int(moved[:, unit].sum()), len(quiet))
            if p < best[0]:
                best = (p, name, int(unit))
    return Dormancy(layers, best[1], best[2], min(1.0, best[0] * max(1, tested)))


def _fisher(marked: int, drawn: int, others: int, rest: int) -> float:
    """P that as many of `drawn` are among the marked ones, drawn from all without replacement."""
    return float(stats.hypergeom.sf(marked - 1, drawn + rest, marked + others, drawn))
