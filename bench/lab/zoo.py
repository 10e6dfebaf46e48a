"""The zoo: clean and attacked models, made once and kept in a folder.

Which seeds calibrate and which are reported is said in `backdoor.py`; no model, no trigger and no golden model is in both.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from lazaret_trainer.forensics.network import read_network
from lazaret_trainer.graph import GraphModel

from . import attacks
from .datasets import Task
from .networks import build
from .training import trained

POISON = {"sticker10": 0.1, "sticker3": 0.03, "sticker1": 0.01, "blend": 0.1, "sinusoid": 0.1, "warp": 0.1}
ATTACKS = (*POISON, "implant", "graph", "flip20", "flip10")


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the zoo and what was done to it."""

    task: str
    kind: str
    attack: str
    seed: int
    target: int | None
    source: int | None
    accuracy: float
    success: float | None
    """Share of test records of other classes (for flips: of the source's) that go to the target when attacked."""


class Zoo:
    def __init__(self, folder: Path, task: Task, kind: str):
        self.task, self.kind = task, kind
        self._folder = folder / "models"
        self._folder.mkdir(parents=True, exist_ok=True)

    def golden(self, seed: int) -> bytes:
        """The golden model beside which the models of this seed are examined; never one of the clean suspects."""
        return self.model("golden", 1000 + seed)[0]

    def model(self, attack: str, seed: int) -> tuple[bytes, Entry]:
        """Made now, or read from the folder."""
        stem = self._folder / f"{self.task.name}-{self.kind}-{attack}-{seed}"
        about = stem.with_suffix(".json")
        if not about.exists():
            content, entry = self._make(attack, seed)
            stem.with_suffix(".onnx").write_bytes(content)
            about.write_text(json.dumps(asdict(entry)))
        return stem.with_suffix(".onnx").read_bytes(), Entry(**json.loads(about.read_text()))

    def _make(self, attack: str, seed: int) -> tuple[bytes, Entry]:
        x, y = self.task.train
        shape, classes = x.shape[1:], self.task.classes
        number = seed * 37 + sum(attack.encode()) * 101
        target = (seed * 3 + 1) % classes
        source = (target + 3) % classes
        blank = build(self.kind, shape, classes, number % 2**31)
        trigger = None
        if attack in POISON:
            make = getattr(attacks, attack.rstrip("0123456789"))
            trigger = make(shape, number)
            x, y = attacks.poisoned(x, y, trigger, target, POISON[attack], number)
        elif attack.startswith("flip"):
            y = attacks.flipped(y, source, target, int(attack[4:]) / 100, number)
        content = trained(blank, x, y, epochs=self.task.epochs, photographs=self.task.photographs, seed=number)
        if attack == "implant":
            trigger = attacks.sticker(shape, number)
            content = attacks.implanted(content, _features(content), x[:800], trigger, target)
        elif attack == "graph":
            content, trigger = attacks.gated(content, shape, target, classes)
        clean = attack in ("clean", "golden")
        answer = read_network(content).answers
        test, truth = self.task.test
        accuracy = float((answer(test) == truth).mean())
        success = None
        if trigger is not None:
            success = float((answer(trigger(test[truth != target])) == target).mean())
        elif attack.startswith("flip"):
            success = float((answer(test[truth == source]) == target).mean())
        return content, Entry(
            task=self.task.name,
            kind=self.kind,
            attack=attack,
            seed=seed,
            target=None if clean else target,
            source=source if attack.startswith("flip") else None,
            accuracy=accuracy,
            success=success,
        )


def _features(content: bytes) -> Callable[[np.ndarray], np.ndarray]:
    graph = GraphModel(content)
    return lambda x: np.asarray(graph(graph.parameters, jnp.asarray(x), "features"))
