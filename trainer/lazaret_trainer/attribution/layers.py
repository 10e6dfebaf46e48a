"""Which inner values of an ONNX graph are its layers, and what they are for given records."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import onnx

from ..forensics.network import Network, checked, read_network
from ..graph import InvalidModel

ACTIVATIONS = frozenset(
    (
        *("Relu", "LeakyRelu", "PRelu", "ThresholdedRelu", "Clip", "Elu", "Selu", "Celu", "Gelu", "Silu", "Swish", "HardSwish", "Mish"),
        *("Softplus", "Softsign", "Sigmoid", "HardSigmoid", "Tanh"),
    )
)
LINEAR = frozenset(("Gemm", "MatMul", "Conv", "ConvTranspose", "LSTM", "GRU", "RNN"))
MOST_LAYERS = 12
"""Deeper networks are looked at in evenly spaced layers, the first and the last among them."""
MOST_COLUMNS = 2048
"""Of a flattened layer: more make a comparison slower and hardly another one."""
BATCH = 128


@dataclass(frozen=True, slots=True)
class Anatomy:
    """A model with the names of its layers in the order of the graph, and of what its last linear operator reads."""

    network: Network
    layers: tuple[str, ...]
    features: str
    classes: int

    def read(self, x: np.ndarray) -> "Activations":
        """x [N, …record], N ≥ 1 → what every layer is for it."""
        wanted = (*self.layers, self.features)
        parts = []
        for start in range(0, len(x), BATCH):
            part = x[start : start + BATCH]
            padded = np.concatenate([part, np.repeat(part[-1:], BATCH - len(part), axis=0)]) if len(part) < BATCH else part
            made = _values(self.network.architecture, wanted, self.network.weights, padded)
            parts.append(jax.tree.map(functools.partial(_cut, len(part)), made))
        units, flat, features, logits = jax.tree.map(lambda *each: np.concatenate(each), *parts)
        return Activations(self.layers, units, flat, features, logits)


def _cut(rows: int, value: Any) -> np.ndarray:
    return np.asarray(value)[:rows]


@dataclass(frozen=True, slots=True)
class Activations:
    """Per layer in the order of `layers`, for N records."""

    layers: tuple[str, ...]
    units: list[np.ndarray]
    """float32 [N, units]: a unit is a neuron, a channel of a picture (its largest cell) or a place of an embedding (its largest step)."""
    flat: list[np.ndarray]
    """float32 [N, at most MOST_COLUMNS]: the whole layer, evenly thinned."""
    features: np.ndarray
    """float32 [N, D]: what the last linear operator reads."""
    logits: np.ndarray
    """float32 [N, classes]."""

    @property
    def answers(self) -> np.ndarray:
        return self.logits.argmax(1)

    def of(self, rows: np.ndarray) -> "Activations":
        """The same for some of the records."""
        cut = [[each[rows] for each in values] for values in (self.units, self.flat)]
        return Activations(self.layers, cut[0], cut[1], self.features[rows], self.logits[rows])


def anatomy(content: bytes, shape: tuple[int, ...], classes: int) -> Anatomy:
    """For records of a shape and of at least so many classes. Raises InvalidModel and UnsupportedOperator.

    Layers are the results of activation functions, and of linear operators where none is.
    """
    network = read_network(content)
    told_apart = checked(network, shape, classes)
    graph = onnx.load_model_from_string(content).graph
    behind = _behind(graph, network.architecture.logits)
    active = _results(behind, ACTIVATIONS)
    linear = _results(behind, LINEAR)
    weights = set(network.weights)
    heads = [node.input[0] for node in behind if node.op_type in ("Gemm", "MatMul") and any(name in weights for name in node.input[1:2])]
    batched = functools.partial(_batched, network, shape)
    layers = batched(active) or batched(linear)
    if not layers:
        raise InvalidModel("no layer of the model can be told apart: nothing within gives one row per record")
    features = batched(heads[-1:])
    return Anatomy(network, _spaced(layers), features[0] if features else layers[-1], told_apart)


def _behind(graph: onnx.GraphProto, logits: str) -> list[onnx.NodeProto]:
    """The nodes that the logits depend on, in order."""
    needed, kept = {logits}, []
    for node in reversed(graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            kept.append(node)
    return kept[::-1]


def _results(nodes: Sequence[onnx.NodeProto], operators: frozenset[str]) -> list[str]:
    return [node.output[0] for node in nodes if node.op_type in operators and node.output[0]]


def _batched(network: Network, shape: tuple[int, ...], names: Sequence[str]) -> tuple[str, ...]:
    """Those of the values that are floats with one row per record, the record's place first."""
    rows = 3
    record = jax.ShapeDtypeStruct((rows, *shape), np.float32)
    shapes = jax.eval_shape(lambda weights, x: network.architecture.values(weights, x, list(names)), network.weights, record)
    fits = [len(each.shape) > 1 and each.shape[0] == rows and jnp.issubdtype(each.dtype, jnp.floating) for each in shapes]
    return tuple(name for name, fit in zip(names, fits, strict=True) if fit)


def _spaced(layers: tuple[str, ...]) -> tuple[str, ...]:
    if len(layers) <= MOST_LAYERS:
        return layers
    return tuple(layers[place] for place in np.linspace(0, len(layers) - 1, MOST_LAYERS).round().astype(int))


@functools.partial(jax.jit, static_argnums=(0, 1))
def _values(architecture: Any, wanted: tuple[str, ...], weights: Any, x: Any) -> Any:
    *layers, features, logits = architecture.values(weights, x, [*wanted, architecture.logits])
    return [_units(each) for each in layers], [_thinned(each) for each in layers], features.reshape(len(x), -1), logits


def _units(value: Any) -> Any:
    """Pictures are [N, C, …], sequences [N, T, D]."""
    if value.ndim == 3:
        return value.max(1)
    return value.max(tuple(range(2, value.ndim))) if value.ndim > 3 else value


def _thinned(value: Any) -> Any:
    flat = value.reshape(len(value), -1)
    return flat[:, :: -(-flat.shape[1] // MOST_COLUMNS)]
