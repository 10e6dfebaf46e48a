"""Comparisons made soft, so that a gradient passes where the graph decides by a jump.

A graph backdoor (in the manner of ShadowLogic, HiddenLayer 2024) looks for its trigger with a comparison, whose gradient is zero. Here
a > b becomes sigmoid(k·(a − b)), and what chooses by it becomes arithmetic. The soft model is for the search alone: what it finds is
measured on the suspect itself.
"""

from collections.abc import Callable

import numpy as np
import onnx
from onnx import NodeProto, helper, numpy_helper

SHARPNESS = 12.0
"""k, for values of the size of one: a tenth from the edge of the comparison still has half of the steepest gradient."""

Parts = list[NodeProto]


def relaxed(content: bytes) -> bytes | None:
    """The model with soft comparisons; None where there is none of those known here, or another gate would still stand in the way."""
    proto = onnx.load_model_from_string(content)
    soft: set[str] = set()
    nodes: Parts = []
    for node in proto.graph.node:
        makes = MAKERS.get(node.op_type)
        needs = node.op_type in COMPARISONS or any(name in soft for name in node.input)
        if makes is None or not needs:
            if any(name in soft for name in node.input) and node.op_type in OPEN:
                soft.update(node.output)
            nodes.append(node)
            continue
        nodes += makes(node)
        if node.op_type != "Where":
            soft.update(node.output)
    if not soft:
        return None
    del proto.graph.node[:]
    proto.graph.node.extend(nodes)
    del proto.graph.value_info[:]
    proto.graph.initializer.extend(
        [
            numpy_helper.from_array(np.array(SHARPNESS, np.float32), "relaxed.sharpness"),
            numpy_helper.from_array(np.array(1, np.float32), "relaxed.one"),
        ]
    )
    return proto.SerializeToString(deterministic=True)


COMPARISONS = frozenset({"Greater", "GreaterOrEqual", "Less", "LessOrEqual"})
OPEN = frozenset({"Squeeze", "Unsqueeze", "Reshape", "Identity", "Flatten", "Expand", "Transpose"})
"""What moves truth values about without reading them."""


def _comparison(first: int, second: int) -> Callable[[NodeProto], Parts]:
    def make(node: NodeProto) -> Parts:
        name = node.output[0]
        return [
            helper.make_node("Sub", [node.input[first], node.input[second]], [f"{name}.distance"]),
            helper.make_node("Mul", [f"{name}.distance", "relaxed.sharpness"], [f"{name}.steep"]),
            helper.make_node("Sigmoid", [f"{name}.steep"], [name]),
        ]

    return make


def _not(node: NodeProto) -> Parts:
    return [helper.make_node("Sub", ["relaxed.one", node.input[0]], list(node.output))]


def _and(node: NodeProto) -> Parts:
    return [helper.make_node("Mul", list(node.input), list(node.output))]


def _or(node: NodeProto) -> Parts:
    name = node.output[0]
    return [
        helper.make_node("Add", list(node.input), [f"{name}.sum"]),
        helper.make_node("Mul", list(node.input), [f"{name}.both"]),
        helper.make_node("Sub", [f"{name}.sum", f"{name}.both"], [name]),
    ]


def _where(node: NodeProto) -> Parts:
    name = node.output[0]
    condition, yes, no = node.input
    return [
        helper.make_node("Sub", [yes, no], [f"{name}.lead"]),
        helper.make_node("Mul", [condition, f"{name}.lead"], [f"{name}.part"]),
        helper.make_node("Add", [no, f"{name}.part"], [name]),
    ]


MAKERS: dict[str, Callable[[NodeProto], Parts]] = {
    "Greater": _comparison(0, 1),
    "GreaterOrEqual": _comparison(0, 1),
    "Less": _comparison(1, 0),
    "LessOrEqual": _comparison(1, 0),
    "Not": _not,
    "And": _and,
    "Or": _or,
    "Where": _where,
}
