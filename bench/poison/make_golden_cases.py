"""Poisoned data sets beside golden models that never saw them: what `bench:poison` examines with a golden model at hand.

    python -m bench.poison.make_golden_cases --out FOLDER --part development|report|quick [--tasks digits,mnist] [--seeds 1,3]

As `make_cases`, and for every case golden-strong.onnx and golden-weak.onnx (networks trained on many and on few other clean records), the
labels of the clean hold-out (probes-y.npy), and trigger.json: what the search for a backdoor recovered, where it was asked.
No record is in two of x, probes, requests and what a golden model learned from.
"""

import argparse
import json
import sys
from pathlib import Path

import numpy as np
from bench.lab import attacks
from bench.lab.datasets import TASKS, Task
from bench.lab.networks import build
from bench.lab.training import trained
from bench.poison.make_cases import CARRIERS, _mnist

from lazaret_trainer.forensics import examine_backdoor
from lazaret_trainer.forensics.network import read_network

PARTS = {
    "development": {"tasks": ("digits", "mnist", "gtsrb"), "seeds": (1, 3), "clean": (11, 13)},
    "report": {"tasks": ("digits", "mnist", "gtsrb"), "seeds": (302, 304, 306), "clean": tuple(range(400, 410))},
    "quick": {"tasks": ("digits",), "seeds": (908,), "clean": (910,)},
}
ATTACKS = (("sticker", 0.1), ("sticker", 0.05), ("sticker", 0.01), ("blend", 0.1), ("flip", 0.2), ("clean-label", 0.05))
# Of new records, clean hold-out, requests, and what the strong and the weak golden model learned from. Traffic signs: frames of the same
# signs, because a model that has never seen a sign tells nothing about it.
SIZES = {
    "digits": (600, 250, 147, 800, 400),
    "mnist": (3000, 500, 400, 10_000, 1500),
    "gtsrb": (700, 200, 150, 950, 450),
}
SHOWN = 80_000
"""Records that a golden model is shown at least, in all its epochs."""
DIRTY = 0.02
"""Share of others with the trigger and the target's label beside the target's own records: alone, clean labels implant nothing here."""


def pieces(name: str, seed: int, part: str) -> tuple[Task, list[tuple[np.ndarray, np.ndarray]]] | None:
    task = TASKS[name]()
    if task is None:
        return None
    if name == "mnist":
        x, y = _mnist(slice(0, 30_000) if part == "development" else slice(30_000, 60_000))
    elif name == "gtsrb":
        x, y = task.train
    else:
        x, y = (np.concatenate(pair) for pair in zip(task.train, task.probes, task.test, strict=True))
    order = np.random.RandomState(seed).permutation(len(x))
    ends = np.cumsum(SIZES[name][:4])
    return task, [(x[rows], y[rows]) for rows in np.split(order, ends)[:4]]


