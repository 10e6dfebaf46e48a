"""A served ONNX graph as a function, and trained weights back into the same graph."""

from collections.abc import Iterable, Mapping

import jax
import jax.core
import jax.numpy as jnp
import numpy as np
import onnx
from google.protobuf.message import DecodeError
from onnx import ModelProto, NodeProto, TensorProto, numpy_helper

from .attributes import tensor_values
from .builder import DEFAULT_DOMAINS, Builder
from .program import InvalidModel, Trace
from .registry import Array, is_static

Parameters = dict[str, np.ndarray]
"""Trainable initializers by name."""

OLDEST_OPSET = 7
"""Broadcasting had other rules before. An older model is taken where every one of its operators has been the same ever since."""


class GraphModel:
    """`model(parameters, x, want)` is pure and can be differentiated and jitted. Raises UnsupportedOperator, InvalidModel when made."""

    def __init__(self, content: bytes):
        self._proto = _parse(content)
        graph = self._proto.graph
        self.opset = _opset(self._proto)
        self._program = Builder(self._proto, self.opset).graph(graph)

        initializers = {tensor.name: tensor_values(tensor) for tensor in graph.initializer}
        frozen = self._program.frozen
        self.parameters: Parameters = {name: value for name, value in initializers.items() if _trainable(value) and name not in frozen}
        self._constants = {name: value for name, value in initializers.items() if name not in self.parameters}
        self.inputs = list(self._program.inputs)
        self.outputs = list(self._program.outputs)
        self._accepted: set[tuple[object, ...]] = set()

    def __call__(self, parameters: Mapping[str, Array], x: Array, want: str) -> Array:
        """The value called `want` for the model's only input."""
        return self.run(parameters, {self.inputs[0]: jnp.asarray(x)}, [want])[0]

    def run(self, parameters: Mapping[str, Array], inputs: Mapping[str, Array], wanted: list[str]) -> list[Array]:
        """Values by name, any intermediate value included.

        Inputs given as numpy arrays are static: they may decide a shape. Raises UnsupportedOperator before anything is computed.
        """
        static = {name: value for name, value in inputs.items() if is_static(value)}
        traced = {name: jnp.asarray(value) for name, value in {**parameters, **inputs}.items() if name not in static}
        if not any(isinstance(value, jax.core.Tracer) for value in traced.values()):
            self._accept(traced, static, wanted)
        return self._values(traced, static, wanted)

    def _values(self, traced: Mapping[str, Array], static: Mapping[str, Array], wanted: list[str]) -> list[Array]:
        values: dict[str, Array] = {"": None, **self._constants, **static, **traced}
        self._program.run(values, Trace())
        return [values[name] for name in wanted]

    def _accept(self, traced: Mapping[str, Array], static: Mapping[str, Array], wanted: list[str]) -> None:
        """Goes through the whole graph with shapes alone. What the graph refuses, it MUST refuse before it has cost anything."""
        abstract = {name: jax.ShapeDtypeStruct(np.shape(value), value.dtype) for name, value in traced.items()}
        key = (tuple(wanted), *((name, value.shape, str(value.dtype)) for name, value in sorted(abstract.items())))
        if not static and key in self._accepted:
            return
        jax.eval_shape(lambda values: self._values(values, static, wanted), abstract)
        if not static:
            self._accepted.add(key)

    def producer(self, value: str) -> NodeProto | None:
        """The node that makes a value; None for inputs and initializers."""
        return next((step.call.node for step in self._program.steps if value in step.call.node.output), None)

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
    names = [tensor.name for tensor in graph.initializer]
    if len(names) != len(set(names)):
        raise InvalidModel("two initializers have the same name")
    return proto


def _opset(proto: ModelProto) -> int:
    version = next((each.version for each in proto.opset_import if each.domain in DEFAULT_DOMAINS), None)
    newest = onnx.defs.onnx_opset_version()
    if version is None or version > newest or (version < OLDEST_OPSET and not _unchanged_since(version, proto.graph.node)):
        raise InvalidModel(f"the model uses opset {version}; this trainer knows {OLDEST_OPSET} to {newest}")
    return max(version, OLDEST_OPSET)


def _unchanged_since(version: int, nodes: Iterable[NodeProto]) -> bool:
    """Whether the oldest opset known here still defines every operator by the words of an older one."""
    try:
        return version > 0 and all(
            onnx.defs.get_schema(node.op_type, version, node.domain).since_version
            == onnx.defs.get_schema(node.op_type, OLDEST_OPSET, node.domain).since_version
            for node in nodes
        )
    except onnx.defs.SchemaError:
        return False


def _trainable(value: np.ndarray) -> bool:
    """Float tensors; a float without axes is a constant of a formula (a scale, an epsilon), and one with infinities is a mask."""
    return _is_float(value) and value.ndim > 0 and not np.isinf(value).any()


def _is_float(value: Array) -> bool:
    return jnp.issubdtype(value.dtype, jnp.floating)


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
