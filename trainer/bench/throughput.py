"""Samples per second of training steps beside PyTorch's eager mode: `python bench/throughput.py --torch PYTHON [--json]`.

PYTHON is an interpreter that has torch; without one its half is left out. Both train the same network, batch and optimiser. They take
turns, so that other work on the machine disturbs both alike; every turn gives one ratio, and the table shows their mean with its interval.
A step is `Course.advance` here, with everything that a job does in it. Two comparisons are made: a core each, the same one, and all cores
each. Here a batch is cut into shares, or stays whole, whatever the machine, and shares take cores (docs/training.md); PyTorch takes as
many threads as cores.

Where other work runs beside, threads wait for a core: then the samples per second of processor time tell more than those of the clock, and
`--processor` compares these. Over all cores they would count the waiting of PyTorch's threads for each other, so there the clock counts.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from desk import Lab
from figures import Figures, Goal
from subjects import network

from lazaret_trainer import device

NETWORKS = {"mlp": ("mlp", 28, 1), "cnn28": ("cnn", 28, 1), "cnn32": ("cnn", 32, 3)}
"""By name: kind, side in pixels, channels."""

RECORDS = 4096

Rates = dict[str, float]
"""Samples per second by the `clock` and of the `processor`."""


def stepping(name: str) -> Callable[[float], Rates]:
    """Trains for some seconds. The first call compiles."""
    kind, size, channels = NETWORKS[name]
    random = np.random.RandomState(0)
    features = random.rand(RECORDS, channels, size, size).astype(np.float32)
    training = Lab().course(network(kind, size, 0, channels), features, random.randint(0, 10, RECORDS))
    state = training.start()

    def train(seconds: float) -> Rates:
        nonlocal state
        steps, began, busy = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - began < seconds:
            state = training.advance(state)
            steps += 1
        samples = steps * training.batch_size
        return {"clock": samples / (time.perf_counter() - began), "processor": samples / (time.process_time() - busy)}

    return train


class Eager:
    """PyTorch in a process of its own, on these cores. It waits between its turns."""

    def __init__(self, python: Path, name: str, cores: Sequence[int]):
        environment = {key: value for key, value in os.environ.items() if key not in ("OMP_NUM_THREADS", "NPROC", "XLA_FLAGS")}
        command = [str(python), str(Path(__file__).with_name("eager.py")), name, str(len(cores))]
        before = os.sched_getaffinity(0)
        os.sched_setaffinity(0, cores)
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)  # noqa: S603
        os.sched_setaffinity(0, before)
        self.version = ""

    def __call__(self, seconds: float) -> Rates:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{seconds}\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        self.version = answer["version"]
        return {"clock": answer["clock"], "processor": answer["processor"]}

    def end(self) -> None:
        self._process.communicate()


def on(cores: Sequence[int], train: Callable[[float], Rates], seconds: float) -> Rates:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    rates = train(seconds)
    os.sched_setaffinity(0, before)
    return rates


def compare(figures: Figures, name: str, chosen: argparse.Namespace) -> None:
    train, cores = stepping(name), sorted(os.sched_getaffinity(0))
    train(0.1)
    settings = {"one core": cores[:1], "all cores": cores} if len(cores) > 1 else {"one core": cores}
    for words, mine in settings.items():
        eager = Eager(chosen.torch, name, mine) if chosen.torch else None
        if eager is not None:
            # It takes seconds of a core to begin: they are not to fall into the first turn.
            eager(0.1)
        kind = "processor" if chosen.processor and len(mine) == 1 else "clock"
        for turn in range(chosen.turns):
            rates = on(mine, train, chosen.seconds)
            if eager is None:
                print(f"{name}, {words}: {rates['clock']:.0f} samples/s, {rates['processor']:.0f} of processor time", flush=True)
                continue
            theirs = eager(chosen.seconds)
            told = f"{rates['clock']:.0f} ({rates['processor']:.0f} of processor time), PyTorch {eager.version} {theirs['clock']:.0f}"
            print(f"{name}, {words}, turn {turn}: {told} ({theirs['processor']:.0f}) samples/s", flush=True)
            figures.add(Goal(f"training.throughput.{name}, {words}", "× PyTorch", 1.5), rates[kind] / theirs[kind])
        if eager is not None:
            eager.end()


def main() -> None:
    parser = argparse.ArgumentParser(description="Training steps beside PyTorch's.")
    parser.add_argument("--torch", type=Path, help="an interpreter that has torch")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    parser.add_argument("--seconds", type=float, default=1.5, help="of a turn")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--processor", action="store_true", help="on one core compare samples per second of processor time")
    parser.add_argument("--only", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    chosen = parser.parse_args()
    device.configure(None)
    figures = Figures()
    for name in chosen.only:
        compare(figures, name, chosen)
    if chosen.torch is None:
        print("PyTorch: left out (no --torch PYTHON)")
    figures.print(chosen.json)


if __name__ == "__main__":
    main()
