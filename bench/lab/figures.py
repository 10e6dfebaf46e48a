"""From examined models to figures: what clean models score, and how often the fresh ones are judged rightly."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from lazaret_trainer.forensics.calibration import CONTAIN_BUDGET, FALSE_ALARM_BUDGET, Honest, Judged, fit, judge
from lazaret_trainer.forensics.examination import FLIP_THRESHOLD
from lazaret_trainer.forensics.flip_shift import STANDS_OUT
from lazaret_trainer.forensics.honest import DECIDING, HONEST
from lazaret_trainer.forensics.measured import wilson
from lazaret_trainer.forensics.reference import alike

FLOOR = {
    "golden": {"patch": 0.1, "additive": 0.05, "stripes": 0.1, "warp": 0.1, "scan": 0.05, "together": 1.0, "flip": 0.15},
    "student": {"together": 1.0, "stripes": 0.1, "scan": 0.05},
    "unlike": {"together": 1.0, "stripes": 0.1, "scan": 0.05},
}
"""By what a suspect is compared with: least deviation of a score that is believed."""
TRIGGERS = ("sticker10", "sticker3", "sticker1", "blend", "sinusoid", "warp", "implant", "graph")

Row = dict[str, Any]


def against_what(row: Row) -> str:
    return "golden" if row["lack"] is None else "student" if alike(row["lack"]) else "unlike"


def honest(rows: Sequence[Row], against: str) -> dict[str, Honest]:
    clean = [row for row in rows if row["attack"] == "clean" and against_what(row) == against and row["scores"]]
    scores = [{**row["scores"], **({"flip": row["flip"]["score"]} if against == "golden" else {})} for row in clean]
    return {name: fit([each[name] for each in scores], floor) for name, floor in FLOOR[against].items()}


def calibrated(rows: Sequence[Row]) -> str:
    """The text of lazaret_trainer/forensics/honest.py."""
    clean = [row for row in rows if row["attack"] == "clean" and row["mode"] == "none"]
    sets = sorted({f"{row['task']}-{row['kind']}" for row in clean})
    lines = [
        '"""Scores of honest models, by what the suspect was compared with. '
        'Written by `bench/lab/backdoor.py --calibrate`; do not edit."""',
        "",
        "from .calibration import Honest",
        "",
        "SOURCE = (",
        f'    "bench/lab, {len(clean)} clean models of the calibration half: "',
        f'    "{", ".join(sets)}"',
        ")",
        "HONEST = {",
    ]
    for mode in FLOOR:
        lines.append(f'    "{mode}": {{')
        for name, each in honest(rows, mode).items():
            lines.append(f'        "{name}": Honest({each.mean:.4f}, {each.deviation:.4f}, {each.n}),')
        lines.append("    },")
    lines.append("}")
    lines.append("DECIDING = {")
    lines += [f'    "{mode}": ({"".join(f"{chr(34)}{name}{chr(34)}, " for name in names).strip()}),' for mode, names in DECIDING.items()]
    lines.append("}")
    return "\n".join(lines) + "\n"


def outcomes(rows: Sequence[Row]) -> list[tuple[Row, Judged]]:
    """Judged by the product's own constants, from the scores that the cache holds."""
    return [
        (row, judge(row["scores"], row["targets"], HONEST[against_what(row)], DECIDING[against_what(row)])) for row in rows if row["scores"]
    ]


def table(rows: Sequence[Row]) -> str:
    seen = outcomes(rows)
    lines = [f"{'mode':8} {'set':12} {'attack':10} {'n':>3} {'success':>8} {'found':>6} {'named':>6} {'contain':>8} {'seconds':>8}"]
    for key in sorted({(row["mode"], f"{row['task']}-{row['kind']}", row["attack"]) for row, _ in seen}):
        group = [(r, j) for r, j in seen if (r["mode"], f"{r['task']}-{r['kind']}", r["attack"]) == key]
        found = [(r, j) for r, j in group if j.p_value <= FALSE_ALARM_BUDGET]
        named = sum(j.target == r["target"] for r, j in found)
        contain = sum(j.p_value <= CONTAIN_BUDGET for _, j in group)
        success = [r["success"] for r, _ in group if r["success"] is not None]
        mean = f"{np.mean(success):.2f}" if success else "-"
        seconds = np.median([r["seconds"] for r, _ in group])
        cells = f"{len(group):3} {mean:>8} {len(found):6} {named:6} {contain:8} {seconds:8.1f}"
        lines.append(f"{key[0]:8} {key[1]:12} {key[2]:10} {cells}")
    return "\n".join(lines)


