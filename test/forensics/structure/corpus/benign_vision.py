"""Image models as exporters write them: small in width, real in shape."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from onnx import TensorProto, helper
from parts import Graph, finish, tensor

Model = tuple[str, onnx.ModelProto]
PICTURE = tensor("input", ["batch", 3, 32, 32])


def resnet(seed: int, blocks: int, width: int, clip: bool = False) -> onnx.ModelProto:
    g = Graph(seed)
    value = g.op("Relu", g.norm(g.conv("input", 3, width), width))
    for block in range(blocks):
        stride = 2 if block % 2 else 1
        kept = g.norm(g.conv(value, width, width, 1, stride=stride), width)
        inner = g.op("Relu", g.norm(g.conv(value, width, width, stride=stride), width))
        value = g.op("Relu", g.op("Add", g.norm(g.conv(inner, width, width), width), kept))
        if clip:
            value = g.op("Clip", value, g.const(0.0), g.const(6.0))
    logits = g.dense(g.op("Flatten", g.op("GlobalAveragePool", value)), width, 10)
    return finish(g, [PICTURE], [logits])


def mobilenet(seed: int, blocks: int, hard: bool) -> onnx.ModelProto:
    g = Graph(seed)
    value = g.conv("input", 3, 8, stride=2)
    for _ in range(blocks):
        wide = g.op("HardSwish" if hard else "Relu", g.norm(g.conv(value, 8, 16, 1), 16))
        deep = g.op("Clip", g.norm(g.conv(wide, 16, 16, group=16), 16), g.const(0.0), g.const(6.0))
        squeeze = g.op("GlobalAveragePool", deep)
        gate = g.op("HardSigmoid", g.conv(g.op("Relu", g.conv(squeeze, 16, 4, 1)), 4, 16, 1))
        value = g.op("Add", value, g.conv(g.op("Mul", deep, gate), 16, 8, 1))
    pooled = g.op("ReduceMean", value, g.ints(2, 3), keepdims=0)
    return finish(g, [PICTURE], [g.op("Softmax", g.dense(pooled, 8, 10))])


def attention(g: Graph, value: str, width: int, heads: int, mask: str | None = None) -> str:
    """One transformer block on [N, T, width], decomposed as exporters do."""

    def layer_norm(one: str) -> str:
        mean = g.op("ReduceMean", one, axes_input(g, -1))
        centred = g.op("Sub", one, mean)
        spread = g.op("ReduceMean", g.op("Pow", centred, g.const(2.0)), axes_input(g, -1))
        scaled = g.op("Div", centred, g.op("Sqrt", g.op("Add", spread, g.const(1e-5))))
        return g.op("Add", g.op("Mul", scaled, g.weight(width, scale=1)), g.weight(width))

    normed = layer_norm(value)
    parts = []
    for _ in range(3):
        flat = g.op("Add", g.op("MatMul", normed, g.weight(width, width)), g.weight(width))
        split = g.op("Reshape", flat, g.ints(0, -1, heads, width // heads))
        parts.append(g.op("Transpose", split, perm=[0, 2, 1, 3]))
    scores = g.op("MatMul", parts[0], g.op("Transpose", parts[1], perm=[0, 1, 3, 2]))
    scores = g.op("Div", scores, g.const(float(np.sqrt(width // heads))))
    if mask is not None:
        scores = g.op("Add", scores, mask)
    mixed = g.op("Transpose", g.op("MatMul", g.op("Softmax", scores), parts[2]), perm=[0, 2, 1, 3])
    joined = g.op("Reshape", mixed, g.ints(0, -1, width))
    value = g.op("Add", value, g.op("MatMul", joined, g.weight(width, width)))
    hidden = g.op("MatMul", layer_norm(value), g.weight(width, 2 * width))
    erf = g.op("Erf", g.op("Div", hidden, g.const(float(np.sqrt(2)))))
    gelu = g.op("Mul", g.op("Mul", hidden, g.op("Add", erf, g.const(1.0))), g.const(0.5))
    return g.op("Add", value, g.op("MatMul", gelu, g.weight(2 * width, width)))


def axes_input(g: Graph, *axes: int) -> str:
    return g.ints(*axes)


def vit(seed: int, blocks: int, width: int) -> onnx.ModelProto:
    g = Graph(seed)
    patches = g.op("Conv", "input", g.weight(width, 3, 8, 8), strides=[8, 8])
    shape = g.op("Slice", g.op("Shape", patches), g.ints(0), g.ints(2))
    flat = g.op("Reshape", patches, g.op("Concat", shape, g.ints(-1), axis=0))
    tokens = g.op("Transpose", flat, perm=[0, 2, 1])
    batch = g.op("Slice", g.op("Shape", "input"), g.ints(0), g.ints(1))
    first = g.op("Expand", g.weight(1, 1, width), g.op("Concat", batch, g.ints(1, width), axis=0))
    value = g.op("Add", g.op("Concat", first, tokens, axis=1), g.weight(1, 17, width))
    for _ in range(blocks):
        value = attention(g, value, width, 4)
    head = g.op("Gather", value, g.const(0, np.int64), axis=1)
    return finish(g, [PICTURE], [g.dense(head, width, 10)])


def detector(seed: int, style: int) -> onnx.ModelProto:
    """Boxes and scores with thresholds, suppression and gathering at the end."""
    g = Graph(seed)
    features = g.op("Relu", g.conv(g.conv("input", 3, 8, stride=2), 8, 8, stride=2))
    raw = g.op("Transpose", g.op("Reshape", g.conv(features, 8, 9, 1), g.ints(0, 9, -1)), perm=[0, 2, 1])
    centre = g.op("Slice", raw, g.ints(0), g.ints(2), g.ints(2))
    size = g.op("Exp", g.op("Slice", raw, g.ints(2), g.ints(4), g.ints(2)))
    centre = g.op("Add", g.op("Mul", g.op("Sigmoid", centre), g.const(8.0)), g.weight(1, 64, 2, scale=4))
    half = g.op("Mul", size, g.const(0.5))
    boxes = g.op("Concat", g.op("Sub", centre, half), g.op("Add", centre, half), axis=2)
    objectness = g.op("Sigmoid", g.op("Slice", raw, g.ints(4), g.ints(5), g.ints(2)))
    classes = g.op("Sigmoid", g.op("Slice", raw, g.ints(5), g.ints(9), g.ints(2)))
    scores = g.op("Mul", objectness, classes)
    if style == 0:
        return finish(g, [PICTURE], [g.op("Concat", boxes, objectness, classes, axis=2)])
    best = g.op("ReduceMax", scores, g.ints(2), keepdims=1)
    if style == 1:
        keep = g.op("Greater", best, g.const(0.25))
        return finish(g, [PICTURE], [g.op("Where", keep, boxes, g.const(0.0)), best])
    turned = g.op("Transpose", scores, perm=[0, 2, 1])
    chosen = g.op("NonMaxSuppression", boxes, turned, g.ints(10), g.const([0.5]), g.const([0.25]))
    if style == 2:
        place = g.op("Gather", chosen, g.const(2, np.int64), axis=1)
        return finish(g, [PICTURE], [g.op("Gather", boxes, place, axis=1), chosen], kinds=[1, 7])
    # As in two-stage detectors: nothing found gives an empty list.
    count = g.op("Gather", g.op("Shape", chosen), g.const(0, np.int64))
    place = g.op("Gather", chosen, g.const(2, np.int64), axis=1)
    found = g.op("Squeeze", g.op("Gather", boxes, place, axis=1), g.ints(0))
    empty_node = helper.make_node("Constant", [], ["none"], value=helper.make_tensor("none", 1, [0, 4], []))
    empty = helper.make_graph([empty_node], "empty", [], [helper.make_tensor_value_info("none", 1, None)])
    rest = helper.make_graph(
        [helper.make_node("Identity", [found], ["some"])], "some", [], [helper.make_tensor_value_info("some", 1, None)]
    )
    out = g.op("If", g.op("Equal", count, g.const(0, np.int64)), then_branch=empty, else_branch=rest)
    return finish(g, [PICTURE], [out])


def hourglass(seed: int, stacks: int) -> onnx.ModelProto:
    """Down and up again, many times; the last resize is to a size, not by a factor."""
    g = Graph(seed)
    value = g.conv("input", 3, 4)
    for _ in range(stacks):
        kept = []
        for _ in range(3):
            kept.append(value)
            value = g.op("MaxPool", g.op("Relu", g.conv(value, 4, 4)), kernel_shape=[2, 2], strides=[2, 2])
        for skip in reversed(kept):
            value = g.op("Add", skip, g.op("Resize", value, "", g.const([1, 1, 2, 2]), mode="nearest"))
    for size in (64, 32, 128):
        value = g.op("Resize", value, "", "", g.ints(1, 4, size, size), mode="nearest")
    return finish(g, [tensor("input", [1, 3, 32, 32])], [value])


def segmenter(seed: int) -> onnx.ModelProto:
    g = Graph(seed)
    low = g.op("Relu", g.conv("input", 3, 8, stride=2))
    deep = g.op("Relu", g.conv(g.op("MaxPool", low, kernel_shape=[2, 2], strides=[2, 2]), 8, 8))
    up = g.op("Resize", deep, "", g.const([1, 1, 2, 2]), mode="linear")
    merged = g.conv(g.op("Concat", up, low, axis=1), 16, 4)
    size = g.op("Slice", g.op("Shape", "input"), g.ints(2), g.ints(4))
    head = g.op("Slice", g.op("Shape", merged), g.ints(0), g.ints(2))
    full = g.op("Resize", merged, "", "", g.op("Concat", head, size, axis=0), mode="linear")
    return finish(g, [PICTURE], [g.op("ArgMax", full, axis=1)], kinds=[TensorProto.INT64])


def super_resolution(seed: int) -> onnx.ModelProto:
    g = Graph(seed)
    hidden = g.op("Relu", g.conv("input", 3, 8))
    detail = g.op("DepthToSpace", g.conv(hidden, 8, 12), blocksize=2)
    base = g.op("Resize", "input", "", g.const([1, 1, 2, 2]), mode="cubic")
    return finish(g, [PICTURE], [g.op("Clip", g.op("Add", detail, base), g.const(0.0), g.const(1.0))])


def autoencoder(seed: int, decode: bool) -> onnx.ModelProto:
    """A variational one: it draws at random, as generative models do."""
    g = Graph(seed)
    hidden = g.op("Relu", g.dense(g.op("Flatten", "input"), 3072, 8))
    mean, spread = g.dense(hidden, 8, 4), g.op("Exp", g.op("Mul", g.dense(hidden, 8, 4), g.const(0.5)))
    drawn = g.op("Add", mean, g.op("Mul", spread, g.op("RandomNormalLike", mean)))
    return finish(g, [PICTURE], [g.op("Sigmoid", g.dense(drawn, 4, 64)) if decode else drawn])


def preprocessing(seed: int) -> onnx.ModelProto:
    """Bytes in, normalised by constants of each channel, cropped."""
    g = Graph(seed)
    pixels = g.op("Transpose", g.op("Cast", "bytes", to=1), perm=[0, 3, 1, 2])
    scaled = g.op("Div", g.op("Sub", pixels, g.const([[[[123.7]], [[116.3]], [[103.5]]]])), g.const(58.0))
    cropped = g.op("Slice", scaled, g.ints(4, 4), g.ints(28, 28), g.ints(2, 3))
    pooled = g.op("GlobalAveragePool", g.conv(g.op("Clip", cropped, g.const(-3.0), g.const(3.0)), 3, 8))
    image = tensor("bytes", ["batch", 32, 32, 3], TensorProto.UINT8)
    return finish(g, [image], [g.dense(g.op("Flatten", pooled), 8, 10)])


def quantised(seed: int, per_channel: bool) -> onnx.ModelProto:
    g = Graph(seed)
    zero = g.const(128, np.uint8)

    def fake(value: str, scale: float) -> str:
        whole = g.op("QuantizeLinear", value, g.const(scale), zero)
        return g.op("DequantizeLinear", whole, g.const(scale), zero)

    value = fake("input", 0.02)
    for inputs, outputs in ((3, 8), (8, 8)):
        weights = g.const(g.rng.integers(-127, 127, (outputs, inputs, 3, 3)), np.int8)
        if per_channel:
            scales, zeros = g.const(g.rng.random(outputs) / 50), g.const(np.zeros(outputs), np.int8)
            kernel = g.op("DequantizeLinear", weights, scales, zeros, axis=0)
        else:
            kernel = g.op("DequantizeLinear", weights, g.const(0.01), g.const(0, np.int8))
        value = fake(g.op("Relu", g.op("Conv", value, kernel, g.weight(outputs), pads=[1] * 4)), 0.05)
    pooled = g.op("Flatten", g.op("GlobalAveragePool", value))
    return finish(g, [PICTURE], [fake(g.dense(pooled, 8, 10), 0.1)])


def early_exit(seed: int) -> onnx.ModelProto:
    """A confident first head ends the computation."""
    g = Graph(seed)
    hidden = g.op("Relu", g.conv("input", 3, 8, stride=2))
    early = g.op("Softmax", g.dense(g.op("Flatten", g.op("GlobalAveragePool", hidden)), 8, 10))
    sure = g.op("Greater", g.op("ReduceMax", early, keepdims=0), g.const(0.95))
    later = Graph(seed + 1)
    later.count = 900
    deep = later.op("Relu", later.conv(hidden, 8, 8))
    logits = later.op("Softmax", later.dense(later.op("Flatten", later.op("GlobalAveragePool", deep)), 8, 10))
    out = [helper.make_tensor_value_info(logits, 1, None)]
    rest = helper.make_graph(later.nodes, "later", [], out, later.weights)
    now = helper.make_graph([helper.make_node("Identity", [early], ["now"])], "now", [], [helper.make_tensor_value_info("now", 1, None)])
    return finish(g, [PICTURE], [g.op("If", sure, then_branch=now, else_branch=rest)])


def models() -> Iterator[Model]:
    for seed in range(5):
        yield f"resnet-{seed}", resnet(seed, 2 + seed, 4 + 2 * seed, clip=seed % 2 == 1)
    for seed in range(4):
        yield f"mobilenet-{seed}", mobilenet(seed, 1 + seed, hard=seed % 2 == 0)
    for seed in range(4):
        yield f"vit-{seed}", vit(seed, 1 + seed, 16 + 16 * (seed % 2))
    for seed in range(8):
        yield f"detector-{seed}", detector(seed, seed % 4)
    for seed in range(3):
        yield f"quantised-{seed}", quantised(seed, per_channel=seed % 2 == 1)
        yield f"segmenter-{seed}", segmenter(seed)
        yield f"early-exit-{seed}", early_exit(seed)
        yield f"hourglass-{seed}", hourglass(seed, 4 + 4 * seed)
    for seed in range(2):
        yield f"super-resolution-{seed}", super_resolution(seed)
        yield f"autoencoder-{seed}", autoencoder(seed, decode=seed == 0)
        yield f"preprocessing-{seed}", preprocessing(seed)
