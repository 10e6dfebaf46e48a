"""Is there anything in the graph that a gradient cannot cross? A backdoor behind a comparison is invisible to every search by gradient."""

import onnx
from onnx import GraphProto

from .network import Network

GATES = frozenset(
    {
        *("And", "Or", "Xor", "Not", "BitwiseAnd", "BitwiseNot", "BitwiseOr", "BitwiseXor"),
        *("Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "IsInf", "IsNaN"),
        *("If", "Loop", "Scan", "Where", "ArgMax", "ArgMin", "Hardmax", "OneHot", "NonZero", "TopK", "Unique"),
        *("Ceil", "Floor", "Mod", "Round", "Sign"),
    }
)
"""Operators whose output jumps, or that choose between values."""


def gates(content: bytes) -> list[str]:
    """`name (operator)` of nodes that gate a value computed from the input. Shapes and constants may be compared freely."""
    graph = onnx.load_model_from_string(content).graph
    weights = {tensor.name for tensor in graph.initializer}
    return _gates(graph, {value.name for value in graph.input} - weights)


def _gates(graph: GraphProto, data: set[str]) -> list[str]:
    found = []
    for node in graph.node:
        inner = [attribute.g for attribute in node.attribute if attribute.HasField("g")]
        if node.op_type in ("Shape", "Size") or not (data.intersection(node.input) or inner):
            continue
        data.update(node.output)
        if node.op_type in GATES:
            found.append(f"{node.name or node.output[0]} ({node.op_type})")
        for each in inner:
            found += _gates(each, data | {value.name for value in each.input})
    return found


def same_graph(suspect: Network, golden: Network) -> bool:
    """Whether the two differ in nothing but weights."""
    return suspect.architecture == golden.architecture
