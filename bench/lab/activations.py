"""What the look inside a model is worth: incidents with a known attack, explained, and the explanation held against the truth.

    trainer/.venv/bin/python -m bench.lab.activations --cache DIR [--tasks digits,mnist] [--kinds mlp,cnn] [--attacks a,b]
                                                      [--seeds 0,2] [--golden-batches 4] [--seconds N]

Odd seeds were looked at while the methods were chosen and their levels set; the even ones are the report. Models are made once and kept in
the folder; figures are computed each time. `--golden-batches 1` gives a golden model that knows a fifth of the records: a weak judge that
differs from an honest suspect on many requests. The last line is JSON.
"""

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "trainer"))

from lazaret_trainer import device  # noqa: E402  (the trainer is a package beside, not installed)

BUDGET = 0.01
"""Share of clean records that the influence may mark."""
LEVEL = 1e-4
HONEST_OUTSIDE = 0.25
"""Both of forensics/analysers/activations.ts."""


def measured(folder: Path, task: Any, kind: str, attack: str, seed: int, golden_batches: int) -> dict[str, Any]:
    from lazaret_trainer.attribution import Labelled, explain

    from .incidents import incident

    case = incident(folder / "incidents", task, kind, attack, seed, golden_batches)
    started = time.monotonic()
    found = explain(
        case.suspect,
        case.golden,
        Labelled(*task.probes),
        Labelled(*case.records),
        case.requests,
        seed=0,
        progress=lambda _: None,
        check=lambda: None,
    )
    seconds = time.monotonic() - started
    row: dict[str, Any] = {
        "task": task.name,
        "kind": kind,
        "attack": attack,
        "seed": seed,
        "goldenBatches": golden_batches,
        "suspects": len(found.suspects),
        "attackedSuspects": int(case.attacked[found.suspects].sum()),
        "seconds": seconds,
        "layers": [[each.clean, each.requests, each.p_value] for each in found.layers],
        "parted": [each.departure and [each.departure.outside, each.departure.requests] for each in found.layers],
    }
    if found.dormancy is not None and found.patterns is not None:
        row["dormant"] = [[each.lit, each.p_value] for each in found.dormancy]
        row["outside"] = [found.patterns.outside, found.patterns.of]
        row["patterns"] = float(stats.binom.sf(found.patterns.outside - 1, found.patterns.of, HONEST_OUTSIDE))
    if found.saliency is not None and case.trigger is not None:
        row["saliency"], row["area"] = inside(found.saliency.values, case.trigger)
        row["missed"] = found.saliency.missed
    if len(found.influence):
        row |= blamed(found.influence, found.clean_influence, case.batch[found.weighed], case.poisoned[found.weighed])
    return row


def inside(values: np.ndarray, trigger: Any) -> tuple[float | None, float | None]:
    """Share of the saliency in the cells that the trigger overwrites, and their share of the area; None where it overwrites none or all."""
    grey = [np.full((1, *values.shape), level, np.float32) for level in (0.3, 0.6)]
    touched = np.logical_or(*(np.abs(trigger(each) - each)[0] > 1e-6 for each in grey))
    return (None, None) if not 0 < touched.mean() < 0.5 else (float(values[touched].sum()), float(touched.mean()))


def blamed(scores: np.ndarray, clean: np.ndarray, batch: np.ndarray, poisoned: np.ndarray) -> dict[str, Any]:
    """As the station judges it: marks above what the budget's share of clean records reaches, batches by Fisher's test, Holm over them."""
    threshold = np.sort(clean)[::-1][int(BUDGET * (len(clean) + 1)) - 1]
    marked = scores > threshold
    others = (int((clean > threshold).sum()), len(clean))
    batches = np.unique(batch)
    counts = [(int(marked[batch == each].sum()), int((batch == each).sum())) for each in batches]
    against = holm([fisher(each, others) for each in counts])
    among = holm([fisher(each, (int(marked.sum()) - each[0], len(marked) - each[1])) for each in counts])
    named = [int(each) for each, a, b in zip(batches, against, among, strict=True) if max(a, b) < LEVEL]
    row: dict[str, Any] = {"named": named, "marked": int(marked.sum())}
    if poisoned.any():
        from sklearn.metrics import average_precision_score

        row |= {
            "precision": float(average_precision_score(poisoned, scores)),
            "recall": float(marked[poisoned].mean()),
            "wrong": int(marked[~poisoned].sum()),
        }
    return row


def fisher(first: tuple[int, int], second: tuple[int, int]) -> float:
    return float(stats.hypergeom.sf(first[0] - 1, first[1] + second[1], first[0] + second[0], first[1]))


