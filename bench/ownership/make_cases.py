"""Makes the cases of the ownership tests: an own model, its twins, copies of it and models that owe it nothing.

    trainer/.venv/bin/python bench/ownership/make_cases.py FOLDER --task digits --seeds 1 2 3 --data SHARED-DATA

FOLDER/<task>-<seed>/ gets `own.onnx`, `twin-0.onnx` …, `copy-<how>.onnx`, `independent-<how>.onnx`, and the records `training.npy` and
`unseen.npy` with their labels. What is there already is kept, so that a run can be cut. Odd seeds are for calibration, even ones for the
report; a seed draws its records, networks and training orders anew.
"""

import argparse
import gzip
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "trainer")]

from bench.lab.networks import build  # noqa: E402
from lazaret_trainer import device  # noqa: E402
from lazaret_trainer.graph import GraphModel  # noqa: E402

TWINS = 10
BATCH = 50
RATE = 3e-3
EPOCHS = {"digits": 40, "mnist": 10}
SIZES = {"digits": (600, 400), "mnist": (1500, 1000)}


@dataclass(frozen=True)
class Case:
    """`own` was trained on `train`; `unseen` and `other` are records that it never saw, `other` those of thieves and strangers."""

    train: tuple[np.ndarray, np.ndarray]
    unseen: tuple[np.ndarray, np.ndarray]
    other: tuple[np.ndarray, np.ndarray]
    epochs: int
    seed: int


def case(task: str, seed: int, data: Path) -> Case:
    x, y = _digits() if task == "digits" else _mnist(data)
    order = np.random.RandomState(seed).permutation(len(x))[:10_000]
    train, unseen = SIZES[task]
    parts = np.split(order, [train, train + unseen])
    return Case(*((x[part], y[part]) for part in parts), EPOCHS[task], seed)


def _digits() -> tuple[np.ndarray, np.ndarray]:
    from sklearn.datasets import load_digits

    found = load_digits()
    return (found.images / 16).astype(np.float32)[:, None], found.target.astype(np.int32)


def _mnist(data: Path) -> tuple[np.ndarray, np.ndarray]:
    with gzip.open(data / "mnist-train" / "train-images-idx3-ubyte.gz") as file:
        x = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)
    with gzip.open(data / "mnist-train" / "train-labels-idx1-ubyte.gz") as file:
        y = np.frombuffer(file.read(), np.uint8, offset=8).astype(np.int32)
    return x.astype(np.float32) / 255, y


def trained(model: bytes, x: np.ndarray, targets: np.ndarray, epochs: int, seed: int, rate: float = RATE) -> bytes:
    """`targets` are distributions [N, classes]. Adam with cosine decay, whole batches."""
    graph = GraphModel(model)
    random = np.random.default_rng(seed)
    weights = dict(graph.parameters)
    per_epoch = len(x) // BATCH
    optimizer = optax.adam(optax.cosine_decay_schedule(1.0, per_epoch * epochs))
    moments = optimizer.init(weights)
    for _ in range(epochs):
        for rows in random.permutation(len(x))[: per_epoch * BATCH].reshape(per_epoch, BATCH):
            weights, moments = _step(_Held(graph, len(model)), per_epoch * epochs, weights, moments, x[rows], targets[rows], rate)
    return graph.with_weights({name: np.asarray(value) for name, value in weights.items()})


@dataclass(frozen=True)
class _Held:
    """A graph that compiles once for all models of its architecture: they have as many bytes."""

    graph: GraphModel
    size: int

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Held) and self.size == other.size

    def __hash__(self) -> int:
        return self.size


@partial(jax.jit, static_argnums=(0, 1))
def _step(held: _Held, total: int, weights: Any, moments: Any, x: Any, targets: Any, rate: Any) -> Any:
    def loss(weights: Any) -> Any:
        return optax.softmax_cross_entropy(held.graph(weights, x, "logits"), targets).mean()

    optimizer = optax.adam(optax.cosine_decay_schedule(1.0, total))
    updates, moments = optimizer.update(jax.grad(loss)(weights), moments)
    return optax.apply_updates(weights, jax.tree.map(lambda update: rate * update, updates)), moments


def answers(model: bytes, x: np.ndarray, temperature: float = 1.0) -> np.ndarray:
    graph = GraphModel(model)
    return np.asarray(jax.nn.softmax(graph(graph.parameters, jnp.asarray(x), "logits") / temperature, axis=-1))


def one_hot(y: np.ndarray) -> np.ndarray:
    return np.eye(10, dtype=np.float32)[y]


def recipe(case: Case, kind: str, seed: int, data: tuple[np.ndarray, np.ndarray] | None = None) -> bytes:
    """A network from scratch, as the owner trains."""
    x, y = data or case.train
    return trained(build(kind, x.shape[1:], 10, seed), x, one_hot(y), case.epochs, seed)


def changed(model: bytes, change: Callable[[str, np.ndarray], np.ndarray]) -> bytes:
    graph = GraphModel(model)
    return graph.with_weights({name: change(name, np.asarray(value)).astype(np.float32) for name, value in graph.parameters.items()})


def quantised(_: str, value: np.ndarray) -> np.ndarray:
    step = np.abs(value).max() / 127 or 1
    return np.round(value / step) * step


