"""Samples per second of training steps beside PyTorch's eager mode: `python bench/throughput.py --torch PYTHON [--json]`.

PYTHON is an interpreter that has torch; without one its half is left out. The two take turns, so that other work on the machine
disturbs both alike, and the best turn of each counts. Here a step is `Course.advance`, with everything that a job does in it; one thread
computes, because results are to be the same on every machine. PyTorch takes its turns with its own number of threads (all cores) and with
one: on a machine with other work, threads that wait for each other lose more than they gain. There the samples per second of processor time
tell more than those of the clock; both are printed.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
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


def stepping(name: str) -> Callable[[float], tuple[float, float]]:
    """Trains for some seconds and tells samples per second, of the clock and of the processor. The first call compiles."""
    kind, size, channels = NETWORKS[name]
    random = np.random.RandomState(0)
    features = random.rand(RECORDS, channels, size, size).astype(np.float32)
    training = Lab().course(network(kind, size, 0, channels), features, random.randint(0, 10, RECORDS))
    state = training.start()

    def train(seconds: float) -> tuple[float, float]:
        nonlocal state
        steps, began, busy = 0, time.perf_counter(), time.process_time()
        while time.perf_counter() - began < seconds:
            state = training.advance(state)
            steps += 1
        samples = steps * training.batch_size
        return samples / (time.perf_counter() - began), samples / (time.process_time() - busy)

    return train


def eager(python: Path, name: str, seconds: float, threads: int) -> dict[str, float]:
    environment = {key: value for key, value in os.environ.items() if key not in ("OMP_NUM_THREADS", "NPROC", "XLA_FLAGS")}
    command = [str(python), str(Path(__file__).with_name("eager.py")), name, str(seconds), str(threads)]
    return json.loads(subprocess.run(command, capture_output=True, text=True, check=True, env=environment).stdout)  # noqa: S603


def main() -> None:
    parser = argparse.ArgumentParser(description="Training steps beside PyTorch's.")
    parser.add_argument("--torch", type=Path, help="an interpreter that has torch")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--turns", type=int, default=4)
    parser.add_argument("--only", nargs="+", choices=NETWORKS, default=list(NETWORKS))
    chosen = parser.parse_args()
    device.configure(None)
    figures = Figures()
    for name in chosen.only:
        train = stepping(name)
        train(0.1)
        mine, theirs = [], []
        for _ in range(chosen.turns):
            mine.append(train(chosen.seconds))
            if chosen.torch:
                theirs += [eager(chosen.torch, name, chosen.seconds, threads) for threads in (0, 1)]
        rate, lean = (max(each) for each in zip(*mine, strict=True))
        line = f"{name}: {rate:.0f} samples/s, {lean:.0f} of processor time"
        if theirs:
            line += f"; PyTorch {theirs[0]['version']}"
            for threads in (1, max(each["threads"] for each in theirs)):
                turns = [each for each in theirs if each["threads"] == threads]
                rates = [max(each[kind] for each in turns) for kind in ("rate", "lean")]
                line += f", {threads} threads: {rates[0]:.0f}, {rates[1]:.0f}"
            figures.add(Goal(f"training.throughput.{name}", "× PyTorch", 1.5), rate / max(each["rate"] for each in theirs))
        print(line, flush=True)
    if chosen.torch is None:
        print("PyTorch: left out (no --torch PYTHON)")
    figures.print(chosen.json)


if __name__ == "__main__":
    main()
