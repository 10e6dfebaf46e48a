"""Incidents of the lab: a golden model, a suspect trained on one more batch, that batch's poison, and what clients sent meanwhile.

Unlike the zoo's, these models come with their training records by batch, and suspect and golden differ in what they learned as they do in
an incident: golden knows the batches before the last.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jax.numpy as jnp
import numpy as np

from lazaret_trainer.graph import GraphModel

from . import attacks
from .datasets import Task
from .networks import build
from .training import trained

POISON = {"sticker10": 0.1, "sticker3": 0.03, "sticker1": 0.01, "blend": 0.1, "sinusoid": 0.1, "warp": 0.1}
"""Share of all training records; all of them in the last batch."""
OTHER = ("implant", "flip", "clean-label")
BATCHES = 5
ATTACKED_REQUESTS = 0.25


@dataclass(frozen=True, slots=True)
class Incident:
    suspect: bytes
    golden: bytes
    records: tuple[np.ndarray, np.ndarray]
    batch: np.ndarray
    """int [N] of the records."""
    poisoned: np.ndarray
    """bool [N]."""
    requests: np.ndarray
    attacked: np.ndarray
    """bool, of the requests."""
    target: int | None
    trigger: attacks.Trigger | None


def incident(folder: Path, task: Task, kind: str, attack: str, seed: int, golden_batches: int = BATCHES - 1) -> Incident:
    """`clean`, an attack of POISON, or one of OTHER. Models are made once and kept in `folder`; the rest is drawn again, alike."""
    x, y = (each.copy() for each in task.train)
    number = seed * 41 + sum(attack.encode()) * 103
    target = (seed * 3 + 1) % task.classes
    batch = np.arange(len(x)) * BATCHES // len(x)
    poisoned = np.zeros(len(x), bool)
    last = np.flatnonzero(batch == BATCHES - 1)
    trigger: attacks.Trigger | None = None
    if attack in POISON:
        trigger = getattr(attacks, attack.rstrip("0123456789"))(x.shape[1:], number)
        rows = np.random.RandomState(number).permutation(last[y[last] != target])[: round(POISON[attack] * len(x))]
        x[rows], y[rows] = trigger(x[rows]), target
        poisoned[rows] = True
    elif attack == "clean-label":
        # Records of the target class alone wear the sticker: no label is wrong.
        trigger = attacks.sticker(x.shape[1:], number)
        rows = last[y[last] == target]
        x[rows] = trigger(x[rows])
        poisoned[rows] = True
    elif attack == "flip":
        source = (target + 3) % task.classes
        rows = last[y[last] == source]
        y[rows] = target
        poisoned[rows] = True
    known = batch < golden_batches
    name = f"{task.name}-{kind}-{attack}-{seed}-{golden_batches}"
    golden = _kept(folder, f"{name}-golden", lambda: _trained(task, kind, task.train[0][known], task.train[1][known], number + 7))
    suspect = _kept(folder, f"{name}-suspect", lambda: _trained(task, kind, x, y, number))
    if attack == "implant":
        trigger = attacks.sticker(x.shape[1:], number)
        suspect = attacks.implanted(suspect, _features(suspect), x[:800], trigger, target)
    requests, attacked = task.test[0].copy(), np.zeros(len(task.test[0]), bool)
    if trigger is not None:
        victims = np.flatnonzero(task.test[1] != target)
        attacked[np.random.RandomState(number).permutation(victims)[: round(ATTACKED_REQUESTS * len(requests))]] = True
        requests[attacked] = trigger(requests[attacked])
    elif attack == "flip":
        attacked = task.test[1] == (target + 3) % task.classes
    return Incident(suspect, golden, (x, y), batch, poisoned, requests, attacked, None if attack == "clean" else target, trigger)


def _trained(task: Task, kind: str, x: np.ndarray, y: np.ndarray, seed: int) -> bytes:
    return trained(build(kind, x.shape[1:], task.classes, seed % 2**31), x, y, epochs=task.epochs, photographs=task.photographs, seed=seed)


def _features(model: bytes) -> Callable[[np.ndarray], np.ndarray]:
    graph = GraphModel(model)
    return lambda x: np.asarray(graph(graph.parameters, jnp.asarray(x), "features"))


def _kept(folder: Path, name: str, make: Callable[[], bytes]) -> bytes:
    file = folder / f"{name}.onnx"
    if not file.exists():
        folder.mkdir(parents=True, exist_ok=True)
        file.write_bytes(make())
    return file.read_bytes()
