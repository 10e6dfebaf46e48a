"""Networks in the shapes of real classifiers: parity with ONNX Runtime, gradients, and weights back into the same graph."""

import jax
import jax.numpy as jnp
import numpy as np
import onnx
import onnxruntime
import pytest
from networks import NETWORKS, examples
from onnx import TensorProto, numpy_helper

from lazaret_trainer.graph import GraphModel

FLOATS = {TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE}

by_name = pytest.mark.parametrize("name", NETWORKS)


def canonical(content: bytes) -> bytes:
    """Everything that the canonical graph hash reads (forensics/onnx/graph-hash.ts): all but the values of float initializers."""
    proto = onnx.load_model_from_string(content)
    for tensor in proto.graph.initializer:
        if tensor.data_type in FLOATS:
            for field in ("raw_data", "float_data", "int32_data", "double_data"):
                tensor.ClearField(field)
    return proto.SerializeToString(deterministic=True)


@by_name
@pytest.mark.filterwarnings("ignore:Explicitly requested dtype")
def test_answers_like_onnx_runtime_and_every_gradient_is_finite(name):
    content = NETWORKS[name]
    inputs = examples(content)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    expected = np.asarray(session.run(None, inputs)[0])
    graph = GraphModel(content)

    def loss(parameters, inputs):
        answers = graph.run(parameters, inputs, graph.outputs)[0]
        return -jax.nn.log_softmax(answers)[:, 1].mean(), answers

    arrays = {key: jnp.asarray(value) for key, value in inputs.items()}
    (_, answers), gradients = jax.jit(jax.value_and_grad(loss, has_aux=True))(graph.parameters, arrays)
    np.testing.assert_allclose(np.asarray(answers), expected, atol=1e-4, rtol=1e-4)
    assert set(gradients) == set(graph.parameters)
    assert all(np.isfinite(gradient).all() for gradient in gradients.values())
    assert any(np.abs(gradient).max() > 0 for gradient in gradients.values())


@pytest.mark.parametrize("level", ["0", "2"])
def test_the_gradient_of_a_maximum_is_finite_though_the_compiler_computes_its_elements_twice(level):
    """Without optimisation XLA rounds them differently, so that none equals the maximum; 0 / 0 would be the share of each."""
    content = NETWORKS["unet at opset 26"]
    graph, x = GraphModel(content), examples(content)["x"]
    gradient = jax.grad(lambda parameters, x: (graph(parameters, x, graph.outputs[0]) ** 2).mean())
    compiled = jax.jit(gradient).lower(graph.parameters, x).compile(compiler_options={"xla_backend_optimization_level": level})
    assert all(np.isfinite(value).all() for value in compiled(graph.parameters, x).values())


@by_name
def test_weights_written_back_leave_the_graph_as_it_was(name):
    content = NETWORKS[name]
    graph = GraphModel(content)
    floats = [tensor for tensor in onnx.load_model_from_string(content).graph.initializer if tensor.data_type in FLOATS]
    replaced = {tensor.name: numpy_helper.to_array(tensor) * 0.9 + 0.01 for tensor in floats}
    written = graph.with_weights(replaced)

    before, after = onnx.load_model_from_string(content), onnx.load_model_from_string(written)
    assert [node.SerializeToString(deterministic=True) for node in after.graph.node] == [
        node.SerializeToString(deterministic=True) for node in before.graph.node
    ]
    assert canonical(written) == canonical(content)
    assert written != content
    for tensor in after.graph.initializer:
        if tensor.name in replaced:
            np.testing.assert_array_equal(numpy_helper.to_array(tensor), replaced[tensor.name].astype(np.float32))
    assert graph.with_weights(graph.parameters) == content


@by_name
def test_what_is_no_weight_is_not_trained(name):
    """Statistics, bounds, scales of quantisation and of images, tables of sines."""
    graph = GraphModel(NETWORKS[name])
    proto = onnx.load_model_from_string(NETWORKS[name]).graph
    no_weights = {"BatchNormalization": (3, 4), "Clip": (1, 2), "DequantizeLinear": (1,), "Resize": (2,), "RotaryEmbedding": (1, 2)}
    for node in proto.node:
        assert not {node.input[place] for place in no_weights.get(node.op_type, ())} & set(graph.parameters)
    assert graph.parameters
