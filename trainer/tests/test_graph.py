"""The graph as a function, and its weights back into the same graph."""

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper

from lazaret_trainer import samples
from lazaret_trainer.graph import GraphModel, InvalidModel, UnsupportedOperator


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


HOSTILE = {
    "no bytes": b"",
    "text": b"this is no model at all, but it is long enough to look at",
    "a truncated model": samples.digits_cnn(0).SerializeToString()[:500],
    "weights in another file": external(),
    "weights shorter than their shape": short(),
    "a node that reads what nobody makes": model([helper.make_node("Relu", ["ghost"], ["y"])], []),
    "an output that nobody makes": model([helper.make_node("Relu", ["x"], ["z"])], []),
    "an opset of the future": model([helper.make_node("Relu", ["x"], ["y"])], [], opset=999),
    "two initializers of one name": model([helper.make_node("MatMul", ["x", "w"], ["y"])], [tensor("w", 4, 2), tensor("w", 4, 3)]),
}


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_bytes_that_are_no_trainable_model_are_refused(content):
    with pytest.raises(InvalidModel):
        GraphModel(content)