def holm(values: Sequence[float]) -> list[float]:
    order = np.argsort(values)
    raised = np.maximum.accumulate([min(1.0, values[place] * (len(values) - rank)) for rank, place in enumerate(order)])
    told = np.empty(len(values))
    told[order] = raised
    return told.tolist()


def alarming(row: dict[str, Any]) -> bool:
    """Three tests, Holm."""
    if "patterns" not in row:
        return False
    layers = holm([float(stats.binom.sf(outside - 1, of, HONEST_OUTSIDE)) for outside, of in row["parted"]])
    (_, lit), (_, others) = row["dormant"]
    return min(holm([row["patterns"], min(layers), 1.0 if others < LEVEL else lit])) < LEVEL


def _line(row: dict[str, Any]) -> str:
    about = f"{row['task']} {row['kind']} {row['attack']} {row['seed']}"
    words = [f"{about}: {row['suspects']} suspects, {row['attackedSuspects']} attacked"]
    if "patterns" in row:
        (lit, p), (other, q) = row["dormant"]
        words.append(f"lit {lit}:{other} p {p:.1e}:{q:.1e}")
        words.append(f"outside {row['outside'][0]}/{row['outside'][1]} p {row['patterns']:.1e} {'ALARM' if alarming(row) else ''}")
    words.append(" ".join(f"{a:.2f}/{'-' if b is None else f'{b:.2f}'}({'-' if p is None else f'{p:.2f}'})" for a, b, p in row["layers"]))
    words.append("parted " + " ".join("-" if each is None else f"{each[0]}/{each[1]}" for each in row["parted"]))
    if row.get("saliency") is not None:
        words.append(f"saliency {row['saliency']:.2f} in {row['area']:.2f}, missed {row['missed']:.3f}")
    if "named" in row:
        words.append(f"marked {row['marked']} named {row['named']}")
    if "precision" in row:
        words.append(f"AP {row['precision']:.3f} recall {row['recall']:.2f} wrong {row['wrong']}")
    return " | ".join([*words, f"{row['seconds']:.1f} s"])


def table(rows: Sequence[dict[str, Any]]) -> str:
    columns = ["task", "kind", "attack", "n", "told", "alarm", "saliency", "AP mean (least)", "named", "s"]
    widths = [-8, -4, -12, 3, 4, 5, 14, 16, 6, 5]
    lines = [" ".join(f"{name:{'<' if width < 0 else '>'}{abs(width)}}" for name, width in zip(columns, widths, strict=True))]
    for key in dict.fromkeys((row["task"], row["kind"], row["attack"]) for row in rows):
        group = [row for row in rows if (row["task"], row["kind"], row["attack"]) == key]
        told = [row for row in group if "patterns" in row]
        shown = [row["saliency"] for row in told if row.get("saliency") is not None]
        ranked = [row["precision"] for row in told if "precision" in row]
        named = sum(row.get("named") == [4] for row in told)
        also = sum(bool(set(row.get("named", [])) - {4}) for row in told)
        saliency = f"{np.mean(shown):.2f} ({np.min(shown):.2f})" if shown else "-"
        precision = f"{np.mean(ranked):.2f} ({np.min(ranked):.2f})" if ranked else "-"
        cells = f"{len(group):3} {len(told):4} {sum(map(alarming, group)):5} {saliency:>14} {precision:>16} {named:3}+{also:2}"
        lines.append(f"{key[0]:8} {key[1]:4} {key[2]:12} {cells} {np.median([row['seconds'] for row in group]):5.1f}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.lab.activations")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--tasks", default="digits")
    parser.add_argument("--kinds", default="mlp,cnn")
    parser.add_argument("--attacks", default="clean,sticker10,sticker3,sticker1,blend,sinusoid,warp,implant,flip,clean-label")
    parser.add_argument("--seeds", default="0,2")
    parser.add_argument("--golden-batches", type=int, default=4)
    parser.add_argument("--seconds", type=float, default=float("inf"))
    chosen = parser.parse_args()
    device.configure(chosen.cache / "compiled")

    from .datasets import TASKS

    ends = time.monotonic() + chosen.seconds
    rows = []
    for name in chosen.tasks.split(","):
        task = TASKS[name]()
        if task is None:
            print(f"{name}: left out, its data is not here")
            continue
        for kind in chosen.kinds.split(","):
            for attack in chosen.attacks.split(","):
                for seed in map(int, chosen.seeds.split(",")):
                    if time.monotonic() > ends:
                        continue
                    rows.append(measured(chosen.cache, task, kind, attack, seed, chosen.golden_batches))
                    print(_line(rows[-1]), flush=True)
    print(table(rows))
    print(json.dumps({"rows": rows}))


if __name__ == "__main__":
    main()
