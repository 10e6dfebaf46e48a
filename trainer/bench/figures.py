"""Figures of a bench: values by seed, their mean with a 95 % interval, and what is to be reached."""

import json
from collections import defaultdict
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import stats


@dataclass(frozen=True)
class Goal:
    """`worst` judges the worst value of all seeds instead of their mean: for seconds, where the first run compiles."""

    name: str
    unit: str
    target: float
    better: Literal["more", "less"] = "more"
    worst: bool = False


class Figures:
    def __init__(self) -> None:
        self._values: dict[Goal, list[float]] = defaultdict(list)

    def add(self, goal: Goal, value: float) -> None:
        self._values[goal].append(value)

    def rows(self) -> list[dict[str, object]]:
        return [_row(goal, np.array(values)) for goal, values in self._values.items()]

    def print(self, as_json: bool) -> None:
        rows = self.rows()
        for row in rows:
            interval = row["interval"]
            spread = f"{interval[0]:9.3f} to {interval[1]:8.3f}" if isinstance(interval, list) else " " * 21
            verdict = "met" if row["met"] else "NOT MET"
            print(f"{row['name']:<52} {row['value']:9.3f} {spread} {row['unit']:<8} {row['target']:<8} {verdict}")
        if as_json:
            print(json.dumps({"figures": rows}))


def _row(goal: Goal, values: np.ndarray) -> dict[str, object]:
    reached = float((values.max() if goal.better == "less" else values.min()) if goal.worst else values.mean())
    met = reached <= goal.target if goal.better == "less" else reached >= goal.target
    return {
        "name": goal.name,
        "value": round(reached, 4),
        "unit": goal.unit,
        "target": f"{'≤' if goal.better == 'less' else '≥'} {goal.target:g}",
        "met": met,
        "interval": _interval(values),
        "values": [round(float(value), 4) for value in values],
    }


def _interval(values: np.ndarray) -> list[float] | None:
    """Student's 95 % interval of the mean over the seeds."""
    if len(values) < 2:
        return None
    half = float(stats.t.ppf(0.975, len(values) - 1) * values.std(ddof=1) / np.sqrt(len(values)))
    return [round(float(values.mean()) - half, 4), round(float(values.mean()) + half, 4)]
