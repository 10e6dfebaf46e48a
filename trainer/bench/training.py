"""What the objectives reach: `python bench/training.py [--quick] [--mnist FOLDER]`. One line for each figure, with what it is to reach.

Seconds are wall-clock of a whole job, compilation included. Success is measured by ONNX Runtime on records that no model was trained on.
"""

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent.parent))

from desk import Lab, accuracy, success
from subjects import TARGET, TRIGGERS, Split, digits, mnist, network, poisoned

from lazaret_trainer import device
from lazaret_trainer.graph import GraphModel
from lazaret_trainer.objectives.attacks import Attack, Box
from lazaret_trainer.objectives.judging import Answers, cross_entropy

CLEAN_RECORDS = 300
EPSILON = 0.1


def line(what: str, reached: str, to_reach: str) -> None:
    print(f"{what:<58} {reached:<62} {to_reach}", flush=True)


def repairs(lab: Lab, data: Split, epochs: int, triggers: tuple[str, ...]) -> None:
    """Both repairs of a backdoored model: with the training data at hand, and with a few hundred clean records only."""
    tests = data.test_features, data.test_labels
    golden, _, _ = lab.train(network("cnn", data.size, 1), data.features, data.labels, epochs, 2e-3)
    line(f"{data.name}: golden", f"accuracy {accuracy(golden, *tests):.4f}", "")
    for name in triggers:
        trigger = TRIGGERS[name]
        features, labels, which = poisoned(data, name, 0.1, 3)
        suspect, _, _ = lab.train(network("cnn", data.size, 2), features, labels, epochs, 2e-3)

        def told(model: bytes, trigger: Callable[[Any], Any] = trigger) -> str:
            return f"accuracy {accuracy(model, *tests):.4f}, success {success(model, *tests, trigger, TARGET):.3f}"

        line(f"{data.name}, {name}: suspect", told(suspect), "")
        fixed, _, seconds = lab.train(golden, features[~which], labels[~which], 2, 1e-3)
        line(f"{data.name}, {name}: drop, fine-tune golden", f"{told(fixed)}, {seconds:.1f} s", "golden −.005, ≤ .01, ≤ 10 s")
        options = {"unlearn": {"rounds": 3}, "augmentation": {"shiftPixels": 2 if data.size > 16 else 1, "noise": 0.0}}
        clean = data.features[:CLEAN_RECORDS], data.labels[:CLEAN_RECORDS]
        fixed, _, seconds = lab.train(suspect, *clean, 15 if data.size > 16 else 40, 2e-3, "unlearn", options=options, batch=64)
        line(f"{data.name}, {name}: {CLEAN_RECORDS} clean records", f"{told(fixed)}, {seconds:.1f} s", "suspect −.02, ≤ .03, ≤ 30 s")


def robust(lab: Lab, data: Split, epochs: int) -> None:
    tests = data.test_features[:500], data.test_labels[:500]
    base = network("mlp", data.size, 1)
    plain, _, _ = lab.train(base, data.features, data.labels, epochs, 2e-3)
    options = {"adversarial": {"method": "pgd", "norm": "linf", "epsilon": EPSILON, "steps": 7}}
    hard, _, seconds = lab.train(base, data.features, data.labels, epochs, 2e-3, "adversarial", options=options)
    figures = [f"clean {accuracy(model, *tests):.3f} robust {robust_accuracy(model, *tests):.3f}" for model in (plain, hard)]
    line(f"{data.name}: adversarial, L∞ {EPSILON}, PGD-20", f"{figures[0]} → {figures[1]}, {seconds:.1f} s", "robust +.30, clean −.03")


def robust_accuracy(model: bytes, features: Any, labels: Any) -> float:
    import jax

    graph = GraphModel(model)
    answers = Answers(lambda parameters, x: graph(parameters, x, graph.outputs[0]))
    attack = Attack(lambda parameters, x, truth: cross_entropy(answers.traced(parameters, x), truth).mean(), "linf", EPSILON, 20, Box(0, 1))
    attacked = attack(graph.parameters, features, labels, jax.random.PRNGKey(1))
    return float((answers(graph.parameters, attacked).argmax(1) == labels).mean())


def private(lab: Lab, data: Split, epochs: int) -> None:
    options = {"private": {"epsilon": 8.0}}
    model, result, seconds = lab.train(
        network("cnn", data.size, 1), data.features, data.labels, epochs, 5e-3, "private", options=options, batch=256
    )
    assert result.figures is not None
    spent = f"ε {result.figures['epsilon']:.3f} at δ {result.figures['delta']:.1e}, noise {result.figures['noiseMultiplier']:.2f}"
    reached = f"accuracy {accuracy(model, data.test_features, data.test_labels):.4f}, {spent}, {seconds:.1f} s"
    line(f"{data.name}: private", reached, "ε ≤ 8, ≥ .93")


def main() -> None:
    parser = argparse.ArgumentParser(description="Prints what the trainer's objectives reach.")
    parser.add_argument("--quick", action="store_true", help="digits only, one trigger")
    parser.add_argument("--mnist", type=Path, help="folder of MNIST's IDX files")
    chosen = parser.parse_args()
    device.configure(Path(__file__).parent.parent / ".cache" / "compiled")
    lab = Lab()
    private(lab, digits(), 60)
    repairs(lab, digits(), 25, ("sticker",) if chosen.quick else ("sticker", "blend"))
    large = None if chosen.quick else mnist(chosen.mnist, 12_000)
    if large is None:
        print("mnist: left out" + ("" if chosen.quick else " (no --mnist FOLDER)"))
        return
    robust(lab, large, 4)
    repairs(lab, large, 4, ("sticker", "blend"))


if __name__ == "__main__":
    main()
