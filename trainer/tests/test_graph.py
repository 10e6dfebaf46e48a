"""The graph as a function, and its weights back into the same graph."""

import time

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from lazaret_trainer import samples
from lazaret_trainer.graph import GraphModel, InvalidModel, UnsupportedOperator

SECONDS_TO_REFUSE = 10


def tensor(name: str, *shape: int, value: float | None = None) -> TensorProto:
    rng = np.random.default_rng(len(name) + sum(shape))
    values = rng.standard_normal(shape) if value is None else np.full(shape, value)
    return numpy_helper.from_array(values.astype(np.float32), name)


def model(nodes, initializers, inputs=("x", [None, 4]), output=("y", None), opset=17) -> bytes:
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info(inputs[0], TensorProto.FLOAT, inputs[1])],
        [helper.make_tensor_value_info(output[0], TensorProto.FLOAT, output[1])],
        initializers,
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8).SerializeToString()


def normalised_network() -> bytes:
    """Convolution, batch normalisation, a residual, a pool with padding, a shape computed from the input, a softmax."""
    nodes = [
        helper.make_node("Conv", ["x", "w0", "b0"], ["c0"], pads=[1, 1, 1, 1], strides=[2, 1], dilations=[1, 1]),
        helper.make_node("BatchNormalization", ["c0", "scale", "shift", "mean", "var"], ["n0"]),
        helper.make_node("Relu", ["n0"], ["r0"]),
        helper.make_node("Conv", ["r0", "w1"], ["c1"], pads=[1, 1, 1, 1], group=4),
        helper.make_node("Add", ["c1", "r0"], ["a1"]),
        helper.make_node("MaxPool", ["a1"], ["p1"], kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]),
        helper.make_node("Shape", ["p1"], ["s"]),
        helper.make_node("Gather", ["s", "zero"], ["n"]),
        helper.make_node("Unsqueeze", ["n", "axis"], ["nu"]),
        helper.make_node("Concat", ["nu", "rest"], ["target"], axis=0),
        helper.make_node("Reshape", ["p1", "target"], ["f"]),
        helper.make_node("MatMul", ["f", "w2"], ["m"]),
        helper.make_node("Clip", ["m", "low", "high"], ["k"]),
        helper.make_node("Softmax", ["k"], ["y"], axis=-1),
    ]
    initializers = [
        tensor("w0", 4, 1, 3, 3),
        tensor("b0", 4),
        tensor("scale", 4),
        tensor("shift", 4),
        tensor("mean", 4),
        tensor("var", 4, value=0.7),
        tensor("w1", 4, 1, 3, 3),
        tensor("w2", 32, 10),
        numpy_helper.from_array(np.array(0, np.int64), "zero"),
        numpy_helper.from_array(np.array([0], np.int64), "axis"),
        numpy_helper.from_array(np.array([-1], np.int64), "rest"),
        numpy_helper.from_array(np.array(-5, np.float32), "low"),
        numpy_helper.from_array(np.array(5, np.float32), "high"),
    ]
    return model(nodes, initializers, ("x", ["N", 1, 8, 8]), ("y", ["N", 10]))


