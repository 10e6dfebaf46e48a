"""Finds backdoors in a zoo of clean and attacked models, and says how often it is right.

    trainer/.venv/bin/python -m bench.lab.backdoor --cache DIR [--quick] [--tasks digits,mnist,signs] [--kinds cnn,mlp]
                                                   [--seconds N] [--half calibration] [--calibrate FILE]

Every model is examined twice by `examine_backdoor`, with its golden model and without. The figures are of models with fresh seeds.
`--half calibration` makes the clean models that calibrate, and `--calibrate` writes the product's constants from them. What the cache holds
is not computed again; with `--seconds` the program stops making models after that time and tells figures of what it has. The last line is
JSON.
"""

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "trainer"))

from lazaret_trainer import device  # noqa: E402  (the trainer is a package beside, not installed)

MODES = ("golden", "none")
"""Whether the golden model is at hand."""
ORDER = [(task, kind) for task in ("digits", "mnist", "signs") for kind in ("mlp", "cnn")]
UNLIKE = "gtsrb"
"""The data set of models that nobody would serve. Its clean ones, without golden, say what honest models score beside a stand-in that is
unlike them; none is reported."""


CALIBRATED = (1, 3, 5, 7, 9)
"""Seeds of the clean models that the thresholds come from, for every data set and architecture."""
REPORTED = 6
"""Clean models of a data set and architecture that are reported."""
EARLIER = 20
"""From here on: models of a first report. They have been looked at; their clean ones calibrate as well."""
FRESH = {"digits": 220, "mnist": 220, "signs": 420}
"""Seeds below were looked at while the method was made, and those of traffic signs up to 329 in their earlier form (`gtsrb`). None is reported."""


def jobs(quick: bool, tasks: list[str], kinds: list[str], half: str) -> list[tuple[str, str, str, int]]:
    """(task, kind, attack, seed), the most telling first. Calibration needs clean models alone.

    Every data set and architecture has report seeds of its own, so that no two of its models share a trigger or a target's place.
    """
    from .zoo import ATTACKS

    cells = [(task, kind) for task in tasks for kind in kinds]
    if half == "calibration":
        seen = {cell: (*CALIBRATED, *(_first(EARLIER, cell) + number for number in range(REPORTED))) for cell in cells}
        return [(*cell, "clean", seed) for cell in cells for seed in seen[cell]]
    cells = [cell for cell in cells if cell[0] != UNLIKE]
    first = {cell: _first(FRESH[cell[0]], cell) for cell in cells}
    clean = [(*cell, "clean", first[cell] + number) for number in range(1 if quick else REPORTED) for cell in cells]
    attacked = [(*cell, attack, first[cell] + number) for number, attack in enumerate(ATTACKS) for cell in cells]
    return [each for pair in zip(clean, attacked, strict=False) for each in pair] + clean[len(attacked) :] + attacked[len(clean) :]


def _first(base: int, cell: tuple[str, str]) -> int:
    return base + 20 * ORDER.index(("signs", cell[1]) if cell[0] == UNLIKE else cell)


def modes(task: str, attack: str) -> tuple[str, ...]:
    """Flips are not looked for without golden."""
    return MODES[1:] if task == UNLIKE else MODES[:1] if attack.startswith("flip") else MODES


def examined(cache: Path, task: Any, kind: str, attack: str, seed: int) -> list[dict[str, Any]]:
    from lazaret_trainer.forensics import examine_backdoor

    from .zoo import Zoo

    folder = cache / "examined"
    folder.mkdir(parents=True, exist_ok=True)
    zoo = Zoo(cache, task, kind)
    rows = []
    for mode in modes(task.name, attack):
        file = folder / f"{task.name}-{kind}-{attack}-{seed}-{mode}.json"
        if not file.exists():
            content, entry = zoo.model(attack, seed)
            golden = zoo.golden(seed) if mode == "golden" else None
            report = examine_backdoor(content, golden, *task.probes, seed=seed, progress=lambda _: None, check=lambda: None)
            figures = report.figures
            row = {
                "task": task.name,
                "kind": kind,
                "attack": attack,
                "seed": seed,
                "mode": mode,
                "lack": figures.get("standInLack"),
                "verdict": report.verdict,
                "pValue": report.p_value,
                "target": entry.target,
                "source": entry.source,
                "accuracy": entry.accuracy,
                "success": entry.success,
                "seconds": report.seconds,
                "scores": figures.get("scores", {}),
                "targets": figures.get("targets", {}),
                "leads": figures.get("leads", {}),
                "gamma": figures.get("margins", {}).get("gammaPValue"),
                "flip": figures.get("flip"),
                "gates": figures.get("gates", []),
                "classes": figures.get("classes", []),
            }
            file.write_text(json.dumps(row))
            print(_line(row), flush=True)
        rows.append(json.loads(file.read_text()))
    return rows


def _line(row: dict[str, Any]) -> str:
    success = "" if row["success"] is None else f" success {row['success']:.2f}"
    scores = " ".join(f"{name} {value:.2f}>{row['targets'][name]}" for name, value in row["scores"].items())
    about = f"{row['task']} {row['kind']} {row['attack']} {row['seed']} {row['mode']}"
    return f"{about}: accuracy {row['accuracy']:.3f}{success} target {row['target']} | {scores} | {row['seconds']:.1f} s"


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.lab.backdoor")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--tasks", default="digits,mnist,signs,gtsrb")
    parser.add_argument("--kinds", default="mlp,cnn")
    parser.add_argument("--seconds", type=float, default=float("inf"))
    parser.add_argument("--half", choices=("calibration", "report"), default="report")
    parser.add_argument("--calibrate", type=Path)
    chosen = parser.parse_args()
    device.configure(chosen.cache / "compiled")

    from .datasets import TASKS
    from .figures import calibrated, figures, misses, table

    ends = time.monotonic() + (40 if chosen.quick else chosen.seconds)
    names, kinds = (["digits"], ["mlp"]) if chosen.quick else (chosen.tasks.split(","), chosen.kinds.split(","))
    rows: list[dict[str, Any]] = []
    skipped = 0
    loaded: dict[str, Any] = {}
    for name, kind, attack, seed in jobs(chosen.quick, names, kinds, "calibration" if chosen.calibrate else chosen.half):
        if name not in loaded:
            loaded[name] = TASKS[name]()
            if loaded[name] is None:
                print(f"{name}: left out, its data is not here")
        if loaded[name] is None:
            continue
        done = all((chosen.cache / "examined" / f"{name}-{kind}-{attack}-{seed}-{mode}.json").exists() for mode in modes(name, attack))
        if not done and time.monotonic() > ends:
            skipped += 1
            continue
        rows += examined(chosen.cache, loaded[name], kind, attack, seed)
    if skipped:
        print(f"{skipped} models left out: the time was over")
    if chosen.calibrate is not None:
        chosen.calibrate.write_text(calibrated(rows))
    if chosen.calibrate is not None or chosen.half == "calibration":
        return
    print(table(rows))
    print(misses(rows))
    print(json.dumps({"figures": figures(rows)}))


if __name__ == "__main__":
    main()
