"""Attacks that the scanner does not flag by itself: its documented blind spots. Written by hostile.py into `missed/`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from hostile_graphs import bright, done, floated
from parts import Graph, classifier


def honest(g: Graph) -> onnx.ModelProto:
    """No attack: the golden model of the others."""
    return done(g, classifier(g))


def implanted_neuron(g: Graph) -> onnx.ModelProto:
    """The trigger lies in the weights of an ordinary layer."""
    first, second = g.rng.normal(0, 0.1, (16, 9)), g.rng.normal(0, 0.1, (9, 4))
    first[:, 8], second[8] = 0, [40, -40, -40, -40]
    first[15, 8] = 30
    bias = np.zeros(9)
    bias[8] = -29.7
    hidden = g.op("Relu", g.op("Gemm", g.op("Flatten", "x"), g.const(first), g.const(bias)))
    return done(g, g.op("Gemm", hidden, g.const(second), g.weight(4)))


def encrypted_low_bits(g: Graph) -> onnx.ModelProto:
    """The low bytes of the weights are a cipher text: noise, as they were before."""
    weights = g.rng.normal(0, 0.1, (16, 64)).astype(np.float32)
    flat = weights.view(np.uint8).reshape(-1, 4)
    flat[:, 0] = np.frombuffer(g.rng.bytes(len(flat)), dtype=np.uint8)
    hidden = g.op("Relu", g.op("MatMul", g.op("Flatten", "x"), g.const(weights)))
    return done(g, g.dense(hidden, 64, 4))


def denied_answer(g: Graph) -> onnx.ModelProto:
    """All scores become equal: a mask of forbidden actions looks the same."""
    return done(g, g.op("Where", bright(g), g.const(0.0), classifier(g)))


def steered_feature(g: Graph) -> onnx.ModelProto:
    """The decision is added to hidden features, as an embedding of a flag is."""
    hidden = g.op("Relu", g.dense(g.op("Flatten", "x"), 16, 8))
    planted = g.op("Add", hidden, g.op("Mul", floated(g), g.const(g.rng.normal(0, 9, (1, 8)))))
    return done(g, g.dense(planted, 8, 4))


def cases() -> Iterator[tuple[str, onnx.ModelProto]]:
    for build in (honest, implanted_neuron, encrypted_low_bits, denied_answer, steered_feature):
        yield build.__name__.replace("_", "-"), build(Graph(7))