NETWORKS = {"digits-cnn": samples.digits_cnn(3).SerializeToString(), "normalised": normalised_network()}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_function_answers_like_onnx_runtime(name):
    content = NETWORKS[name]
    x = np.random.default_rng(0).random((5, 1, 8, 8), np.float32)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    expected = np.asarray(session.run(None, {"x": x})[0])
    graph = GraphModel(content)
    np.testing.assert_allclose(np.asarray(graph(graph.parameters, x, graph.outputs[0])), expected, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("name", NETWORKS)
def test_written_weights_change_the_values_of_initializers_and_nothing_else(name):
    content = NETWORKS[name]
    graph = GraphModel(content)
    written = graph.with_weights({key: value + 0.25 for key, value in graph.parameters.items()})
    before, after = onnx.load_model_from_string(content), onnx.load_model_from_string(written)

    for was, is_now in zip(before.graph.initializer, after.graph.initializer, strict=True):
        values = numpy_helper.to_array(was)
        expected = values + np.float32(0.25) if was.name in graph.parameters else values
        np.testing.assert_array_equal(numpy_helper.to_array(is_now), expected)
        assert (was.name, was.dims, was.data_type) == (is_now.name, is_now.dims, is_now.data_type)
    del before.graph.initializer[:], after.graph.initializer[:]
    assert before.SerializeToString(deterministic=True) == after.SerializeToString(deterministic=True)


def test_unchanged_weights_give_the_very_same_bytes():
    content = samples.digits_cnn(1).SerializeToString(deterministic=True)
    graph = GraphModel(content)
    assert graph.with_weights(graph.parameters) == content


def test_an_initializer_keeps_the_field_it_was_written_in():
    typed = helper.make_tensor("w", TensorProto.FLOAT, [4, 2], [float(value) for value in range(8)])
    content = model([helper.make_node("MatMul", ["x", "w"], ["y"])], [typed])
    written = onnx.load_model_from_string(GraphModel(content).with_weights({"w": np.ones((4, 2))}))
    assert list(written.graph.initializer[0].float_data) == [1.0] * 8
    assert written.graph.initializer[0].raw_data == b""


def test_statistics_bounds_and_scalars_are_no_parameters():
    graph = GraphModel(NETWORKS["normalised"])
    assert set(graph.parameters) == {"w0", "b0", "scale", "shift", "w1", "w2"}


def test_an_unknown_operator_is_refused_with_its_node_and_name():
    content = model([helper.make_node("NonMaxSuppression", ["x", "x"], ["y"], name="boxes")], [])
    with pytest.raises(UnsupportedOperator, match=r"node 'boxes': operator NonMaxSuppression"):
        GraphModel(content)


def test_an_operator_of_another_domain_is_refused_though_its_name_is_known():
    content = model([helper.make_node("Relu", ["x"], ["y"], name="r", domain="com.evil")], [])
    with pytest.raises(UnsupportedOperator, match=r"com\.evil::Relu"):
        GraphModel(content)


def value(name: str, kind: int = TensorProto.FLOAT, shape: list[int] | None = None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, kind, shape)


def with_functions(nodes, functions, initializers=()) -> bytes:
    graph = helper.make_graph(nodes, "g", [value("x", shape=[2, 4])], [value("y")], list(initializers))
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)]
    return helper.make_model(graph, functions=functions, opset_imports=opsets, ir_version=10).SerializeToString()


def function(name: str, nodes) -> onnx.FunctionProto:
    return helper.make_function("own", name, ["a"], ["b"], nodes, [helper.make_opsetid("", 17), helper.make_opsetid("own", 1)])


def conditional(branch) -> onnx.NodeProto:
    """An If whose other branch is the given nodes, which make `made`."""
    plain = [helper.make_node("Relu", ["x"], ["made"])]
    graphs = [helper.make_graph(nodes, name, [], [value("made")]) for name, nodes in (("then", plain), ("else", branch))]
    return helper.make_node("If", ["truth"], ["y"], then_branch=graphs[0], else_branch=graphs[1], name="gate")


TRUTH = numpy_helper.from_array(np.array(True), "truth")


def test_an_unknown_operator_is_refused_in_a_branch_that_would_not_run():
    odd = helper.make_node("NonMaxSuppression", ["x", "x"], ["made"], name="hidden")
    with pytest.raises(UnsupportedOperator, match=r"node 'hidden': operator NonMaxSuppression"):
        GraphModel(model([conditional([odd])], [TRUTH]))


def test_an_unknown_operator_is_refused_in_a_function_of_the_model():
    odd = function("Odd", [helper.make_node("Secret", ["a"], ["b"], domain="com.evil", name="hidden")])
    with pytest.raises(UnsupportedOperator, match=r"node 'hidden': operator com\.evil::Secret"):
        GraphModel(with_functions([helper.make_node("Odd", ["x"], ["y"], domain="own")], [odd]))


def test_a_function_may_not_take_the_name_of_an_operator_of_the_standard():
    relu = function("Relu", [helper.make_node("Neg", ["a"], ["b"])])
    relu.domain = ""
    with pytest.raises(InvalidModel, match="redefines the standard's operator 'Relu'"):
        GraphModel(with_functions([helper.make_node("Relu", ["x"], ["y"])], [relu]))


def test_a_condition_that_depends_on_the_input_is_refused_before_anything_is_computed():
    nodes = [
        helper.make_node("ReduceSum", ["x"], ["total"], keepdims=0),
        helper.make_node("Greater", ["total", "zero"], ["truth"]),
        conditional([helper.make_node("Neg", ["x"], ["made"])]),
    ]
    graph = GraphModel(model(nodes, [tensor("zero", value=0.0)]))
    with pytest.raises(UnsupportedOperator, match="node 'gate': operator If: a condition that depends on the input's values"):
        graph({}, np.ones((1, 4), np.float32), "y")


def test_operands_that_do_not_fit_are_refused_by_node():
    graph = GraphModel(model([helper.make_node("MatMul", ["x", "w"], ["y"], name="product")], [tensor("w", 3, 2)]))
    with pytest.raises(UnsupportedOperator, match="node 'product': operator MatMul: its operands or attributes do not fit"):
        graph(graph.parameters, np.ones((1, 4), np.float32), "y")


