"""A served ONNX graph as a function, and trained weights back into the same graph."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import AttributeProto, ModelProto, NodeProto, TensorProto, numpy_helper

from .registry import OPERATORS, Array, Call, Implementation, UnsupportedOperator

Parameters = dict[str, np.ndarray]
"""Trainable initializers by name."""

OLDEST_OPSET = 7
"""Broadcasting had other rules before."""

FROZEN_OPERANDS: Mapping[str, tuple[int, ...]] = {
    "BatchNormalization": (3, 4),
    "Clip": (1, 2),
    "Dropout": (1,),
    "Pad": (2,),
    "Pow": (1,),
    "Range": (0, 1, 2),
}
"""Floats that are no weights: statistics, bounds, exponents. They have gradients, and training them would change what the model means."""


class InvalidModel(Exception):
    """Bytes that are no self-contained ONNX model this trainer could train."""


@dataclass(frozen=True, slots=True)
class Step:
    call: Call
    implementation: Implementation


class GraphModel:
    """`model(parameters, x, want)` is pure and can be differentiated and jitted. Raises UnsupportedOperator, InvalidModel when made."""

    def __init__(self, content: bytes):
        self._proto = _parse(content)
        graph = self._proto.graph
        self.opset = _opset(self._proto)
        self._steps = [_step(node, self.opset) for node in graph.node]

        initializers = {tensor.name: _values(tensor) for tensor in graph.initializer}
        frozen = _frozen(graph.node)
        self.parameters: Parameters = {name: value for name, value in initializers.items() if _trainable(value) and name not in frozen}
        self._constants = {name: value for name, value in initializers.items() if name not in self.parameters}
        self.inputs = [value.name for value in graph.input if value.name not in initializers]
        self.outputs = [value.name for value in graph.output]
        _check_order(graph.node, {"", *initializers, *self.inputs}, self.outputs)

    def __call__(self, parameters: Mapping[str, Array], x: Array, want: str) -> Array:
        """The value called `want` for the model's only input."""
        return self.run(parameters, {self.inputs[0]: x}, [want])[0]

    def run(self, parameters: Mapping[str, Array], inputs: Mapping[str, Array], wanted: list[str]) -> list[Array]:
        """Values by name, any intermediate value included. Raises UnsupportedOperator while it is traced."""
        values: dict[str, Array] = {"": None, **self._constants, **parameters, **inputs}
        for step in self._steps:
            operands = [values[name] for name in step.call.node.input]
            while operands and operands[-1] is None:
                operands.pop()
            results = step.implementation(step.call, *operands)
            results = results if isinstance(results, tuple) else (results,)
            values.update(zip(step.call.node.output, results, strict=False))
        return [values[name] for name in wanted]

    def producer(self, value: str) -> NodeProto | None:
        """The node that makes a value; None for inputs and initializers."""
        return next((step.call.node for step in self._steps if value in step.call.node.output), None)

    def with_weights(self, parameters: Mapping[str, Array]) -> bytes:
        """The same model with other weights. Only the values of the named initializers differ; each keeps its type and its encoding."""
        copy = ModelProto()
        copy.CopyFrom(self._proto)
        for tensor in copy.graph.initializer:
            if tensor.name in parameters:
                _refill(tensor, np.asarray(parameters[tensor.name]))
        return copy.SerializeToString(deterministic=True)


def _parse(content: bytes) -> ModelProto:
    try:
        proto = onnx.load_model_from_string(content)
    except (DecodeError, ValueError) as error:
        raise InvalidModel("the bytes are not an ONNX model") from error
    graph = proto.graph
    if not graph.node or not graph.output:
        raise InvalidModel("the bytes are not an ONNX model: no nodes or no outputs")
    if graph.sparse_initializer:
        raise InvalidModel("the model has sparse initializers")
    for tensor in graph.initializer:
        # A path in a model is the model author's word about this machine's files: MUST NOT be followed.
        if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
            raise InvalidModel(f"the initializer {tensor.name!r} lies in an external file; only self-contained models can be trained")
    names = [tensor.name for tensor in graph.initializer]
    if len(names) != len(set(names)):
        raise InvalidModel("two initializers have the same name")
    return proto


def _opset(proto: ModelProto) -> int:
    version = next((each.version for each in proto.opset_import if each.domain in ("", "ai.onnx")), None)
    newest = onnx.defs.onnx_opset_version()
    if version is None or not OLDEST_OPSET <= version <= newest:
        raise InvalidModel(f"the model uses opset {version}; this trainer knows {OLDEST_OPSET} to {newest}")
    return version


def _step(node: NodeProto, opset: int) -> Step:
    implementation = OPERATORS.get(node.op_type) if node.domain in ("", "ai.onnx") else None
    if implementation is None:
        raise UnsupportedOperator(node, "this trainer has no differentiable form of it")
    attributes = {attribute.name: _attribute(attribute) for attribute in node.attribute}
    return Step(Call(node, attributes, opset), implementation)


def _attribute(attribute: AttributeProto) -> Any:
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, TensorProto):
        return _values(value)
    return list(value) if attribute.type in (AttributeProto.INTS, AttributeProto.FLOATS) else value


def _values(tensor: TensorProto) -> np.ndarray:
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise InvalidModel(f"the tensor {tensor.name!r} lies in an external file; only self-contained models can be trained")
    try:
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidModel(f"the tensor {tensor.name!r} does not hold what its shape says") from error


def _frozen(nodes: Any) -> set[str]:
    return {node.input[position] for node in nodes for position in FROZEN_OPERANDS.get(node.op_type, ()) if position < len(node.input)}


def _trainable(value: np.ndarray) -> bool:
    """Float tensors; a float without axes is a constant of a formula (a scale, an epsilon), not a weight."""
    return np.issubdtype(value.dtype, np.floating) and value.ndim > 0


def _check_order(nodes: Any, known: set[str], outputs: list[str]) -> None:
    for node in nodes:
        missing = [name for name in node.input if name not in known]
        if missing:
            raise InvalidModel(f"node {node.name or node.op_type!r} reads {missing[0]!r} before it is made")
        known.update(node.output)
    for name in outputs:
        if name not in known:
            raise InvalidModel(f"the output {name!r} is made by no node")


def _refill(tensor: TensorProto, values: np.ndarray) -> None:
    if list(values.shape) != list(tensor.dims):
        raise InvalidModel(f"weights of shape {list(values.shape)} for {tensor.name!r} of shape {list(tensor.dims)}")
    values = values.astype(onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type))
    if tensor.float_data:
        tensor.float_data[:] = values.ravel().tolist()
    elif tensor.double_data:
        tensor.double_data[:] = values.ravel().tolist()
    else:
        fresh = numpy_helper.from_array(values)
        tensor.ClearField("int32_data")
        tensor.raw_data = fresh.raw_data
