"""A model as the examinations see it: a pure function from weights and inputs to logits, and a name for its architecture."""

import functools
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
import onnx
import optax

from ..graph import GraphModel, InvalidModel

STATISTICS = {"BatchNormalization": (3, 4)}
"""Operands that training does not move by a gradient but that differ from model to model: they travel with the weights."""


class Architecture:
    """The graph without its weights. Equal for two models of one kind, so that what JAX compiled for one serves the other."""

    def __init__(self, graph: GraphModel, key: str):
        self._graph = graph
        self._key = key
        output = graph.outputs[0]
        node = graph.producer(output)
        # Inversion works on logits: probabilities near one have no gradient left.
        self.logits: str = node.input[0] if node is not None and node.op_type in ("Softmax", "LogSoftmax") else output

    def __call__(self, weights: Mapping[str, Any], x: Any) -> Any:
        """x [N, …] → logits [N, classes]."""
        return self._graph(weights, x, self.logits)

    def values(self, weights: Mapping[str, Any], x: Any, wanted: list[str]) -> list[Any]:
        """x [N, …] → any values of the graph, by name."""
        return self._graph.run(weights, {self._graph.inputs[0]: x}, wanted)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Architecture) and self._key == other._key

    def __hash__(self) -> int:
        return hash(self._key)


@dataclass(frozen=True, slots=True)
class Network:
    """One model. `weights` is a pytree of arrays; its keys are the same for every model of one architecture."""

    architecture: Architecture
    weights: dict[str, np.ndarray]

    def logits(self, x: np.ndarray, batch: int = 256) -> np.ndarray:
        """x [N, …] → float32 [N, classes], in batches of one shape so that one compilation serves all."""
        parts = []
        for start in range(0, len(x), batch):
            part = x[start : start + batch]
            padded = np.concatenate([part, np.repeat(part[-1:], batch - len(part), axis=0)]) if len(part) < batch else part
            parts.append(np.asarray(_logits(self.architecture, self.weights, padded))[: len(part)])
        return np.concatenate(parts)

    def slopes(self, x: Any, labels: Any) -> tuple[Any, Any]:
        """x [N, …], labels [N] → logits [N, classes] and, per record, the slope [N, …] of its cross-entropy to its label.

        The one program of an architecture that every search uses, whatever the trigger and whichever part the model plays: compiling is
        most of the time of examining a graph that was not seen before.
        """
        return _slopes(self.architecture, self.weights, x, labels)

    def answers(self, x: np.ndarray) -> np.ndarray:
        """x [N, …] → the class with the largest logit, int [N]."""
        return self.logits(x).argmax(1)


@functools.partial(jax.jit, static_argnums=0)
def _logits(architecture: Architecture, weights: Any, x: Any) -> Any:
    return architecture(weights, x)


@functools.partial(jax.jit, static_argnums=0)
def _slopes(architecture: Architecture, weights: Any, x: Any, labels: Any) -> tuple[Any, Any]:
    def loss(x: Any) -> tuple[Any, Any]:
        logits = architecture(weights, x)
        return optax.softmax_cross_entropy_with_integer_labels(logits, labels).sum(), logits

    (_, logits), slope = jax.value_and_grad(loss, has_aux=True)(x)
    return logits, slope


def read_network(content: bytes) -> Network:
    """Raises InvalidModel and UnsupportedOperator. The model MUST have one input and answer with one row of scores per record."""
    graph = GraphModel(content)
    if len(graph.inputs) != 1:
        raise InvalidModel(f"the model has {len(graph.inputs)} inputs; models with one are examined")
    if not graph.parameters:
        raise InvalidModel("the model has no weights")
    proto = onnx.load_model_from_string(content)
    weights = {**graph.parameters, **_statistics(proto)}
    return Network(Architecture(graph, _key(proto, set(weights))), weights)


def checked(network: Network, shape: tuple[int, ...], classes: int) -> int:
    """The number of classes the model tells apart. Raises InvalidModel where records of this shape do not fit it."""
    try:
        answer = jax.eval_shape(network.architecture, network.weights, jax.ShapeDtypeStruct((2, *shape), np.float32))
    except InvalidModel:
        raise
    except (TypeError, ValueError, IndexError) as error:
        raise InvalidModel(f"the model does not take records of shape {list(shape)}") from error
    if len(answer.shape) != 2 or answer.shape[0] != 2 or answer.shape[1] < max(2, classes):
        raise InvalidModel(f"the model answers with the shape {list(answer.shape)}; two records have labels up to {classes - 1}")
    return int(answer.shape[1])


def _statistics(proto: onnx.ModelProto) -> dict[str, np.ndarray]:
    wanted = {node.input[place] for node in proto.graph.node for place in STATISTICS.get(node.op_type, ()) if place < len(node.input)}
    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in proto.graph.initializer if tensor.name in wanted}


def _key(proto: onnx.ModelProto, weights: set[str]) -> str:
    """SHA-256 over all that is compiled in: the graph, and every constant that is no weight."""
    bare = onnx.ModelProto()
    bare.CopyFrom(proto)
    bare.ClearField("metadata_props")
    for name in ("producer_name", "producer_version", "doc_string"):
        bare.ClearField(name)
    for tensor in bare.graph.initializer:
        if tensor.name in weights:
            for field in ("raw_data", "float_data", "double_data", "int32_data"):
                tensor.ClearField(field)
    return hashlib.sha256(bare.SerializeToString(deterministic=True)).hexdigest()