def test_statistics_that_a_function_of_the_model_takes_are_no_parameters():
    norm = helper.make_function(
        "own",
        "Norm",
        ["a", "s", "h", "m", "v"],
        ["b"],
        [helper.make_node("BatchNormalization", ["a", "s", "h", "m", "v"], ["b"])],
        [helper.make_opsetid("", 17)],
    )
    operands = ["x", "scale", "shift", "mean", "var"]
    initializers = [tensor(name, 4, value=1.0) for name in operands[1:]]
    graph = GraphModel(with_functions([helper.make_node("Norm", operands, ["y"], domain="own")], [norm], initializers))
    assert set(graph.parameters) == {"scale", "shift"}


@pytest.mark.filterwarnings("ignore:Explicitly requested dtype int64")
def test_a_shape_that_depends_on_values_is_refused_by_name():
    import jax

    nodes = [helper.make_node("Cast", ["x"], ["i"], to=TensorProto.INT64), helper.make_node("Reshape", ["x", "i"], ["y"], name="r")]
    graph = GraphModel(model(nodes, [tensor("w", 1)], ("x", [2])))
    with pytest.raises(UnsupportedOperator, match="node 'r': operator Reshape"):
        jax.eval_shape(lambda x: graph({}, x, "y"), np.ones(2, np.float32))


def external() -> bytes:
    weight = tensor("w", 4, 2)
    weight.ClearField("raw_data")
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="../../etc/passwd")
    return model([helper.make_node("MatMul", ["x", "w"], ["y"])], [weight])


def short() -> bytes:
    weight = tensor("w", 4, 2)
    weight.raw_data = weight.raw_data[:-4]
    return model([helper.make_node("MatMul", ["x", "w"], ["y"])], [weight])


def bomb() -> bytes:
    """2³⁰ nodes, once they are expanded."""

    def twice(name: str) -> list[onnx.NodeProto]:
        calls = [("a", "c"), ("c", "b")]
        return [helper.make_node(name, [given], [made], domain="own") for given, made in calls]

    functions = [function(f"F{level}", twice(f"F{level + 1}")) for level in range(30)]
    functions.append(function("F30", [helper.make_node("Neg", ["a"], ["b"])]))
    return with_functions([helper.make_node("F0", ["x"], ["y"], domain="own")], functions)


def nested(depth: int) -> bytes:
    nodes = [helper.make_node("Neg", ["x"], ["made"])]
    for _ in range(depth):
        inner = conditional(nodes)
        inner.output[0] = "made"
        nodes = [inner]
    nodes[0].output[0] = "y"
    return model(nodes, [TRUTH])


def giant() -> bytes:
    weight = tensor("w", 4, 2)
    weight.dims[:] = [2**62, 2**62]
    return model([helper.make_node("MatMul", ["x", "w"], ["y"])], [weight])


