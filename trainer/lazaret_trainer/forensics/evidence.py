"""All measurements of a suspect against a trusted model. Each is made both ways: accused and trusted, then exchanged.

Between two honestly trained models the two directions are alike, whichever data set and architecture they have; a backdoor is in one
direction only. So the ratio of the two is a statistic without a unit, and the suspect's own counterpart is its yardstick.
"""

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ..side_by_side import side_by_side
from .families import Additive, Family, Patch, Stripes, Warp
from .inversion import Ground, Inverted, invert
from .max_margin import gamma_p_value, margins
from .network import Network
from .patch_scan import Scanned, scan


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is searched: enough that the sizes are settled, within the time of an examination."""

    records: int
    steps: int
    margin_steps: int


SMALL = Effort(records=48, steps=150, margin_steps=100)
LARGE = Effort(records=32, steps=100, margin_steps=60)
SPREAD = {"patch": 0.3, "additive": 0.2, "scan": 0.15, "margin": 0.15}
"""By how much a class of a clean model is typically ahead or behind, from models of the lab's calibration half. The leads
of a warp, on clean models either nothing or large, and of stripes, on clean models wide and with stripes far above, are not summed."""
LARGE_FEATURES = 200
"""Features of a record from which it counts as large."""


@dataclass(frozen=True, slots=True)
class Evidence:
    families: dict[str, tuple[Family, Inverted, Inverted]]
    """By name: the family, suspect accused, golden accused."""
    scanned: Scanned | None
    margins: np.ndarray
    counter_margins: np.ndarray
    scores: dict[str, float]
    targets: dict[str, int]
    """Per score: the class that it accuses."""
    gamma_p_value: float
    leads: dict[str, np.ndarray]
    """Per measurement: how far each class is ahead of the median class, float [classes]."""


def effort_for(features: int) -> Effort:
    return LARGE if features >= LARGE_FEATURES else SMALL


def gather(
    suspect: Network,
    searched: Network,
    trusted: Network,
    ground: Ground,
    *,
    seed: int,
    progress: Callable[[str], None],
    check: Callable[[], None],
) -> Evidence:
    """`searched` is the suspect where gradients are needed: the suspect itself, or its relaxation where its graph jumps."""
    effort = effort_for(int(np.prod(ground.x.shape[1:])))
    image = ground.x.ndim == 4
    kinds: list[Family] = [Patch(), Additive(), *([Stripes(), Warp()] if image else [])]

    def inverted(family: Family, check: Callable[[], None]) -> tuple[Inverted, Inverted]:
        """Both ways, one after the other: where the graphs are one, the second needs no compiling."""
        return (
            invert(searched, trusted, family, ground, steps=effort.steps, seed=seed, check=check),
            invert(trusted, searched, family, ground, steps=effort.steps, seed=seed, check=check),
        )

    def margins_of(network: Network, check: Callable[[], None]) -> np.ndarray:
        return margins(network, ground, steps=effort.margin_steps, seed=seed, check=check)

    # The longest first.
    found = side_by_side(
        {
            **{f"triggers: {family.name}": functools.partial(inverted, family) for family in reversed(kinds)},
            **({"a sliding sticker": functools.partial(scan, suspect, trusted, ground)} if image else {}),
            "the suspect's largest margins": functools.partial(margins_of, searched),
            "the trusted model's largest margins": functools.partial(margins_of, trusted),
        },
        progress=progress,
        check=check,
    )
    families, scores, targets, leads = {}, {}, {}, {}
    for family in kinds:
        accused, counter = found[f"triggers: {family.name}"]
        families[family.name] = (family, accused, counter)
        most = family.most(ground.x.shape[1:])
        scores[family.name], targets[family.name] = ratio(accused.sizes, counter.sizes, most)
        leads[family.name] = ahead(ease(accused.sizes, counter.sizes, most))
    scanned: Scanned | None = found.get("a sliding sticker")
    if scanned is not None:
        scores["scan"], targets["scan"] = float(scanned.rates.max() - scanned.counter.max()), int(scanned.rates.argmax())
        leads["scan"] = ahead(scanned.rates - scanned.counter)
    mine, theirs = found["the suspect's largest margins"], found["the trusted model's largest margins"]
    leads["margin"] = ahead(np.log(np.maximum(mine, 1e-3)) - np.log(np.maximum(theirs, 1e-3)))
    for name, each in leads.items():
        scores[f"{name}-lead"], targets[f"{name}-lead"] = float(each.max()), int(each.argmax())
    both = together(leads)
    scores["together"], targets["together"] = float(both.max()), int(both.argmax())
    return Evidence(families, scanned, mine, theirs, scores, targets, gamma_p_value(mine), leads)


def ratio(sizes: np.ndarray, counter: np.ndarray, most: float) -> tuple[float, int]:
    """log(smallest counter size / smallest size), and the class of the smallest size. Above 0: the suspect is easier to turn.

    A search without success stands for `most`.
    """
    return float(np.log(min(counter.min(), most)) - np.log(min(sizes.min(), most))), int(sizes.argmin())


def ease(sizes: np.ndarray, counter: np.ndarray, most: float) -> np.ndarray:
    """log(counter size / size) per class: how much more easily the suspect is turned to the class than its counterpart."""
    return np.log(np.minimum(counter, most)) - np.log(np.minimum(sizes, most))


def ahead(each: np.ndarray) -> np.ndarray:
    """What a class has more than the median class. A stand-in is turned more easily than the suspect in all classes alike: the median
    takes that away."""
    return each - np.median(each)


def together(leads: Mapping[str, np.ndarray]) -> np.ndarray:
    """float [classes]: the leads of a class in units of their spread, summed. A backdoor makes its class lead by every measure a little
    or by one of them far; a class that leads by chance does so by one measure and not by the others."""
    return np.sum([leads[name] / spread for name, spread in SPREAD.items() if name in leads], axis=0)