def clean_label(
    x: np.ndarray, y: np.ndarray, trigger: attacks.Trigger, target: int, rate: float, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    given, labels = attacks.poisoned(x, y, trigger, target, DIRTY, seed)
    own = np.random.RandomState(seed + 1).permutation(np.flatnonzero(y == target))[: round(rate * len(x))]
    given[own] = trigger(given[own])
    tainted = labels != y
    tainted[own] = True
    return given, labels, tainted


def case(
    task: Task, parts: list[tuple[np.ndarray, np.ndarray]], goldens: dict[str, bytes], attack: str, rate: float, seed: int, out: Path
) -> dict:
    (x, y), (probes, truth), (sent, sent_truth), _ = parts
    target = (seed * 3 + 1) % task.classes
    trigger, given, labels = None, x, y
    tainted = np.zeros(len(y), bool)
    if attack == "flip":
        labels = attacks.flipped(y, (target + 3) % task.classes, target, rate, seed)
        tainted = labels != y
    elif attack == "clean-label":
        trigger = attacks.sticker(x.shape[1:], seed)
        given, labels, tainted = clean_label(x, y, trigger, target, rate, seed)
    elif attack != "clean":
        trigger = getattr(attacks, attack)(x.shape[1:], seed)
        given, labels = attacks.poisoned(x, y, trigger, target, rate, seed)
        tainted = labels != y
    model = trained(build("mlp", x.shape[1:], task.classes, seed), given, labels, epochs=task.epochs, seed=seed)
    answer = read_network(model).answers
    carries = np.zeros(len(sent), bool)
    requests = sent.copy()
    if trigger is not None:
        carries[np.flatnonzero(sent_truth != target)[: min(CARRIERS, len(sent) // 4)]] = True
        requests[carries] = trigger(requests[carries])
    out.mkdir(parents=True, exist_ok=True)
    (out / "suspect.onnx").write_bytes(model)
    for name, content in goldens.items():
        (out / f"golden-{name}.onnx").write_bytes(content)
    arrays = {
        "x": given,
        "y": labels.astype(np.int64),
        "tainted": tainted.astype(np.uint8),
        "probes": probes,
        "probes-y": truth.astype(np.int64),
    }
    for name, array in {**arrays, "requests": requests, "carries": carries.astype(np.uint8)}.items():
        np.save(out / f"{name}.npy", array)
    if attack == "clean-label":
        write_trigger(out, model, goldens["strong"], probes, truth, seed)
    others = sent[sent_truth != target]
    accuracies = {name: float((read_network(content).answers(x) == y).mean()) for name, content in goldens.items()}
    return {
        "case": out.name,
        "set": task.name,
        "attack": attack,
        "rate": rate,
        "seed": seed,
        "classes": task.classes,
        "target": None if attack == "clean" else target,
        "accuracy": float((answer(probes) == truth).mean()),
        "success": None if trigger is None else float((answer(trigger(others)) == target).mean()),
        "golden": accuracies,
    }


def write_trigger(out: Path, suspect: bytes, golden: bytes, probes: np.ndarray, truth: np.ndarray, seed: int) -> None:
    report = examine_backdoor(suspect, golden, probes, truth, seed=seed, progress=lambda _: None, check=lambda: None)
    if report.verdict != "compromised" or report.trigger is None or report.target is None:
        return
    image = {
        "schema": "lazaret.trigger/v1",
        "shape": list(probes.shape[1:]),
        "mask": np.asarray(report.trigger.mask, float).ravel().tolist(),
        "pattern": np.asarray(report.trigger.pattern, float).ravel().tolist(),
    }
    (out / "trigger.json").write_text(json.dumps({"target": report.target, "image": image}))


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--part", choices=PARTS, required=True)
    arguments.add_argument("--tasks", help="only these, by comma")
    arguments.add_argument("--seeds", help="only these, by comma")
    wish = arguments.parse_args()
    chosen = PARTS[wish.part]
    tasks = tuple(wish.tasks.split(",")) if wish.tasks else chosen["tasks"]
    seeds = tuple(int(seed) for seed in wish.seeds.split(",")) if wish.seeds else (*chosen["seeds"], *chosen["clean"])
    made = []
    for name in tasks:
        for seed in seeds:
            found = pieces(name, seed, wish.part)
            if found is None:
                print(f"{name}: its files are absent, left out", file=sys.stderr)
                break
            task, parts = found
            x, y = parts[3]
            few = SIZES[name][4]
            goldens = {
                which: trained(
                    build("cnn", x.shape[1:], task.classes, seed + 1000),
                    x[:most],
                    y[:most],
                    epochs=max(task.epochs, SHOWN // most),
                    seed=seed + 1000,
                )
                for which, most in (("strong", len(x)), ("weak", few))
            }
            for attack, rate in (("clean", 0.0),) if seed in chosen["clean"] else ATTACKS:
                folder = f"{name}-golden-{attack}{round(rate * 100) or ''}-{seed}"
                made.append(case(task, parts, goldens, attack, rate, seed, wish.out / folder))
                print(folder, made[-1]["golden"], made[-1]["success"], file=sys.stderr, flush=True)
                (wish.out / "manifest.json").write_text(json.dumps(made, indent=1))


if __name__ == "__main__":
    main()