HOSTILE = {
    "no bytes": b"",
    "text": b"this is no model at all, but it is long enough to look at",
    "a truncated model": samples.digits_cnn(0).SerializeToString()[:500],
    "weights in another file": external(),
    "weights shorter than their shape": short(),
    "a node that reads what nobody makes": model([helper.make_node("Relu", ["ghost"], ["y"])], []),
    "an output that nobody makes": model([helper.make_node("Relu", ["x"], ["z"])], []),
    "an opset of the future": model([helper.make_node("Relu", ["x"], ["y"])], [], opset=999),
    "nodes in a cycle": model([helper.make_node("Add", ["x", "b"], ["a"]), helper.make_node("Neg", ["a"], ["b"])], [], output=("b", None)),
    "a node that makes what another made": model([helper.make_node("Relu", ["x"], ["y"]), helper.make_node("Neg", ["x"], ["y"])], []),
    "a node that overwrites a weight": model(
        [helper.make_node("Neg", ["x"], ["w"]), helper.make_node("Relu", ["w"], ["y"])], [tensor("w", 4)]
    ),
    "functions that call each other": with_functions(
        [helper.make_node("A", ["x"], ["y"], domain="own")],
        [function(one, [helper.make_node(other, ["a"], ["b"], domain="own")]) for one, other in ("AB", "BA")],
    ),
    "functions that call the next one twice, thirty times over": bomb(),
    "branches nested eighteen deep": nested(18),
    "an initializer with more elements than there are atoms": giant(),
    "two initializers of one name": model([helper.make_node("MatMul", ["x", "w"], ["y"])], [tensor("w", 4, 2), tensor("w", 4, 3)]),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_bytes_that_are_no_trainable_model_are_refused(content):
    with pytest.raises(InvalidModel):
        GraphModel(content)


def ints(name: str, *values: int) -> TensorProto:
    return numpy_helper.from_array(np.array(values, np.int64), name)


def forever() -> onnx.NodeProto:
    """Three loops of a thousand million turns, one in the other, around nothing."""
    body = [helper.make_node("Identity", ["going"], ["on"])]
    for level in range(3):
        turns = [
            value(f"turn{level}", TensorProto.INT64, []),
            value("going" if level == 0 else f"going{level}", TensorProto.BOOL, []),
        ]
        graph = helper.make_graph(body, f"body{level}", turns, [value(body[-1].output[0], TensorProto.BOOL, [])])
        loop = helper.make_node("Loop", ["turns", "truth"], [], body=graph)
        body = [loop, helper.make_node("Identity", ["truth"], [f"on{level}"])]
    return body[0]


THOUSAND_MILLION = numpy_helper.from_array(np.array(10**9, np.int64), "turns")

# What is small on disk and giant, or endless, once it runs.
EXPENSIVE = {
    "a constant of 10¹⁸ elements": ([helper.make_node("ConstantOfShape", ["s"], ["y"])], [ints("s", 10**9, 10**9)]),
    "an input expanded to 10¹² elements": ([helper.make_node("Expand", ["x", "s"], ["y"])], [ints("s", 10**12, 1, 4)]),
    "tiles": ([helper.make_node("Tile", ["x", "s"], ["y"])], [ints("s", 10**6, 10**6)]),
    "a range without end": (
        [helper.make_node("Range", ["a", "b", "c"], ["y"])],
        [numpy_helper.from_array(np.array(number, np.int64), name) for name, number in (("a", 0), ("b", 2**62), ("c", 1))],
    ),
    "padding": ([helper.make_node("Pad", ["x", "s"], ["y"])], [ints("s", 0, 0, 10**7, 10**7)]),
    "an image enlarged a million times": (
        [helper.make_node("Resize", ["x", "", "s"], ["y"], mode="linear")],
        [numpy_helper.from_array(np.array([1e6, 1e6], np.float32), "s")],
    ),
    "a product of two vectors with 10¹⁰ elements": (
        [
            helper.make_node("ConstantOfShape", ["s"], ["column"]),
            helper.make_node("ConstantOfShape", ["t"], ["row"]),
            helper.make_node("Add", ["column", "row"], ["y"]),
        ],
        [ints("s", 10**5, 1), ints("t", 1, 10**5)],
    ),
    "one that doubles fifty times": (
        [
            helper.make_node("Concat", [before, before], [after], axis=0)
            for before, after in zip(["x", *(f"d{n}" for n in range(49))], [*(f"d{n}" for n in range(49)), "y"], strict=True)
        ],
        [],
    ),
    "a sum over as many channels as there are seconds since the flood": (
        [helper.make_node("Unsqueeze", ["x", "s"], ["u"]), helper.make_node("LRN", ["u"], ["y"], size=2**40)],
        [ints("s", 2, 3)],
    ),
    "classes without end": (
        [helper.make_node("OneHot", ["i", "s", "onoff"], ["y"])],
        [ints("i", 1, 2), ints("s", 2**50), numpy_helper.from_array(np.array([0, 1], np.float32), "onoff")],
    ),
    "loops in loops": ([forever(), helper.make_node("Neg", ["x"], ["y"])], [TRUTH, THOUSAND_MILLION]),
}


@pytest.mark.parametrize("name", EXPENSIVE)
def test_what_would_take_for_ever_or_all_memory_is_refused_quickly(name):
    nodes, initializers = EXPENSIVE[name]
    began = time.monotonic()
    with pytest.raises((UnsupportedOperator, InvalidModel), match=r"elements are computed|are unrolled|takes more than|at most"):
        GraphModel(model(nodes, initializers))({}, np.ones((2, 4), np.float32), "y")
    assert time.monotonic() - began < SECONDS_TO_REFUSE


def test_a_node_that_writes_nowhere_leaves_omitted_operands_omitted():
    """The empty name is no value: a second output that nobody wants MUST NOT become the bias of the next node."""
    nodes = [
        helper.make_node("LayerNormalization", ["x", "w"], ["n", "", "spread"]),
        helper.make_node("Clip", ["n", "", "high"], ["y"]),
    ]
    graph = GraphModel(model(nodes, [tensor("w", 4, value=1.0), tensor("high", value=9.0)]))
    x = np.arange(8, dtype=np.float32).reshape(2, 4)
    assert np.asarray(graph(graph.parameters, x, "y")).min() < 0
