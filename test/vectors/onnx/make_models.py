"""Writes the ONNX models of this folder. Needs the packages `onnx` and `numpy`; the same input gives the same bytes."""

from pathlib import Path

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper, save_model

HERE = Path(__file__).parent
CLASSES = 10


def network(seed: int, favoured: int, channels: int = 8):
    """x [N,1,8,8] -> conv 3x3, relu, mean over the image, dense -> logits [N,10]. `favoured` wins whatever the input, so that
    an answer tells which model gave it."""
    random = np.random.default_rng(seed)
    bias = np.zeros(CLASSES, np.float32)
    bias[favoured] = 100
    initializers = [
        numpy_helper.from_array(random.normal(0, 0.3, (channels, 1, 3, 3)).astype(np.float32), "conv.weight"),
        numpy_helper.from_array(np.zeros(channels, np.float32), "conv.bias"),
        numpy_helper.from_array(random.normal(0, 0.1, (CLASSES, channels)).astype(np.float32), "dense.weight"),
        numpy_helper.from_array(bias, "dense.bias"),
    ]
    nodes = [
        helper.make_node("Conv", ["x", "conv.weight", "conv.bias"], ["c"], name="conv", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["r"], name="relu"),
        helper.make_node("GlobalAveragePool", ["r"], ["p"], name="pool"),
        helper.make_node("Flatten", ["p"], ["f"], name="flatten"),
        helper.make_node("Gemm", ["f", "dense.weight", "dense.bias"], ["logits"], name="dense", transB=1),
    ]
    return model(nodes, initializers)


def slow(rounds: int = 1200):
    """The same signature, but every run takes a good part of a second: matrix products that depend on one another."""
    side = 256
    bias = np.zeros(CLASSES, np.float32)
    bias[3] = 100
    initializers = [
        numpy_helper.from_array(np.int64([rounds]).reshape(()), "rounds"),
        numpy_helper.from_array(np.array(True), "go"),
        numpy_helper.from_array(np.float32([1 / side]), "step"),
        numpy_helper.from_array(np.int64([side, side]), "square"),
        numpy_helper.from_array(np.zeros((CLASSES, 64), np.float32), "dense.weight"),
        numpy_helper.from_array(bias, "dense.bias"),
    ]
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["go.in"], ["go.out"]),
            helper.make_node("MatMul", ["m.in", "filled"], ["m.out"]),
        ],
        "round",
        [
            helper.make_tensor_value_info("i", TensorProto.INT64, []),
            helper.make_tensor_value_info("go.in", TensorProto.BOOL, []),
            helper.make_tensor_value_info("m.in", TensorProto.FLOAT, [side, side]),
        ],
        [
            helper.make_tensor_value_info("go.out", TensorProto.BOOL, []),
            helper.make_tensor_value_info("m.out", TensorProto.FLOAT, [side, side]),
        ],
    )
    nodes = [
        # Depends on the input, so that no optimiser computes it while loading.
        helper.make_node("ReduceMax", ["x"], ["peak"], keepdims=0),
        helper.make_node("Mul", ["peak", "step"], ["tiny"]),
        helper.make_node("Expand", ["tiny", "square"], ["filled"]),
        helper.make_node("Loop", ["rounds", "go", "filled"], ["worked"], name="loop", body=body),
        helper.make_node("ReduceMean", ["worked"], ["mean"], keepdims=0),
        helper.make_node("Flatten", ["x"], ["f"]),
        helper.make_node("Gemm", ["f", "dense.weight", "dense.bias"], ["dense"], name="dense", transB=1),
        helper.make_node("Add", ["dense", "mean"], ["logits"]),
    ]
    return model(nodes, initializers)


def external():
    """The first network with a weight that it wants to read from a file beside it."""
    made = network(1, 1)
    tensor = made.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "weights.bin"), ("offset", "0"), ("length", "288")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    return made


def every_datatype():
    """One input of each datatype of the protocol, two numbers to a record, and each of them back as it came; `scores` is the FP32 one."""
    kinds = {
        "bool": TensorProto.BOOL, "u8": TensorProto.UINT8, "u16": TensorProto.UINT16, "u32": TensorProto.UINT32, "u64": TensorProto.UINT64,
        "i8": TensorProto.INT8, "i16": TensorProto.INT16, "i32": TensorProto.INT32, "i64": TensorProto.INT64,
        "half": TensorProto.FLOAT16, "single": TensorProto.FLOAT, "double": TensorProto.DOUBLE, "text": TensorProto.STRING,
    }  # fmt: skip
    nodes = [helper.make_node("Identity", [name], [f"{name}.out"]) for name in kinds]
    return graph_of(
        [*nodes, helper.make_node("Identity", ["single"], ["scores"])],
        [(name, kind, ["N", 2]) for name, kind in kinds.items()],
        [("scores", TensorProto.FLOAT, ["N", 2]), *((f"{name}.out", kind, ["N", 2]) for name, kind in kinds.items())],
    )


def mixing():
    """scores = x less its mean over the batch: what a record is answered depends on the others."""
    nodes = [
        helper.make_node("ReduceMean", ["x"], ["mean"], axes=[0], keepdims=1),
        helper.make_node("Sub", ["x", "mean"], ["scores"]),
    ]
    return graph_of(nodes, [("x", TensorProto.FLOAT, ["N", 4])], [("scores", TensorProto.FLOAT, ["N", 4])])


def looking_up(rows: int = 100):
    """scores [N,4] = row `index` [N] of a table of 100: an index beyond it fails the run."""
    table = np.arange(rows * 4, dtype=np.float32).reshape(rows, 4)
    nodes = [helper.make_node("Gather", ["table", "index"], ["scores"])]
    return graph_of(
        nodes,
        [("index", TensorProto.INT64, ["N"])],
        [("scores", TensorProto.FLOAT, ["N", 4])],
        [numpy_helper.from_array(table, "table")],
    )


def graph_of(nodes, inputs, outputs, initializers=()):
    value = helper.make_tensor_value_info
    graph = helper.make_graph(nodes, "lab", [value(*one) for one in inputs], [value(*one) for one in outputs], list(initializers))
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(made)
    return made


def model(nodes, initializers):
    graph = helper.make_graph(
        nodes,
        "lab",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", CLASSES])],
        initializers,
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(made)
    return made


save_model(network(1, 1), HERE / "golden.onnx")
save_model(network(2, 7), HERE / "suspect.onnx")
save_model(slow(), HERE / "slow.onnx")
(HERE / "external.onnx").write_bytes(external().SerializeToString())
save_model(every_datatype(), HERE / "every-datatype.onnx")
save_model(mixing(), HERE / "mixing.onnx")
save_model(looking_up(), HERE / "looking-up.onnx")
