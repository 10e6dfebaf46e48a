"""Comparisons made soft: the same graph to the eye of a search, with slopes where it had jumps."""

import backdoor_models as models
import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from lazaret_trainer.forensics.network import read_network
from lazaret_trainer.forensics.relaxation import relaxed
from lazaret_trainer.forensics.structure import gates


def chooser() -> bytes:
    """y = x > 0.5 ? 3 : x·w, by Where."""
    tensors = [numpy_helper.from_array(np.array(value, np.float32), name) for name, value in (("edge", 0.5), ("high", 3), ("w", [[1]]))]
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["low"]),
        helper.make_node("Greater", ["x", "edge"], ["seen"]),
        helper.make_node("Where", ["seen", "high", "low"], ["y"]),
    ]
    value = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", 1]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "chooser", value[:1], value[1:], tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()


def test_a_model_without_comparisons_is_not_softened():
    assert relaxed(models.honest(1)) is None
    assert gates(models.honest(1)) == []


def test_far_from_the_edge_the_soft_model_answers_like_the_real_one():
    x = np.array([[-0.5], [0.0], [1.0], [1.5]], np.float32)
    soft = relaxed(chooser())
    assert soft is not None
    assert np.allclose(read_network(soft).logits(x), read_network(chooser()).logits(x), atol=0.02)


def test_the_softened_graph_has_no_gate_left():
    soft = relaxed(models.gated(models.honest(1)))
    assert soft is not None
    assert gates(soft) == []
    onnx.load_model_from_string(soft)


def test_comparisons_of_constants_are_no_gates():
    proto = onnx.load_model_from_string(models.honest(1))
    proto.graph.node.insert(0, helper.make_node("Greater", ["b", "b"], ["unused"]))
    assert gates(proto.SerializeToString()) == []