def pruned(share: float, name: str, value: np.ndarray) -> np.ndarray:
    return value if value.ndim == 1 else np.where(np.abs(value) < np.quantile(np.abs(value), share), 0, value)


def permuted(model: bytes, seed: int) -> bytes:
    weights = {name: np.asarray(value) for name, value in GraphModel(model).parameters.items()}
    order = np.random.default_rng(seed).permutation(len(weights["hidden.bias"]))
    moved = {"hidden.weight": weights["hidden.weight"][order], "hidden.bias": weights["hidden.bias"][order]}
    return GraphModel(model).with_weights({**weights, **moved, "logits.weight": weights["logits.weight"][:, order]})


def makers(case: Case, own: bytes, kind: str) -> dict[str, Callable[[], bytes]]:
    s, other, foreign = case.seed * 1000, case.other, "mlp" if kind == "cnn" else "cnn"
    shape, count = case.train[0].shape[1:], len(case.train[0])

    def drawn(number: int, size: int = count) -> tuple[np.ndarray, np.ndarray]:
        rows = np.random.default_rng(s + number).permutation(len(other[0]))[:size]
        return other[0][rows], other[1][rows]

    def tuned(number: int, epochs: int, rate: float) -> bytes:
        x, y = drawn(number)
        return trained(own, x, one_hot(y), epochs, s + number, rate)

    def student(number: int, kind: str, targets: Callable[[np.ndarray], np.ndarray], size: int = 2 * count) -> bytes:
        x, _ = drawn(number, size)
        return trained(build(kind, shape, 10, s + number), x, targets(x), case.epochs, s + number)

    def asked(number: int, size: int) -> bytes:
        """A thief who makes questions of their own: records laid over each other."""
        (first, _), (second, _) = (drawn(number + turn, len(other[0])) for turn in (0, 100))
        rows = np.random.default_rng(s + number).integers(0, len(first), size)
        x = (0.6 * first[rows] + 0.4 * second[rows]).astype(np.float32)
        return trained(build(kind, shape, 10, s + number), x, soft(x), case.epochs, s + number)

    def soft(x: np.ndarray) -> np.ndarray:
        return answers(own, x)

    def hard(x: np.ndarray) -> np.ndarray:
        return one_hot(answers(own, x).argmax(1))

    def mild(x: np.ndarray) -> np.ndarray:
        return answers(own, x, 4.0)

    return {
        **{f"twin-{i}": partial(recipe, case, kind, s + 10 + i) for i in range(TWINS)},
        "copy-permuted": lambda: permuted(own, s),
        "copy-quantised": lambda: changed(own, quantised),
        "copy-pruned": lambda: changed(own, partial(pruned, 0.5)),
        "copy-pruned-tuned": lambda: trained(changed(own, partial(pruned, 0.7)), *_hot(drawn(70)), 3, s + 70, 1e-3),
        "copy-tuned": lambda: tuned(71, 5, 1e-3),
        "copy-tuned-hard": lambda: tuned(72, case.epochs, RATE),
        "copy-distilled": lambda: student(73, kind, mild),
        "copy-distilled-foreign": lambda: student(74, foreign, mild),
        "copy-extracted": lambda: student(75, kind, soft, count),
        "copy-extracted-foreign": lambda: student(76, foreign, soft, count),
        "copy-extracted-many": lambda: student(86, kind, soft, len(other[0])),
        "copy-extracted-mixed": lambda: asked(87, 4 * count),
        "copy-labels": lambda: student(77, kind, hard),
        "copy-labels-foreign": lambda: student(78, foreign, hard, count),
        "independent-same": lambda: recipe(case, kind, s + 80, drawn(80)),
        "independent-same-2": lambda: recipe(case, kind, s + 81, drawn(81)),
        "independent-foreign": lambda: recipe(case, foreign, s + 82, drawn(82)),
        "independent-small": lambda: recipe(case, kind, s + 83, drawn(83, count // 3)),
        "independent-same-records": lambda: recipe(case, kind, s + 84),
        "independent-foreign-same-records": lambda: recipe(case, foreign, s + 85),
    }


def _hot(data: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return data[0], one_hot(data[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--task", choices=sorted(SIZES), required=True)
    parser.add_argument("--seeds", type=int, nargs="+", required=True)
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    given = parser.parse_args()
    device.configure(Path.home() / ".cache" / "lazaret" / "compiled")
    for seed in given.seeds:
        made(given.folder / f"{given.task}-{seed}", case(given.task, seed, given.data))


def made(folder: Path, case: Case) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, (x, y) in {"training": case.train, "unseen": case.unseen}.items():
        np.save(folder / f"{name}.npy", x)
        np.save(folder / f"{name}-labels.npy", y.astype(np.int64))
    # Owners have both architectures: a seed has one of them.
    kind = ("cnn", "mlp")[case.seed // 2 % 2]
    own = folder / "own.onnx"
    if not own.exists():
        own.write_bytes(recipe(case, kind, case.seed * 1000))
    content = own.read_bytes()
    for name, make in makers(case, content, kind).items():
        file = folder / f"{name}.onnx"
        if file.exists():
            continue
        file.write_bytes(make())
        right = (answers(file.read_bytes(), case.unseen[0]).argmax(1) == case.unseen[1]).mean()
        print(f"{folder.name}/{name}: accuracy {right:.3f}", flush=True)


if __name__ == "__main__":
    main()
