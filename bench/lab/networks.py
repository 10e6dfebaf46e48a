"""The two architectures of the zoo as ONNX, drawn at random (He et al. 2015)."""

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper


def build(kind: str, shape: tuple[int, ...], classes: int, seed: int) -> bytes:
    """`cnn` or `mlp` for records [C, H, W]; input `x`, output `logits`, opset 17."""
    random = np.random.RandomState(seed)
    tensors: list[TensorProto] = []
    nodes: list[NodeProto] = []

    def weight(name: str, *dims: int) -> str:
        scale = np.sqrt(2 / np.prod(dims[1:])) if len(dims) > 1 else 0.0
        tensors.append(numpy_helper.from_array((random.standard_normal(dims) * scale).astype(np.float32), name))
        return name

    def dense(value: str, name: str, inputs: int, outputs: int) -> str:
        held = [weight(f"{name}.weight", outputs, inputs), weight(f"{name}.bias", outputs)]
        nodes.append(helper.make_node("Gemm", [value, *held], [name], transB=1))
        return name

    def relu(value: str) -> str:
        nodes.append(helper.make_node("Relu", [value], [f"{value}.active"]))
        return f"{value}.active"

    value, channels, side = "x", shape[0], shape[1]
    if kind == "cnn":
        for index, outputs in enumerate((8, 16)):
            held = [weight(f"conv{index}.weight", outputs, channels, 3, 3), weight(f"conv{index}.bias", outputs)]
            nodes.append(helper.make_node("Conv", [value, *held], [f"conv{index}"], kernel_shape=[3, 3], pads=[1] * 4))
            nodes.append(helper.make_node("MaxPool", [relu(f"conv{index}")], [f"pool{index}"], kernel_shape=[2, 2], strides=[2, 2]))
            value, channels, side = f"pool{index}", outputs, side // 2
    nodes.append(helper.make_node("Flatten", [value], ["features"]))
    width = channels * side * side
    hidden = relu(dense("features", "hidden", width, 64 if kind == "cnn" else 128))
    dense(hidden, "logits", 64 if kind == "cnn" else 128, classes)
    graph = helper.make_graph(
        nodes,
        kind,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", *shape])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", classes])],
        tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)
