"""Real data and an untrained model for the drills.

`python -m lazaret_trainer.samples digits --out FILE.json` writes scikit-learn's hand-written digits (1797 of 8×8, UCI):
`{"images": [[64 floats, 0 to 1], …], "labels": [0 to 9, …]}`.
`python -m lazaret_trainer.samples digits-cnn --seed N --out FILE.onnx` writes a convolutional network with He-initialised weights
(He et al. 2015): input `x` [N, 1, 8, 8] float32, output `logits` [N, 10], opset 17.
"""

import argparse
import json
import os
from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
CHANNELS = (16, 32)
HIDDEN = 64
SIZE = 8
CLASSES = 10


def digits() -> dict[str, list[list[float]] | list[int]]:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    return {"images": (images / 16).tolist(), "labels": labels.tolist()}


def digits_cnn(seed: int) -> onnx.ModelProto:
    """Twice convolution 3×3, Relu, maximum over 2×2; then two layers of neurons."""
    weights = _Weights(seed)
    nodes: list[NodeProto] = []
    value, channels, size = "x", 1, SIZE
    for index, outputs in enumerate(CHANNELS):
        kernel = weights.drawn(f"conv{index}.weight", (outputs, channels, 3, 3), fan_in=9 * channels)
        bias = weights.zeros(f"conv{index}.bias", outputs)
        nodes += [
            helper.make_node("Conv", [value, kernel, bias], [f"conv{index}"], f"conv{index}", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", [f"conv{index}"], [f"relu{index}"], f"relu{index}"),
            helper.make_node("MaxPool", [f"relu{index}"], [f"pool{index}"], f"pool{index}", kernel_shape=[2, 2], strides=[2, 2]),
        ]
        value, channels, size = f"pool{index}", outputs, size // 2
    width = channels * size * size
    nodes += [
        helper.make_node("Flatten", [value], ["features"], "flatten"),
        _layer("hidden", "features", "hidden", weights, HIDDEN, width),
        helper.make_node("Relu", ["hidden"], ["hidden.active"], "hidden.relu"),
        _layer("head", "hidden.active", "logits", weights, CLASSES, HIDDEN),
    ]
    graph = helper.make_graph(
        nodes,
        "digits-cnn",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1, SIZE, SIZE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", CLASSES])],
        weights.tensors,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION, producer_name="lazaret")
    onnx.checker.check_model(model)
    return model


def _layer(name: str, value: str, output: str, weights: "_Weights", outputs: int, inputs: int) -> NodeProto:
    matrix = weights.drawn(f"{name}.weight", (outputs, inputs), fan_in=inputs)
    return helper.make_node("Gemm", [value, matrix, weights.zeros(f"{name}.bias", outputs)], [output], name, transB=1)


class _Weights:
    """Draws the initializers one after the other."""

    def __init__(self, seed: int):
        # RandomState's stream is frozen for ever, so a seed means the same model under every numpy.
        self._random = np.random.RandomState(seed)
        self.tensors: list[TensorProto] = []

    def drawn(self, name: str, shape: tuple[int, ...], fan_in: int) -> str:
        return self._add(name, self._random.standard_normal(shape) * np.sqrt(2 / fan_in))

    def zeros(self, name: str, size: int) -> str:
        return self._add(name, np.zeros(size))

    def _add(self, name: str, values: np.ndarray) -> str:
        self.tensors.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name


def main() -> None:
    parser = argparse.ArgumentParser(prog="lazaret_trainer.samples", description="Writes the sample data and model of the drills.")
    kinds = parser.add_subparsers(dest="kind", required=True)
    kinds.add_parser("digits").add_argument("--out", type=Path, required=True)
    network = kinds.add_parser("digits-cnn")
    network.add_argument("--seed", type=int, default=0)
    network.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    if chosen.kind == "digits":
        chosen.out.write_text(json.dumps(digits(), separators=(",", ":")), "utf-8")
    else:
        chosen.out.write_bytes(digits_cnn(chosen.seed).SerializeToString(deterministic=True))


if __name__ == "__main__":
    main()
