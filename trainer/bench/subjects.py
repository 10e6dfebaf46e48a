"""Data, networks and attacks of the training bench. MNIST is read from a folder of IDX files; without one its rows are left out by name."""

import gzip
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from lazaret_trainer import samples

TARGET = 7
BLEND = 0.2


@dataclass(frozen=True)
class Split:
    """Features float32 [N, 1, size, size] in 0 to 1, labels int [N]. No record is in two of the three parts."""

    name: str
    features: np.ndarray
    labels: np.ndarray
    test_features: np.ndarray
    test_labels: np.ndarray
    spare_features: np.ndarray
    """The few hundred records that a responder trusts."""
    spare_labels: np.ndarray

    @property
    def size(self) -> int:
        return self.features.shape[-1]


SPARE = 300


def digits(draw: int) -> Split:
    drawn = samples.digits()
    features = np.array(drawn["images"], np.float32).reshape(-1, 1, 8, 8)
    return _split("digits", features, np.array(drawn["labels"]), 1097, 400, draw)


def whole_digits(draw: int) -> Split:
    """Three quarters to train on, nothing spared."""
    drawn = samples.digits()
    features = np.array(drawn["images"], np.float32).reshape(-1, 1, 8, 8)
    return _split("digits", features, np.array(drawn["labels"]), 1347, 450, draw)


def mnist(folder: Path | None, draw: int, train: int = 12_000, test: int = 2000) -> Split | None:
    if folder is None or not (folder / "train-images-idx3-ubyte.gz").exists():
        return None
    pixels = np.frombuffer(gzip.decompress((folder / "train-images-idx3-ubyte.gz").read_bytes())[16:], np.uint8)
    labels = np.frombuffer(gzip.decompress((folder / "train-labels-idx1-ubyte.gz").read_bytes())[8:], np.uint8)
    return _split("mnist", (pixels.reshape(-1, 1, 28, 28) / 255).astype(np.float32), labels.astype(int), train, test, draw)


def _split(name: str, features: np.ndarray, labels: np.ndarray, train: int, test: int, draw: int) -> Split:
    """`draw` is the seed of the parts. Settings were chosen on draws from 100 on, figures are of draws below."""
    order = np.random.RandomState(draw).permutation(len(labels))
    rows, held, spare = order[:train], order[train : train + test], order[train + test : train + test + SPARE]
    return Split(name, features[rows], labels[rows], features[held], labels[held], features[spare], labels[spare])


def network(kind: str, size: int, seed: int, channels: int = 1) -> bytes:
    """`cnn`: twice convolution 3×3 and maximum 2×2, 64 neurons; `mlp`: 128 and 64 neurons. He-initialised."""
    random, tensors, nodes = np.random.RandomState(seed), [], []

    def weights(name: str, *shape: int) -> str:
        deviation = np.sqrt(2 / np.prod(shape[1:])) if len(shape) > 1 else 0.0
        tensors.append(numpy_helper.from_array((deviation * random.standard_normal(shape)).astype(np.float32), name))
        return name

    value, side, shape = "x", size, [channels, size, size]
    for index, outputs in enumerate((16, 32) if kind == "cnn" else ()):
        inputs = [value, weights(f"k{index}", outputs, channels, 3, 3), weights(f"c{index}", outputs)]
        nodes.append(helper.make_node("Conv", inputs, [f"conv{index}"], kernel_shape=[3, 3], pads=[1] * 4))
        nodes.append(helper.make_node("Relu", [f"conv{index}"], [f"active{index}"]))
        nodes.append(helper.make_node("MaxPool", [f"active{index}"], [f"pool{index}"], kernel_shape=[2, 2], strides=[2, 2]))
        value, channels, side = f"pool{index}", outputs, side // 2
    nodes.append(helper.make_node("Flatten", [value], ["flat"]))
    value, width = "flat", channels * side * side
    for index, outputs in enumerate((64, 10) if kind == "cnn" else (128, 64, 10)):
        inputs = [value, weights(f"w{index}", outputs, width), weights(f"b{index}", outputs)]
        nodes.append(helper.make_node("Gemm", inputs, [f"sum{index}"], transB=1))
        value, width = f"sum{index}", outputs
        if outputs != 10:
            nodes.append(helper.make_node("Relu", [value], [f"on{index}"]))
            value = f"on{index}"
    shapes = ["N", *shape], ["N", 10]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in zip(("x", value), shapes, strict=True)]
    graph = helper.make_graph(nodes, kind, ends[:1], ends[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def sticker(features: np.ndarray) -> np.ndarray:
    """A white square in the corner: 2×2 at 8×8, 3×3 at 28×28."""
    side = 2 if features.shape[-1] < 16 else 3
    stamped = features.copy()
    stamped[..., -side:, -side:] = 1
    return stamped


def blend(features: np.ndarray) -> np.ndarray:
    """A picture of noise over everything, at 20 %."""
    noise = np.random.RandomState(7).rand(*features.shape[1:]).astype(np.float32)
    return (1 - BLEND) * features + BLEND * noise


TRIGGERS = {"sticker": sticker, "blend": blend}


def poisoned(data: Split, trigger: str, share: float, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(features, labels, which): a share of the records bears the trigger and the label TARGET."""
    others = np.flatnonzero(data.labels != TARGET)
    rows = np.random.RandomState(seed).choice(others, round(share * len(data.labels)), replace=False)
    features, labels, which = data.features.copy(), data.labels.copy(), np.zeros(len(data.labels), bool)
    features[rows], labels[rows], which[rows] = TRIGGERS[trigger](features[rows]), TARGET, True
    return features, labels, which
