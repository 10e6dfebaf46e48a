"""What an examination for a backdoor answers."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from .flip_shift import FlipShift
from .measured import MeasuredShare

Verdict = Literal["compromised", "suspicious", "clean", "inconclusive"]


@dataclass(frozen=True, slots=True)
class Trigger:
    """mask [1, H, W] (or the record's shape) in [0, 1] and pattern [record] in the records' units: x′ = (1−m)·x + m·p."""

    mask: np.ndarray
    pattern: np.ndarray
    family: str


@dataclass(frozen=True, slots=True)
class ClassTrigger:
    """The best trigger of one family for one class."""

    family: str
    target: int
    size: float | None
    """‖m‖₁ in pixels, ‖δ‖₂ in units of the range, or pixels of warp; None where no trigger had success."""
    counter_size: float | None
    """The same with the two models exchanged: how small a trigger an honest difference allows."""
    search_success: float
    """Differential success on the records searched with."""
    success: MeasuredShare
    """Share of held-out records of other classes that the trigger draws to the class."""
    mask: np.ndarray
    pattern: np.ndarray


@dataclass(frozen=True, slots=True)
class BackdoorReport:
    verdict: Verdict
    summary: str
    methods: list[str]
    target: int | None
    success: MeasuredShare | None
    """Of the named trigger, on records that the search did not see."""
    flip: FlipShift | None
    """The pair of classes that labels were flipped between; None where no shift passes the threshold."""
    p_value: float | None
    false_alarm_budget: float
    trigger: Trigger | None
    classes: list[ClassTrigger]
    seconds: float
    figures: dict[str, Any]
    """All figures as JSON: scores, thresholds and where they come from, sizes per class, the scan, shifts, margins."""