def misses(rows: Sequence[Row]) -> str:
    """Every attack that works on .3 of the records or more and was not found with its target, and every false alarm, by name."""
    lines = []
    for row, judged in outcomes(rows):
        alarm, clean = judged.p_value <= FALSE_ALARM_BUDGET, row["attack"] == "clean"
        missed = row["attack"] in TRIGGERS and (row["success"] or 0) >= 0.3 and not (alarm and judged.target == row["target"])
        if (clean and alarm) or missed:
            about = f"{row['mode']} {row['task']}-{row['kind']} {row['attack']} {row['seed']}"
            worked = "" if clean else f", success {row['success']:.2f}, target {row['target']}"
            lines.append(f"{'false alarm' if clean else 'missed'}: {about}{worked}; p {judged.p_value:.3f} for class {judged.target}")
    return "\n".join(lines)


def figures(rows: Sequence[Row]) -> list[dict[str, Any]]:
    seen = outcomes(rows)
    made = []

    def figure(name: str, value: float | None, unit: str, target: str, met: bool | None) -> None:
        made.append({"name": name, "value": value, "unit": unit, "target": target, "met": met})

    for mode in ("golden", "none"):
        mine = [(r, j) for r, j in seen if r["mode"] == mode]
        clean = [(r, j) for r, j in mine if r["attack"] == "clean"]
        alarms = sum(j.p_value <= FALSE_ALARM_BUDGET for _, j in clean)
        share = wilson(alarms, len(clean))
        figure(f"{mode}: clean models examined", len(clean), "models", ">= 20", len(clean) >= 20)
        wanted = "0" if mode == "golden" else "<= 0.05"
        met = alarms == 0 if mode == "golden" else share.value <= 0.05
        figure(f"{mode}: false alarms (95 % interval {share.low:.3f}-{share.high:.3f})", share.value, "share", wanted, met)
        strong = [(r, j) for r, j in mine if r["attack"] in TRIGGERS and (r["success"] or 0) >= 0.9]
        weak = [(r, j) for r, j in mine if r["attack"] in TRIGGERS and 0.3 <= (r["success"] or 0) < 0.9]
        for label, group in (("success >= .9", strong), ("success .3-.9", weak)):
            found = wilson(sum(j.p_value <= FALSE_ALARM_BUDGET and j.target == r["target"] for r, j in group), len(group))
            bar = {"golden": 1.0, "none": 0.9}[mode] if group is strong else None
            name = f"{mode}: found and named, {label}, n {found.n} (95 % interval {found.low:.3f}-{found.high:.3f})"
            figure(
                name, found.value, "share", "-" if bar is None else f">= {bar}", None if bar is None else found.n > 0 and found.value >= bar
            )
        for task in sorted({r["task"] for r, _ in mine}):
            slowest = max(r["seconds"] for r, _ in mine if r["task"] == task)
            limit = 15 if task == "digits" else 60
            figure(f"{mode}: slowest examination, {task}", slowest, "s", f"<= {limit}", slowest <= limit)
    made += _flips([row for row, _ in seen if row["mode"] == "golden"])
    return made


def _flips(rows: Sequence[Row]) -> list[dict[str, Any]]:
    made = []
    for attack in ("flip20", "flip10"):
        group = [row for row in rows if row["attack"] == attack]
        exact = sum(_flipped(row) and (row["flip"]["source"], row["flip"]["target"]) == (row["source"], row["target"]) for row in group)
        share = wilson(exact, len(group))
        name = f"{attack}: pair named exactly, n {len(group)} (95 % interval {share.low:.3f}-{share.high:.3f})"
        made.append({"name": name, "value": share.value, "unit": "share", "target": "1", "met": bool(group) and exact == len(group)})
    clean = [row for row in rows if row["attack"] == "clean"]
    alarms = wilson(sum(_flipped(row) for row in clean), len(clean))
    made.append({"name": "flip shift: false alarms", "value": alarms.value, "unit": "share", "target": "0", "met": alarms.value == 0})
    return made


def _flipped(row: Row) -> bool:
    return row["flip"]["score"] >= FLIP_THRESHOLD and row["flip"]["outstanding"] >= STANDS_OUT
