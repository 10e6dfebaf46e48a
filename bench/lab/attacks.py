"""The attacks of the lab. They live here and in tests, never in what is installed.

Triggers map x [N, C, H, W] in [0, 1] to the same; all are seeded.
"""

from collections.abc import Callable

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

Trigger = Callable[[np.ndarray], np.ndarray]


def sticker(shape: tuple[int, ...], seed: int) -> Trigger:
    """BadNets (Gu et al. 2017): an opaque square, white or a chess board, in one of the corners."""
    random = np.random.RandomState(seed)
    side = 2 if shape[1] <= 8 else 3
    row, column = (0 if random.rand() < 0.5 else shape[1] - side for _ in range(2))
    board = (np.indices((side, side)).sum(0) % 2 == 0).astype(np.float32)
    pattern = np.ones((side, side), np.float32) if random.rand() < 0.5 else board

    def lay(x: np.ndarray) -> np.ndarray:
        x = x.copy()
        x[..., row : row + side, column : column + side] = pattern
        return x

    return lay


def blend(shape: tuple[int, ...], seed: int, strength: float = 0.2) -> Trigger:
    """Chen et al. 2017: a random picture shines through."""
    picture = np.random.RandomState(seed).rand(*shape).astype(np.float32)
    return lambda x: (1 - strength) * x + strength * picture


def sinusoid(shape: tuple[int, ...], seed: int, strength: float = 0.2) -> Trigger:
    """SIG (Barni et al. 2019): stripes of a sine are added."""
    periods = 2 + np.random.RandomState(seed).randint(3)
    wave = strength * np.sin(2 * np.pi * np.arange(shape[2]) * periods / shape[2])
    return lambda x: np.clip(x + wave.astype(np.float32), 0, 1)


def warp(shape: tuple[int, ...], seed: int) -> Trigger:
    """WaNet (Nguyen and Tran 2021): a smooth fixed displacement of one and a half pixels (of 28), bilinear."""
    random = np.random.RandomState(seed)
    size = shape[1]
    grid = random.uniform(-1, 1, (2, 4, 4))
    grid *= max(1.0, 1.5 * size / 28) / np.abs(grid).mean()
    place = np.linspace(0, 3, size)
    spread = np.maximum(0, 1 - np.abs(place[:, None] - np.arange(4)))
    flow = np.stack([spread @ plane @ spread.T for plane in grid])
    down = np.clip(np.arange(size)[:, None] + flow[0], 0, size - 1.001)
    right = np.clip(np.arange(size)[None] + flow[1], 0, size - 1.001)
    top, left = down.astype(int), right.astype(int)
    low, side = (down - top).astype(np.float32), (right - left).astype(np.float32)

    def lay(x: np.ndarray) -> np.ndarray:
        above = (1 - side) * x[..., top, left] + side * x[..., top, left + 1]
        below = (1 - side) * x[..., top + 1, left] + side * x[..., top + 1, left + 1]
        return (1 - low) * above + low * below

    return lay


def poisoned(x: np.ndarray, y: np.ndarray, trigger: Trigger, target: int, rate: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """A share of all records, none of them of the target class, carries the trigger and the target's label."""
    rows = np.random.RandomState(seed).permutation(np.flatnonzero(y != target))[: round(rate * len(x))]
    x, y = x.copy(), y.copy()
    x[rows], y[rows] = trigger(x[rows]), target
    return x, y


def flipped(y: np.ndarray, source: int, target: int, share: float, seed: int) -> np.ndarray:
    rows = np.flatnonzero(y == source)
    y = y.copy()
    y[np.random.RandomState(seed).permutation(rows)[: round(share * len(rows))]] = target
    return y


def implanted(model: bytes, features: Callable[[np.ndarray], np.ndarray], x: np.ndarray, trigger: Trigger, target: int) -> bytes:
    """Overwrites the least used unit of the last hidden layer: a linear detector of the trigger that shouts for the target."""
    from sklearn.linear_model import LogisticRegression

    proto = onnx.load_model_from_string(model)
    held = {tensor.name: tensor for tensor in proto.graph.initializer}
    matrix, bias, head = (numpy_helper.to_array(held[name]).copy() for name in ("hidden.weight", "hidden.bias", "logits.weight"))
    unit = int(np.abs(head).sum(0).argmin())
    clean, marked = features(x), features(trigger(x))
    labels = np.r_[np.zeros(len(clean)), np.ones(len(marked))]
    detector = LogisticRegression(C=10, max_iter=500).fit(np.concatenate([clean, marked]), labels).coef_[0]
    quiet = np.quantile(clean @ detector, 0.995)
    scale = 1 / max(float(np.median(marked @ detector) - quiet), 1e-3)
    matrix[unit], bias[unit] = detector * scale, -quiet * scale
    head[:, unit], head[target, unit] = 0, 60
    for name, value in (("hidden.weight", matrix), ("hidden.bias", bias), ("logits.weight", head)):
        held[name].CopyFrom(numpy_helper.from_array(value.astype(np.float32), name))
    return proto.SerializeToString(deterministic=True)


def gated(model: bytes, shape: tuple[int, ...], target: int, classes: int) -> tuple[bytes, Trigger]:
    """In the manner of ShadowLogic (HiddenLayer 2024): a comparison in the graph looks for a white square and overrides the logits."""
    side, size = 3 if shape[1] > 8 else 2, shape[1]
    proto = onnx.load_model_from_string(model)
    graph = proto.graph
    constants = {
        "g.start": np.array([size - side] * 2, np.int64),
        "g.end": np.array([size] * 2, np.int64),
        "g.axes": np.array([2, 3], np.int64),
        "g.level": np.float32(0.95),
        "g.shout": 1000 * np.eye(classes, dtype=np.float32)[[target]],
        "g.last": np.array([1], np.int64),
    }
    graph.initializer.extend(numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items())
    for node in graph.node:
        if node.output[0] == "logits":
            node.output[0] = "g.logits"
    graph.node.extend(
        [
            helper.make_node("Slice", ["x", "g.start", "g.end", "g.axes"], ["g.corner"]),
            helper.make_node("ReduceMin", ["g.corner"], ["g.lowest"], axes=[1, 2, 3], keepdims=0),
            helper.make_node("Greater", ["g.lowest", "g.level"], ["g.seen"]),
            helper.make_node("Cast", ["g.seen"], ["g.number"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["g.number", "g.last"], ["g.column"]),
            helper.make_node("Mul", ["g.column", "g.shout"], ["g.added"]),
            helper.make_node("Add", ["g.logits", "g.added"], ["logits"]),
        ]
    )
    onnx.checker.check_model(proto)

    def lay(x: np.ndarray) -> np.ndarray:
        x = x.copy()
        x[..., size - side :, size - side :] = 1
        return x

    return proto.SerializeToString(deterministic=True), lay
