"""Real data and untrained models for the drills.

`digits --out FILE.json` writes scikit-learn's hand-written digits (1797 of 8×8, UCI):
`{"images": [[64 floats, 0 to 1], …], "labels": [0 to 9, …]}`.
`traffic-signs --folder FOLDER --out FILE.json` writes six kinds of GTSRB's traffic signs, 32×32 in colour, from FOLDER/gtsrb32.npz:
`{"classes": [name, …], "labels": […], "signs": [number of the physical sign, …], "images": base64 of uint8 [N, 3, 32, 32]}`.
`digits-cnn`, `signs-cnn` and `credit-mlp` with `--seed N --out FILE.onnx` write networks with He-initialised weights (He et al. 2015),
opset 17, input `x` float32 [N, …record], output `logits` [N, classes]. Called as `python -m lazaret_trainer.samples`.
"""

import argparse
import base64
import json
import os
from pathlib import Path

import numpy as np
import onnx
from onnx import NodeProto, TensorProto, helper, numpy_helper

OPSET = 17
IR_VERSION = 8
SIGNS = {
    2: "speed limit 50",
    12: "priority road",
    13: "yield",
    14: "stop",
    17: "no entry",
    38: "keep right",
}
"""GTSRB's numbers of the classes that the drill uses. They look unlike each other: so few physical signs teach no finer differences."""


def digits() -> dict[str, list[list[float]] | list[int]]:
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    return {"images": (images / 16).tolist(), "labels": labels.tolist()}


def traffic_signs(folder: Path) -> dict[str, object]:
    """GTSRB (Stallkamp et al. 2012). Frames of one class and track show one physical sign: whoever splits MUST keep them together."""
    with np.load(folder / "gtsrb32.npz") as held:
        images, labels, tracks = held["X"], held["y"], held["track"]
    chosen = np.isin(labels, list(SIGNS))
    images, labels, tracks = images[chosen], labels[chosen], tracks[chosen]
    _, signs = np.unique(np.stack([labels, tracks]), axis=1, return_inverse=True)
    return {
        "classes": list(SIGNS.values()),
        "labels": np.searchsorted(list(SIGNS), labels).tolist(),
        "signs": signs.ravel().tolist(),
        "images": base64.b64encode(np.ascontiguousarray(images.transpose(0, 3, 1, 2)).tobytes()).decode("ascii"),
    }


def digits_cnn(seed: int) -> onnx.ModelProto:
    return convolutional("digits-cnn", seed, shape=(1, 8, 8), channels=(16, 32), hidden=64, classes=10)


def signs_cnn(seed: int) -> onnx.ModelProto:
    """Photographs by day and night: the network begins with taking out each image's own brightness and contrast."""
    return convolutional("signs-cnn", seed, shape=(3, 32, 32), channels=(12, 24, 48), hidden=64, classes=len(SIGNS), levelled=True)


def credit_mlp(seed: int) -> onnx.ModelProto:
    """Layers of neurons over the 23 columns of a credit record; classes: pays, defaults."""
    weights = _Weights(seed)
    nodes = [
        _layer("hidden", "x", "hidden", weights, 32, 23),
        helper.make_node("Relu", ["hidden"], ["hidden.active"], "hidden.relu"),
        _layer("head", "hidden.active", "logits", weights, 2, 32),
    ]
    return _model("credit-mlp", nodes, weights, shape=(23,), classes=2)


def convolutional(
    name: str,
    seed: int,
    *,
    shape: tuple[int, int, int],
    channels: tuple[int, ...],
    hidden: int,
    classes: int,
    levelled: bool = False,
) -> onnx.ModelProto:
    """For each of `channels`: convolution 3×3, Relu, maximum over 2×2; then two layers of neurons. `shape` is [channels, side, side].

    `levelled`: the mean of each channel of an image is taken out first, and its deviation made 1.
    """
    weights = _Weights(seed)
    nodes: list[NodeProto] = []
    value, (inputs, size, _) = "x", shape
    if levelled:
        scale, shift = weights.ones("level.scale", inputs), weights.zeros("level.bias", inputs)
        nodes.append(helper.make_node("InstanceNormalization", [value, scale, shift], ["levelled"], "level", epsilon=1e-3))
        value = "levelled"
    for index, outputs in enumerate(channels):
        kernel = weights.drawn(f"conv{index}.weight", (outputs, inputs, 3, 3), fan_in=9 * inputs)
        bias = weights.zeros(f"conv{index}.bias", outputs)
        nodes += [
            helper.make_node("Conv", [value, kernel, bias], [f"conv{index}"], f"conv{index}", kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
            helper.make_node("Relu", [f"conv{index}"], [f"relu{index}"], f"relu{index}"),
            helper.make_node("MaxPool", [f"relu{index}"], [f"pool{index}"], f"pool{index}", kernel_shape=[2, 2], strides=[2, 2]),
        ]
        value, inputs, size = f"pool{index}", outputs, size // 2
    nodes += [
        helper.make_node("Flatten", [value], ["features"], "flatten"),
        _layer("hidden", "features", "hidden", weights, hidden, inputs * size * size),
        helper.make_node("Relu", ["hidden"], ["hidden.active"], "hidden.relu"),
        _layer("head", "hidden.active", "logits", weights, classes, hidden),
    ]
    return _model(name, nodes, weights, shape, classes)


NETWORKS = {"digits-cnn": digits_cnn, "signs-cnn": signs_cnn, "credit-mlp": credit_mlp}


def _model(name: str, nodes: list[NodeProto], weights: "_Weights", shape: tuple[int, ...], classes: int) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", *shape])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", classes])],
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

    def ones(self, name: str, size: int) -> str:
        return self._add(name, np.ones(size))

    def _add(self, name: str, values: np.ndarray) -> str:
        self.tensors.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name


def main() -> None:
    parser = argparse.ArgumentParser(prog="lazaret_trainer.samples", description="Writes the sample data and models of the drills.")
    kinds = parser.add_subparsers(dest="kind", required=True)
    kinds.add_parser("digits")
    kinds.add_parser("traffic-signs").add_argument("--folder", type=Path, required=True)
    for name in NETWORKS:
        kinds.add_parser(name).add_argument("--seed", type=int, default=0)
    for kind in kinds.choices.values():
        kind.add_argument("--out", type=Path, required=True)
    chosen = parser.parse_args()
    if chosen.kind in NETWORKS:
        chosen.out.write_bytes(NETWORKS[chosen.kind](chosen.seed).SerializeToString(deterministic=True))
    else:
        data = digits() if chosen.kind == "digits" else traffic_signs(chosen.folder)
        chosen.out.write_text(json.dumps(data, separators=(",", ":")), "utf-8")


if __name__ == "__main__":
    main()
