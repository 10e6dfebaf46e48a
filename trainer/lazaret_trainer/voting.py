"""Several models of one graph as one model that answers with their votes (docs/decisions/0007).

The station derives the same graph from the golden one (forensics/onnx/vote-graph.ts) and compares it by its canonical hash: what is written
here MUST be a function of the base graph and the number of members alone, but for the values of float initializers.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from onnx import ModelProto, NodeProto, TensorProto, helper, load_model_from_string, numpy_helper

from .failures import TrainerFailure

CLASSES = "vote/classes"
OLDEST_OPSET = 11
"""Of ArgMax with an axis from the end."""


def voting(base: bytes, members: Sequence[Mapping[str, np.ndarray]]) -> bytes:
    """The base graph side by side, once for the weights of each member; the output is the share of members that answer with each class.

    Names of member i begin with `m<i>/`; inputs are shared. Fails with trainer/bad-job where a graph cannot be copied in this way.
    """
    model = load_model_from_string(base)
    classes = checked(model)
    graph = model.graph
    nodes, initializers, values = list(graph.node), list(graph.initializer), list(graph.value_info)
    shared = {value.name for value in graph.input}
    for field in ("node", "initializer", "value_info"):
        graph.ClearField(field)
    answer = graph.output[0].name
    for index, weights in enumerate(members):
        prefix = f"m{index}/"
        graph.node.extend(_renamed(node, prefix, shared) for node in nodes)
        for tensor in initializers:
            copy = graph.initializer.add()
            copy.CopyFrom(tensor)
            copy.name = prefix + tensor.name
            if tensor.name in weights:
                fresh = numpy_helper.from_array(np.asarray(weights[tensor.name], np.float32), copy.name)
                copy.CopyFrom(fresh)
        for value in values:
            copy = graph.value_info.add()
            copy.CopyFrom(value)
            copy.name = prefix + value.name
        graph.node.extend(_ballot(index, prefix + answer))
    graph.node.append(helper.make_node("Mean", [f"vote/{index}" for index in range(len(members))], [answer], name="vote"))
    graph.initializer.append(numpy_helper.from_array(np.arange(classes, dtype=np.int64), CLASSES))
    return model.SerializeToString(deterministic=True)


def checked(model: ModelProto) -> int:
    """The number of classes. Fails with trainer/bad-job."""
    graph = model.graph
    opset = next((each.version for each in model.opset_import if each.domain in ("", "ai.onnx")), 0)
    if opset < OLDEST_OPSET:
        raise _bad(f"a vote needs opset {OLDEST_OPSET}, the model has {opset}")
    if len(graph.output) != 1:
        raise _bad(f"the model has {len(graph.output)} outputs, a vote has one")
    if {tensor.name for tensor in graph.initializer} & {value.name for value in graph.input}:
        raise _bad("an initializer is an input as well")
    if graph.sparse_initializer or graph.quantization_annotation or any(tensor.external_data for tensor in graph.initializer):
        raise _bad("sparse, annotated or external tensors are not copied")
    inner = (attribute.g.node or attribute.graphs for node in graph.node for attribute in node.attribute)
    if any(inner):
        raise _bad("a node has a subgraph, whose names reach outside")
    if any(tensor.data_type == TensorProto.FLOAT and not tensor.raw_data and tensor.dims for tensor in graph.initializer):
        raise _bad("weights that are not raw data are not copied")
    shape = graph.output[0].type.tensor_type.shape
    last = shape.dim[-1].dim_value if shape.dim else 0
    if graph.output[0].type.tensor_type.elem_type != TensorProto.FLOAT or last < 2:
        raise _bad("the output does not say that it is a float32 for each of the classes")
    return last


def _renamed(node: NodeProto, prefix: str, shared: set[str]) -> NodeProto:
    copy = NodeProto()
    copy.CopyFrom(node)
    # A node without a name stays without one: two of the same name are refused by runtimes.
    copy.name = prefix + node.name if node.name else ""
    copy.input[:] = [name if name in shared or not name else prefix + name for name in node.input]
    copy.output[:] = [prefix + name if name else name for name in node.output]
    return copy


def _ballot(index: int, answer: str) -> list[NodeProto]:
    """One member's vote: 1 for the class it answers with (the first of equals), 0 for every other."""
    first, second = f"vote/{index}/class", f"vote/{index}/said"
    return [
        helper.make_node("ArgMax", [answer], [first], name=first, axis=-1, keepdims=1),
        helper.make_node("Equal", [first, CLASSES], [second], name=second),
        helper.make_node("Cast", [second], [f"vote/{index}"], name=f"vote/{index}", to=TensorProto.FLOAT),
    ]


def _bad(message: str) -> TrainerFailure:
    return TrainerFailure("trainer/bad-job", f"the objective `partition-vote`: {message}")
