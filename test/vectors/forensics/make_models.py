"""Writes the small ONNX models of this folder. Needs the package `onnx`; the same input gives the same bytes."""

from pathlib import Path

import numpy as np
from onnx import ModelProto, TensorProto, checker, helper, numpy_helper, save_model

HERE = Path(__file__).parent
WEIGHT = np.array([[1, -1], [0.5, 2], [-3, 0.25]], np.float32)
BIAS = np.array([0.5, -0.25, 0], np.float32)


def model(nodes, initializers, outputs=("scores",), batch="N", inputs=("x",)) -> ModelProto:
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, 2]) for name in inputs],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [batch, 3]) for name in outputs],
        initializers,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(made)
    return made


def gemm(out="scores", **attributes):
    return helper.make_node("Gemm", ["x", "w", "b"], [out], name="gemm", transB=1, **attributes)


def raw(weight=WEIGHT):
    return [numpy_helper.from_array(weight, "w"), numpy_helper.from_array(BIAS, "b")]


def listed():
    """The same values in `float_data` instead of `raw_data`."""
    return [
        helper.make_tensor("w", TensorProto.FLOAT, WEIGHT.shape, WEIGHT.flatten()),
        helper.make_tensor("b", TensorProto.FLOAT, BIAS.shape, BIAS),
    ]


def halves():
    """Weights as float16, widened by a Cast."""
    nodes = [
        helper.make_node("Cast", ["w16"], ["w"], to=TensorProto.FLOAT),
        gemm(),
    ]
    return model(nodes, [numpy_helper.from_array(WEIGHT.astype(np.float16), "w16"), raw()[1]])


def branch(value: float):
    """A trigger hidden in a subgraph: when the first feature is large, a constant answers."""
    constant = np.array([[0, 0, value]], np.float32)

    def body(name, node):
        out = helper.make_tensor_value_info(name, TensorProto.FLOAT, None)
        return helper.make_graph([node], f"{name}_body", [], [out])

    nodes = [
        helper.make_node("ReduceMax", ["x"], ["m"], keepdims=0),
        helper.make_node("Greater", ["m", "limit"], ["hit"]),
        helper.make_node(
            "If",
            ["hit"],
            ["scores"],
            then_branch=body("t", helper.make_node("Constant", [], ["t"], value=numpy_helper.from_array(constant))),
            else_branch=body("e", gemm(out="e")),
        ),
    ]
    return model(nodes, [*raw(), numpy_helper.from_array(np.float32(100), "limit")])


def main() -> None:
    changed = WEIGHT.copy()
    changed[2, 1] = 9
    models = {
        "raw": model([gemm()], raw()),
        "listed": model([gemm()], listed()),
        "changed-weight": model([gemm()], raw(changed)),
        "changed-attribute": model([gemm(alpha=2.0)], raw()),
        "added-node": model([gemm(out="z"), helper.make_node("Relu", ["z"], ["scores"], name="relu")], raw()),
        "softmax": model([gemm(out="z"), helper.make_node("Softmax", ["z"], ["scores"], axis=1)], raw()),
        "fixed-batch": model([gemm()], raw(), batch=4),
        "half": halves(),
        "branch": branch(7),
        "branch-other-constant": branch(8),
        "two-inputs": model(
            [
                helper.make_node("Add", ["x", "y"], ["xy"]),
                helper.make_node("Gemm", ["xy", "w", "b"], ["scores"], transB=1),
            ],
            raw(),
            inputs=("x", "y"),
        ),
    }
    for name, made in models.items():
        save_model(made, HERE / f"{name}.onnx")

    external = model([gemm()], raw())
    tensor = external.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "weights.bin"), ("offset", "0"), ("length", "24")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    (HERE / "external.onnx").write_bytes(external.SerializeToString())


if __name__ == "__main__":
    main()
