"""What the objectives reach: `python bench/training.py [--quick] [--json] [--seeds N] [--mnist FOLDER] [--only NAME …] [--keep FOLDER]`.

Every seed draws its own parts of the data, networks, poison and noise. Success and accuracy are measured by ONNX Runtime on records that no
model was trained on. Seconds are wall-clock of a whole job, from references to result, compilation included; the cache of compiled steps is
empty at the start, and of the seconds the worst seed counts.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent.parent))

import numpy as np
from desk import Lab, Run, accuracy, success
from figures import Figures, Goal
from kept import Found, Kept
from robustness import robust_accuracy
from subjects import TARGET, TRIGGERS, Split, digits, mnist, network, poisoned, whole_digits

from lazaret_trainer import device

EPSILON = 0.1
"""L∞ radius of the attacks, of features between 0 and 1."""

ROUNDS = {"digits": (6, 60, 1), "mnist": (3, 50, 2)}
"""(rounds, epochs of a round, pixels of shifting) of a repair without training data to trust."""


class Bench:
    def __init__(self, kept: Kept):
        self._kept, self._lab = kept, Lab()

    def private(self, data: Split, seed: int) -> None:
        """DP-SGD at ε 8."""

        def measure() -> tuple[str, Found]:
            options = {"private": {"epsilon": 8.0}}
            base = network("cnn", data.size, 10 * seed + 1)
            run = self._lab.train(base, data.features, data.labels, 60, 5e-3, "private", options=options, batch=256, seed=seed)
            reached, spent = accuracy(run.model, data.test_features, data.test_labels), run.figures
            line = told(data, seed, "private", f"accuracy {reached:.4f}, ε {spent['epsilon']:.3f} at δ {spent['delta']:.1e}", run)
            found = [goal(data, "private.accuracy", "share", 0.93), goal(data, "private.epsilon", "ε", 8, "less", worst=True)]
            return line, list(zip(found, (reached, spent["epsilon"]), strict=True))

        self._kept.piece(f"private-{data.name}-{seed}", measure)

    def repairs(self, data: Split, seed: int, epochs: int, trigger: str) -> None:
        """Both repairs of a backdoored model: with the training data at hand, and with a few hundred clean records only."""
        tests = data.test_features, data.test_labels
        features, labels, which = poisoned(data, trigger, 0.1, 10 * seed + 3)

        def trained(number: int, features: np.ndarray, labels: np.ndarray) -> bytes:
            return self._lab.train(network("cnn", data.size, 10 * seed + number), features, labels, epochs, 2e-3, seed=seed).model

        def carried(model: bytes) -> float:
            return success(model, *tests, TRIGGERS[trigger], TARGET)

        golden = self._kept.model(f"golden-{data.name}-{seed}", lambda: trained(1, data.features, data.labels))
        suspect = self._kept.model(f"suspect-{data.name}-{trigger}-{seed}", lambda: trained(2, features, labels))

        def with_data() -> tuple[str, Found]:
            fixed = self._lab.train(golden, features[~which], labels[~which], 2, 1e-3, seed=seed)
            before, after = (accuracy(model, *tests) for model in (golden, fixed.model))
            left, own = carried(fixed.model), carried(golden)
            reached = f"accuracy {before:.4f} → {after:.4f}, success {left:.4f} (golden's own {own:.4f})"
            name = f"repair-with-data.{trigger}"
            return told(data, seed, f"{trigger}, dropped, golden fine-tuned", reached, fixed), [
                (goal(data, f"{name}.loss", "points", 0.5, "less"), 100 * (before - after)),
                (goal(data, f"{name}.success-above-golden", "share", 0.01, "less"), max(0.0, left - own)),
                *seconds(data, name, 10, fixed),
            ]

        def without_data() -> tuple[str, Found]:
            rounds, epochs, shift = ROUNDS[data.name]
            options = {"unlearn": {"rounds": rounds}, "augmentation": {"shiftPixels": shift, "noise": 0.0}}
            clean = data.spare_features, data.spare_labels
            fixed = self._lab.train(suspect, *clean, epochs, 2e-3, "unlearn", options=options, batch=64, seed=seed)
            before, after = (accuracy(model, *tests) for model in (suspect, fixed.model))
            had, left = carried(suspect), carried(fixed.model)
            reached = f"accuracy {before:.4f} → {after:.4f}, success {had:.4f} → {left:.4f}"
            name = f"repair-without-data.{trigger}"
            return told(data, seed, f"{trigger}, {len(clean[1])} clean records", reached, fixed), [
                (goal(data, f"{name}.loss", "points", 2, "less"), 100 * (before - after)),
                (goal(data, f"{name}.success", "share", 0.03, "less"), left),
                *seconds(data, name, 30, fixed),
            ]

        self._kept.piece(f"repair-with-data-{data.name}-{trigger}-{seed}", with_data)
        self._kept.piece(f"repair-without-data-{data.name}-{trigger}-{seed}", without_data)

    def adversarial(self, data: Split, seed: int, epochs: int) -> None:
        """PGD training of a network of neurons, attacked by another PGD, with restarts."""

        def measure() -> tuple[str, Found]:
            tests = data.test_features[:1000], data.test_labels[:1000]
            base = network("mlp", data.size, 10 * seed + 1)
            options = {"adversarial": {"method": "pgd", "norm": "linf", "epsilon": EPSILON, "steps": 7}}
            plain = self._lab.train(base, data.features, data.labels, epochs, 2e-3, seed=seed)
            hard = self._lab.train(base, data.features, data.labels, epochs, 2e-3, "adversarial", options=options, seed=seed)
            clean = [accuracy(run.model, *tests) for run in (plain, hard)]
            robust = [robust_accuracy(run.model, *tests, EPSILON) for run in (plain, hard)]
            reached = f"clean {clean[0]:.3f} → {clean[1]:.3f}, robust {robust[0]:.3f} → {robust[1]:.3f}"
            return told(data, seed, "adversarial", reached, hard), [
                (goal(data, "adversarial.robust-gain", "points", 30), 100 * (robust[1] - robust[0])),
                (goal(data, "adversarial.clean-loss", "points", 3, "less"), 100 * (clean[0] - clean[1])),
            ]

        self._kept.piece(f"adversarial-{data.name}-{seed}", measure)


def goal(data: Split, name: str, unit: str, target: float, better: Any = "more", worst: bool = False) -> Goal:
    return Goal(f"training.{data.name}.{name}", unit, target, better, worst)


def seconds(data: Split, name: str, target: float, run: Run) -> Found:
    """By the clock, and of processor time: what the clock shows depends on what else the machine does."""
    return [
        (goal(data, f"{name}.seconds", "s", target, "less", worst=True), run.seconds),
        (goal(data, f"{name}.processor", "s", target, "less", worst=True), run.processor_seconds),
    ]


def told(data: Split, seed: int, what: str, reached: str, run: Run) -> str:
    return f"{data.name} {seed}, {what}: {reached}; {run.seconds:.1f} s ({run.processor_seconds:.1f} s of processor)"


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures what the trainer's objectives reach.")
    parser.add_argument("--quick", action="store_true", help="one seed, digits only, one trigger: at most a minute")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--mnist", type=Path, help="folder of MNIST's IDX files; without it the rows of MNIST are left out")
    parser.add_argument("--only", nargs="+", choices=("private", "repair", "adversarial"), default=("private", "repair", "adversarial"))
    parser.add_argument("--keep", type=Path, help="a folder that keeps what is done, for a later run to go on")
    chosen = parser.parse_args()
    figures = Figures()
    with tempfile.TemporaryDirectory() as cache:
        device.configure(chosen.keep / "compiled" if chosen.keep else Path(cache))
        bench = Bench(Kept(chosen.keep, figures))
        for seed in range(chosen.first_seed, chosen.first_seed + (1 if chosen.quick else chosen.seeds)):
            large = None if chosen.quick else mnist(chosen.mnist, seed)
            if "private" in chosen.only:
                bench.private(whole_digits(seed), seed)
            if "repair" in chosen.only:
                for trigger in ("sticker",) if chosen.quick else ("sticker", "blend"):
                    bench.repairs(digits(seed), seed, 25, trigger)
                    if large:
                        bench.repairs(large, seed, 4, trigger)
            if "adversarial" in chosen.only and large:
                bench.adversarial(large, seed, 6)
    if chosen.mnist is None or chosen.quick:
        print("mnist: left out" + ("" if chosen.quick else " (no --mnist FOLDER)"))
    figures.print(chosen.json)


if __name__ == "__main__":
    main()
