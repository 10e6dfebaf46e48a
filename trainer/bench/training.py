"""What the objectives reach: `python bench/training.py [--quick] [--json] [--seeds N] [--mnist FOLDER] [--only NAME …]`.

Every seed draws its own parts of the data, networks, poison and noise. Success and accuracy are measured by ONNX Runtime on records that no
model was trained on. Seconds are wall-clock of a whole job, from references to result, compilation included; the cache of compiled steps is
empty at the start, and of the seconds the worst seed counts.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent.parent))

from desk import Lab, Run, accuracy, success
from figures import Figures, Goal
from robustness import robust_accuracy
from subjects import TARGET, TRIGGERS, Split, digits, mnist, network, poisoned, whole_digits

from lazaret_trainer import device

EPSILON = 0.1
"""L∞ radius of the attacks, of features between 0 and 1."""

ROUNDS = {"digits": (40, 1), "mnist": (25, 2)}
"""(epochs of a round, pixels of shifting) of a repair without training data to trust."""


class Bench:
    def __init__(self, figures: Figures):
        self._figures, self._lab = figures, Lab()

    def private(self, data: Split, seed: int) -> None:
        """DP-SGD at ε 8."""
        options = {"private": {"epsilon": 8.0}}
        base = network("cnn", data.size, 10 * seed + 1)
        run = self._lab.train(base, data.features, data.labels, 60, 5e-3, "private", options=options, batch=256, seed=seed)
        reached, spent = accuracy(run.model, data.test_features, data.test_labels), run.figures
        told(data, seed, "private", f"accuracy {reached:.4f}, ε {spent['epsilon']:.3f} at δ {spent['delta']:.1e}", run)
        self._add(data, "private.accuracy", "share", 0.93, reached)
        self._add(data, "private.epsilon", "ε", 8, spent["epsilon"], "less", worst=True)

    def repairs(self, data: Split, seed: int, epochs: int, triggers: tuple[str, ...]) -> None:
        """Both repairs of a backdoored model: with the training data at hand, and with a few hundred clean records only."""
        tests = data.test_features, data.test_labels
        golden = self._lab.train(network("cnn", data.size, 10 * seed + 1), data.features, data.labels, epochs, 2e-3, seed=seed).model
        trusted = accuracy(golden, *tests)
        for name in triggers:
            trigger = TRIGGERS[name]
            features, labels, which = poisoned(data, name, 0.1, 10 * seed + 3)
            suspect = self._lab.train(network("cnn", data.size, 10 * seed + 2), features, labels, epochs, 2e-3, seed=seed)
            before = accuracy(suspect.model, *tests)

            def carried(model: bytes, trigger: Callable[[Any], Any] = trigger) -> float:
                return success(model, *tests, trigger, TARGET)

            told(data, seed, f"{name}: golden {trusted:.4f}, suspect {before:.4f}", f"success {carried(suspect.model):.3f}", suspect)
            fixed = self._lab.train(golden, features[~which], labels[~which], 2, 1e-3, seed=seed)
            after, left, own = accuracy(fixed.model, *tests), carried(fixed.model), carried(golden)
            told(
                data,
                seed,
                f"{name}: dropped, golden fine-tuned",
                f"accuracy {after:.4f}, success {left:.3f} (golden's own {own:.3f})",
                fixed,
            )
            self._add(data, f"repair-with-data.{name}.loss", "points", 0.5, 100 * (trusted - after), "less")
            self._add(data, f"repair-with-data.{name}.success-above-golden", "share", 0.01, max(0.0, left - own), "less")
            self._add(data, f"repair-with-data.{name}.seconds", "s", 10, fixed.seconds, "less", worst=True)

            rounds, shift = ROUNDS[data.name]
            options = {"unlearn": {"rounds": 3}, "augmentation": {"shiftPixels": shift, "noise": 0.0}}
            clean = data.spare_features, data.spare_labels
            fixed = self._lab.train(suspect.model, *clean, rounds, 2e-3, "unlearn", options=options, batch=64, seed=seed)
            after, left = accuracy(fixed.model, *tests), carried(fixed.model)
            told(data, seed, f"{name}: {len(clean[1])} clean records", f"accuracy {after:.4f}, success {left:.3f}", fixed)
            self._add(data, f"repair-without-data.{name}.loss", "points", 2, 100 * (before - after), "less")
            self._add(data, f"repair-without-data.{name}.success", "share", 0.03, left, "less")
            self._add(data, f"repair-without-data.{name}.seconds", "s", 30, fixed.seconds, "less", worst=True)

    def adversarial(self, data: Split, seed: int, epochs: int) -> None:
        """PGD training of a network of neurons, attacked by another PGD, with restarts."""
        tests = data.test_features[:1000], data.test_labels[:1000]
        base = network("mlp", data.size, 10 * seed + 1)
        options = {"adversarial": {"method": "pgd", "norm": "linf", "epsilon": EPSILON, "steps": 7}}
        plain = self._lab.train(base, data.features, data.labels, epochs, 2e-3, seed=seed)
        hard = self._lab.train(base, data.features, data.labels, epochs, 2e-3, "adversarial", options=options, seed=seed)
        clean = [accuracy(run.model, *tests) for run in (plain, hard)]
        robust = [robust_accuracy(run.model, *tests, EPSILON) for run in (plain, hard)]
        told(data, seed, "adversarial", f"clean {clean[0]:.3f} → {clean[1]:.3f}, robust {robust[0]:.3f} → {robust[1]:.3f}", hard)
        self._add(data, "adversarial.robust-gain", "points", 30, 100 * (robust[1] - robust[0]))
        self._add(data, "adversarial.clean-loss", "points", 3, 100 * (clean[0] - clean[1]), "less")

    def _add(self, data: Split, name: str, unit: str, target: float, value: float, better: Any = "more", worst: bool = False) -> None:
        self._figures.add(Goal(f"training.{data.name}.{name}", unit, target, better, worst), value)


def told(data: Split, seed: int, what: str, reached: str, run: Run) -> None:
    print(f"{data.name} {seed}, {what}: {reached}; {run.seconds:.1f} s ({run.processor_seconds:.1f} s of processor)", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measures what the trainer's objectives reach.")
    parser.add_argument("--quick", action="store_true", help="one seed, digits only, one trigger: at most a minute")
    parser.add_argument("--json", action="store_true", help="the last line is one JSON object")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--mnist", type=Path, help="folder of MNIST's IDX files; without it the rows of MNIST are left out")
    parser.add_argument("--only", nargs="+", choices=("private", "repair", "adversarial"), default=("private", "repair", "adversarial"))
    chosen = parser.parse_args()
    figures = Figures()
    with tempfile.TemporaryDirectory() as cache:
        device.configure(Path(cache))
        bench = Bench(figures)
        for seed in range(chosen.first_seed, chosen.first_seed + (1 if chosen.quick else chosen.seeds)):
            large = None if chosen.quick else mnist(chosen.mnist, seed)
            if "private" in chosen.only:
                bench.private(whole_digits(seed), seed)
            if "repair" in chosen.only:
                bench.repairs(digits(seed), seed, 25, ("sticker",) if chosen.quick else ("sticker", "blend"))
                if large:
                    bench.repairs(large, seed, 4, ("sticker", "blend"))
            if "adversarial" in chosen.only and large:
                bench.adversarial(large, seed, 6)
    if chosen.mnist is None or chosen.quick:
        print("mnist: left out" + ("" if chosen.quick else " (no --mnist FOLDER)"))
    figures.print(chosen.json)


if __name__ == "__main__":
    main()
