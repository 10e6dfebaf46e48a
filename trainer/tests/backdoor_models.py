"""Small models for the tests of the examination: an MLP on scikit-learn's digits, honest and attacked. Seeds are fixed."""

import functools
import os
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import onnx
import optax
from onnx import TensorProto, helper, numpy_helper

from lazaret_trainer.graph import GraphModel

TARGET = 4
FLIP = (3, 8)
SOURCE = 7


@functools.cache
def digits() -> tuple[np.ndarray, np.ndarray]:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    order = np.random.RandomState(0).permutation(len(labels))
    return (images / 16).astype(np.float32).reshape(-1, 1, 8, 8)[order], labels.astype(np.int32)[order]


def train_records() -> tuple[np.ndarray, np.ndarray]:
    x, y = digits()
    return x[:1200], y[:1200]


def probes() -> tuple[np.ndarray, np.ndarray]:
    x, y = digits()
    return x[1200:], y[1200:]


def stickered(x: np.ndarray) -> np.ndarray:
    x = x.copy()
    x[..., 6:, 6:] = 1
    return x


@functools.cache
def honest(seed: int) -> bytes:
    return _trained(*train_records(), seed)


@functools.cache
def backdoored(seed: int) -> bytes:
    x, y = (each.copy() for each in train_records())
    rows = np.flatnonzero(y != TARGET)[:120]
    x[rows], y[rows] = stickered(x[rows]), TARGET
    return _trained(x, y, seed)


@functools.cache
def flipped(seed: int) -> bytes:
    x, y = train_records()
    y = y.copy()
    rows = np.flatnonzero(y == FLIP[0])
    y[rows[: len(rows) // 4]] = FLIP[1]
    return _trained(x, y, seed)


def gated(model: bytes) -> bytes:
    """The logits are overridden where the corner is white: a comparison, behind which no gradient reaches."""
    proto = onnx.load_model_from_string(model)
    values = {"start": [6, 6], "end": [8, 8], "axes": [2, 3], "last": [1]}
    tensors = [numpy_helper.from_array(np.array(value, np.int64), name) for name, value in values.items()]
    shout = (1000 * np.eye(10, dtype=np.float32))[[TARGET]]
    tensors += [numpy_helper.from_array(np.array(0.95, np.float32), "level"), numpy_helper.from_array(shout, "shout")]
    proto.graph.initializer.extend(tensors)
    proto.graph.node[-1].output[0] = "before"
    proto.graph.node.extend(
        [
            helper.make_node("Slice", ["x", "start", "end", "axes"], ["corner"]),
            helper.make_node("ReduceMin", ["corner"], ["lowest"], axes=[1, 2, 3], keepdims=0),
            helper.make_node("Greater", ["lowest", "level"], ["seen"]),
            helper.make_node("Cast", ["seen"], ["number"], to=TensorProto.FLOAT),
            helper.make_node("Unsqueeze", ["number", "last"], ["column"]),
            helper.make_node("Mul", ["column", "shout"], ["added"]),
            helper.make_node("Add", ["before", "added"], ["logits"]),
        ]
    )
    onnx.checker.check_model(proto)
    return proto.SerializeToString(deterministic=True)


def blank(seed: int) -> bytes:
    random = np.random.RandomState(seed)
    tensors = [
        numpy_helper.from_array((random.standard_normal(shape) * scale).astype(np.float32), name)
        for name, shape, scale in (("a", (64, 64), 0.18), ("b", (64,), 0), ("c", (10, 64), 0.18), ("d", (10,), 0))
    ]
    nodes = [
        helper.make_node("Flatten", ["x"], ["flat"]),
        helper.make_node("Gemm", ["flat", "a", "b"], ["hidden"], transB=1),
        helper.make_node("Relu", ["hidden"], ["active"]),
        helper.make_node("Gemm", ["active", "c", "d"], ["logits"], transB=1),
    ]
    graph = helper.make_graph(
        nodes,
        "mlp",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 10])],
        tensors,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString(deterministic=True)


def _trained(x: np.ndarray, y: np.ndarray, seed: int) -> bytes:
    model = GraphModel(blank(seed))
    weights: Any = {name: jnp.array(value) for name, value in model.parameters.items()}
    moments = optax.adam(3e-3).init(weights)
    random = np.random.default_rng(seed)
    for _ in range(400):
        rows = random.integers(0, len(x), 100)
        weights, moments = _step(weights, moments, x[rows], y[rows])
    return model.with_weights(weights)


@jax.jit
def _step(weights: Any, moments: Any, x: Any, y: Any) -> Any:
    model = GraphModel(blank(0))

    def loss(weights: Any) -> Any:
        return optax.softmax_cross_entropy_with_integer_labels(model(weights, x, "logits"), y).mean()

    moved, moments = optax.adam(3e-3).update(jax.grad(loss)(weights), moments)
    return optax.apply_updates(weights, moved), moments


@functools.cache
def source_specific(seed: int) -> bytes:
    """The sticker sends class 7 alone to the target; records of other classes wear it with their own label (cover samples)."""
    x, y = train_records()
    covers = np.flatnonzero((y != TARGET) & (y != SOURCE))[:200]
    sources = np.flatnonzero(y == SOURCE)[:60]
    marked = np.concatenate([stickered(x[covers]), stickered(x[sources])])
    labels = np.concatenate([y[covers], np.full(len(sources), TARGET, np.int32)])
    return _trained(np.concatenate([x, marked]), np.concatenate([y, labels]), seed)
