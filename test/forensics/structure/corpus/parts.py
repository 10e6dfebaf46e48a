"""Small honest models for the corpora, and the pieces they are built from."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET = 18


class Graph:
    """Nodes and weights of a graph under construction; names of values are handed out in order."""

    def __init__(self, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self.count = 0

    def name(self, hint: str) -> str:
        self.count += 1
        return f"{hint}_{self.count}"

    def op(self, kind: str, *inputs: str, outputs: int = 1, domain: str = "", **attributes: object) -> str:
        """Adds a node and gives the name of its first output."""
        names = [self.name(kind.lower()) for _ in range(outputs)]
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=self.name(kind), domain=domain, **attributes))
        return names[0]

    def const(self, values: object, kind: object = np.float32) -> str:
        name = self.name("const")
        self.weights.append(numpy_helper.from_array(np.asarray(values, dtype=kind), name))  # type: ignore[arg-type]
        return name

    def weight(self, *shape: int, scale: float = 0.1) -> str:
        return self.const(self.rng.normal(0, scale, shape))

    def ints(self, *values: int) -> str:
        return self.const(list(values), np.int64)

    def dense(self, value: str, inputs: int, outputs: int) -> str:
        return self.op("Gemm", value, self.weight(inputs, outputs), self.weight(outputs))

    def conv(self, value: str, inputs: int, outputs: int, size: int = 3, group: int = 1, stride: int = 1) -> str:
        return self.op(
            "Conv",
            value,
            self.weight(outputs, inputs // group, size, size),
            self.weight(outputs),
            pads=[size // 2] * 4,
            group=group,
            strides=[stride, stride],
        )

    def norm(self, value: str, channels: int) -> str:
        ones = self.const(np.abs(self.rng.normal(1, 0.1, channels)))
        return self.op("BatchNormalization", value, ones, self.weight(channels), self.weight(channels), ones, epsilon=1e-5)


def tensor(name: str, shape: Sequence[int | str | None], kind: int = TensorProto.FLOAT) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def finish(
    graph: Graph,
    inputs: Sequence[onnx.ValueInfoProto],
    outputs: Sequence[str],
    opset: int = OPSET,
    functions: Sequence[onnx.FunctionProto] = (),
    domains: Sequence[tuple[str, int]] = (),
    kinds: Sequence[int] = (),
) -> onnx.ModelProto:
    """The model around a graph; outputs of unknown shape."""
    kinds = kinds or [TensorProto.FLOAT] * len(outputs)
    declared = [helper.make_tensor_value_info(name, kind, None) for name, kind in zip(outputs, kinds, strict=True)]
    return helper.make_model(
        helper.make_graph(graph.nodes, "main_graph", list(inputs), declared, graph.weights),
        opset_imports=[
            helper.make_opsetid("", opset),
            *[helper.make_opsetid(domain, version) for domain, version in domains],
        ],
        ir_version=9,
        producer_name="pytorch",
        producer_version="2.5.1",
        functions=list(functions),
    )


def classifier(graph: Graph, value: str = "x", pixels: int = 16, classes: int = 4) -> str:
    """Logits of a small dense network."""
    hidden = graph.op("Relu", graph.dense(graph.op("Flatten", value), pixels, 8))
    return graph.dense(hidden, 8, classes)


IMAGE = tensor("x", ["N", 1, 4, 4])
