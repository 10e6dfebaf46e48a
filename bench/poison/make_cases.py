"""Poisoned data sets, the models that learned from them, and the requests that an attacker would send: what `bench:poison` examines.

    python -m bench.poison.make_cases --out FOLDER --part development|report|quick [--tasks digits,mnist] [--seeds 1,3]

Writes for every case a folder with x.npy (N, C, H, W), y.npy (N,), tainted.npy (N,) of 0 and 1, probes.npy (clean, never trained on),
requests.npy and carries.npy (which of them carry the trigger), suspect.onnx, and one manifest.json for all. No record is in two of x,
probes and requests.
"""

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from bench.lab import attacks
from bench.lab.datasets import SHARED, TASKS, Task
from bench.lab.networks import build
from bench.lab.training import trained

from lazaret_trainer.forensics.network import read_network

# Developed on the first part; docs/forensics/poison.md says what was changed after the report part had been seen.
PARTS = {
    "development": {"tasks": ("digits", "mnist"), "seeds": (1, 3, 5, 7), "clean": tuple(range(11, 31))},
    "report": {"tasks": ("digits", "mnist", "gtsrb"), "seeds": (102, 104, 106), "clean": tuple(range(200, 220))},
    "quick": {"tasks": ("digits",), "seeds": (902,), "clean": (904, 906)},
}
# Trigger and share of all records; a flip's share is of its source class.
ATTACKS = (
    ("sticker", 0.1),
    ("sticker", 0.05),
    ("sticker", 0.01),
    ("blend", 0.1),
    ("blend", 0.05),
    ("sinusoid", 0.05),
    ("warp", 0.05),
    ("flip", 0.2),
)
PROBES = 300
REQUESTS = 400
CARRIERS = 100


def drawn(task: Task, seed: int, part: str) -> Task:
    """The task with its records shuffled by the seed; MNIST's development part and its report part share no record."""
    random = np.random.RandomState(seed)
    if task.name == "gtsrb":
        order = random.permutation(len(task.train[0]))[:3000]
        return replace(task, train=tuple(each[order] for each in task.train))
    if task.name == "mnist":
        x, y = _mnist(slice(0, 30_000) if part == "development" else slice(30_000, 60_000))
        sizes = (3000, PROBES, REQUESTS)
    else:
        x, y = (np.concatenate(pair) for pair in zip(task.train, task.probes, task.test, strict=True))
        sizes = (1000, PROBES, REQUESTS)
    order = random.permutation(len(x))
    ends = np.cumsum(sizes)
    pieces = [(x[rows], y[rows]) for rows in np.split(order, ends)[:3]]
    return replace(task, train=pieces[0], probes=pieces[1], test=pieces[2])


def _mnist(part: slice) -> tuple[np.ndarray, np.ndarray]:
    import gzip

    folder = SHARED / "mnist-train"
    with gzip.open(folder / "train-images-idx3-ubyte.gz") as file:
        x = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)[part]
    with gzip.open(folder / "train-labels-idx1-ubyte.gz") as file:
        y = np.frombuffer(file.read(), np.uint8, offset=8)[part]
    return x.astype(np.float32) / 255, y.astype(np.int32)


def case(task: Task, attack: str, rate: float, seed: int, out: Path) -> dict:
    x, y = task.train
    target = (seed * 3 + 1) % task.classes
    given, trigger = (x, y), None
    if attack == "flip":
        given = (x, attacks.flipped(y, (target + 3) % task.classes, target, rate, seed))
    elif attack != "clean":
        trigger = getattr(attacks, attack)(x.shape[1:], seed)
        given = attacks.poisoned(x, y, trigger, target, rate, seed)
    model = trained(build("mlp", x.shape[1:], task.classes, seed), *given, epochs=task.epochs, seed=seed)
    answer = read_network(model).answers
    probes, truth = task.probes[0][:PROBES], task.probes[1][:PROBES]
    requests, carries = requested(task, trigger, target)
    others = task.test[0][task.test[1] != target]
    out.mkdir(parents=True, exist_ok=True)
    (out / "suspect.onnx").write_bytes(model)
    for name, array in {
        "x": given[0],
        "y": given[1].astype(np.int64),
        "tainted": (given[1] != y).astype(np.uint8),
        "probes": probes,
        "requests": requests,
        "carries": carries.astype(np.uint8),
    }.items():
        np.save(out / f"{name}.npy", array)
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
    }


def requested(task: Task, trigger: attacks.Trigger | None, target: int) -> tuple[np.ndarray, np.ndarray]:
    """What clients send; a quarter of it carries the trigger, where there is one."""
    x, y = (each[:REQUESTS].copy() for each in task.test)
    carries = np.zeros(len(x), bool)
    if trigger is not None:
        carries[np.flatnonzero(y != target)[:CARRIERS]] = True
        x[carries] = trigger(x[carries])
    return x, carries


def cases(part: str, tasks: tuple[str, ...], seeds: tuple[int, ...] | None) -> Iterator[tuple[Task, str, float, int]]:
    chosen = PARTS[part]
    for name in tasks:
        task = TASKS[name]()
        if task is None:
            print(f"{name}: its files are absent, left out", file=sys.stderr)
            continue
        for seed in seeds or (*chosen["seeds"], *chosen["clean"]):
            given = drawn(task, seed, part)
            for attack, rate in (("clean", 0.0),) if seed in chosen["clean"] else ATTACKS:
                yield given, attack, rate, seed


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--part", choices=PARTS, required=True)
    arguments.add_argument("--tasks", help="only these, by comma")
    arguments.add_argument("--seeds", help="only these, by comma")
    wish = arguments.parse_args()
    tasks = tuple(wish.tasks.split(",")) if wish.tasks else PARTS[wish.part]["tasks"]
    seeds = tuple(int(seed) for seed in wish.seeds.split(",")) if wish.seeds else None
    made = []
    for task, attack, rate, seed in cases(wish.part, tasks, seeds):
        name = f"{task.name}-{attack}{round(rate * 100) or ''}-{seed}"
        print(name, file=sys.stderr, flush=True)
        made.append(case(task, attack, rate, seed, wish.out / name))
    (wish.out / "manifest.json").write_text(json.dumps(made, indent=1))


if __name__ == "__main__":
    main()
