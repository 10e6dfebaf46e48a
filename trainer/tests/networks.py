"""Small networks in the shapes of real classifiers, as exporters write them, with random weights of a sane size.

`NETWORKS[name](opset)` gives the model's bytes; `examples(content)` gives inputs that it takes.
"""

import itertools

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

OLDEST, NEWEST = 13, 26
"""26 is the newest opset that the ONNX Runtime of the tests takes."""

KINDS = {np.dtype(np.float32): TensorProto.FLOAT, np.dtype(np.int64): TensorProto.INT64}


class Net:
    """Nodes in the order they are called. Every call gives the name of its first output."""

    def __init__(self, opset: int, prefix: str = "", **inputs: tuple):
        """Inputs as (shape, element type); the first axis is the batch. The prefix keeps the names of a subgraph its own."""
        self.opset, self._prefix = opset, prefix
        self._inputs = [helper.make_tensor_value_info(name, KINDS[np.dtype(kind)], shape) for name, (shape, kind) in inputs.items()]
        self._rng = np.random.default_rng(opset + len(inputs))
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._numbers = itertools.count()

    def weight(self, *shape: int, scale: float | None = None, shift: float = 0.0) -> str:
        """He's initialisation (2015): the variance is 2 / fan-in."""
        fan_in = int(np.prod(shape[1:])) if len(shape) > 1 else 100
        spread = np.sqrt(2 / fan_in) if scale is None else scale
        return self.constant((self._rng.standard_normal(shape) * spread + shift).astype(np.float32))

    def constant(self, values, kind=None) -> str:
        name = f"{self._prefix}w{len(self.initializers)}"
        self.initializers.append(numpy_helper.from_array(np.asarray(values, kind), name))
        return name

    def ints(self, *values: int) -> str:
        return self.constant(np.array(values, np.int64))

    def number(self, value: float) -> str:
        return self.constant(np.array(value, np.float32))

    def node(self, operator: str, *operands: str, outputs: int = 1, domain: str = "", **attributes) -> str:
        number = next(self._numbers)
        names = [f"{self._prefix}v{number}_{place}" for place in range(outputs)]
        self.nodes.append(
            helper.make_node(operator, operands, names, name=f"{self._prefix}{operator.lower()}{number}", domain=domain, **attributes)
        )
        return names[0]

    def model(self, output: str, functions=(), domains=()) -> bytes:
        value = helper.make_tensor_value_info(output, TensorProto.FLOAT, None)
        graph = helper.make_graph(self.nodes, "network", self._inputs, [value], self.initializers)
        opsets = [helper.make_opsetid("", self.opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
        model = helper.make_model(graph, opset_imports=opsets, functions=list(functions), ir_version=10)
        return model.SerializeToString(deterministic=True)

    def convolution(self, x: str, inputs: int, outputs: int, size: int = 3, stride: int = 1, group: int = 1, dilation: int = 1) -> str:
        pad = dilation * (size - 1) // 2
        kernel = self.weight(outputs, inputs // group, size, size)
        return self.node("Conv", x, kernel, group=group, strides=[stride] * 2, pads=[pad] * 4, dilations=[dilation] * 2)

    def batch_norm(self, x: str, channels: int) -> str:
        statistics = [self.weight(channels, scale=0.1, shift=shift) for shift in (1.0, 0.0, 0.0)]
        variance = self.constant(self._rng.uniform(0.5, 1.5, channels).astype(np.float32))
        return self.node("BatchNormalization", x, *statistics, variance)

    def linear(self, x: str, inputs: int, outputs: int) -> str:
        """As exporters write it for sequences: a product and a sum."""
        return self.node("Add", self.node("MatMul", x, self.weight(inputs, outputs)), self.weight(outputs, scale=0.05))

    def layer_norm(self, x: str, width: int) -> str:
        """One node since opset 17; before, written out."""
        scale, bias = self.weight(width, scale=0.1, shift=1.0), self.weight(width, scale=0.1)
        if self.opset >= 17:
            return self.node("LayerNormalization", x, scale, bias, axis=-1)
        centred = self.node("Sub", x, self.node("ReduceMean", x, axes=[-1]))
        variance = self.node("ReduceMean", self.node("Pow", centred, self.number(2.0)), axes=[-1])
        deviation = self.node("Sqrt", self.node("Add", variance, self.number(1e-5)))
        return self.node("Add", self.node("Mul", self.node("Div", centred, deviation), scale), bias)

    def gelu(self, x: str) -> str:
        """One node since opset 20; before, x · (1 + erf(x / √2)) / 2."""
        if self.opset >= 20:
            return self.node("Gelu", x)
        erf = self.node("Erf", self.node("Div", x, self.number(2**0.5)))
        return self.node("Mul", self.node("Mul", x, self.node("Add", erf, self.number(1.0))), self.number(0.5))

    def heads(self, x: str, count: int, width: int) -> str:
        """[N, S, W] → [N, heads, S, W / heads], the batch read from the tensor's own shape."""
        batch = self.node("Gather", self.node("Shape", x), self.ints(0), axis=0)
        shape = self.node("Concat", batch, self.ints(-1, count, width // count), axis=0)
        return self.node("Transpose", self.node("Reshape", x, shape), perm=[0, 2, 1, 3])

    def attention(self, x: str, width: int, count: int, mask: str | None = None) -> str:
        q, k, v = (self.heads(self.linear(x, width, width), count, width) for _ in range(3))
        if self.opset >= 23:
            mixed = self.node("Attention", q, k, v, *([mask] if mask else []))
        else:
            scores = self.node("MatMul", q, self.node("Transpose", k, perm=[0, 1, 3, 2]))
            scores = self.node("Div", scores, self.number((width / count) ** 0.5))
            scores = self.node("Add", scores, mask) if mask else scores
            mixed = self.node("MatMul", self.node("Softmax", scores, axis=-1), v)
        joined = self.node("Reshape", self.node("Transpose", mixed, perm=[0, 2, 1, 3]), self.ints(0, 0, width))
        return self.linear(joined, width, width)

    def encoder(self, x: str, width: int, count: int, mask: str | None = None) -> str:
        x = self.node("Add", x, self.attention(self.layer_norm(x, width), width, count, mask))
        wide = self.gelu(self.linear(self.layer_norm(x, width), width, 2 * width))
        return self.node("Add", x, self.linear(wide, 2 * width, width))

    def classifier(self, x: str, inputs: int, classes: int = 10) -> str:
        return self.node("Gemm", x, self.weight(classes, inputs), self.weight(classes, scale=0.05), transB=1)


def resnet(opset: int) -> bytes:
    """He et al., "Deep residual learning for image recognition" (2016)."""
    net = Net(opset, x=(["N", 3, 32, 32], np.float32))
    x = net.node("Relu", net.batch_norm(net.convolution("x", 3, 8, size=7, stride=2), 8))
    x = net.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1])
    for inputs, outputs, stride in ((8, 8, 1), (8, 16, 2)):
        inner = net.node("Relu", net.batch_norm(net.convolution(x, inputs, outputs, stride=stride), outputs))
        inner = net.batch_norm(net.convolution(inner, outputs, outputs), outputs)
        shortcut = x if stride == 1 else net.batch_norm(net.convolution(x, inputs, outputs, size=1, stride=stride), outputs)
        x = net.node("Relu", net.node("Add", inner, shortcut))
    return net.model(net.classifier(net.node("Flatten", net.node("GlobalAveragePool", x)), 16))


def mobilenet(opset: int) -> bytes:
    """Howard et al., "Searching for MobileNetV3" (2019): inverted residuals, depthwise kernels, squeeze and excitation."""
    net = Net(opset, x=(["N", 3, 32, 32], np.float32))

    def hard_swish(x: str) -> str:
        gate = net.node("HardSigmoid", x, alpha=1 / 6, beta=0.5)
        return net.node("HardSwish", x) if opset >= 14 else net.node("Mul", x, gate)

    x = hard_swish(net.batch_norm(net.convolution("x", 3, 8, stride=2), 8))
    for dilation in (1, 2):
        wide = net.batch_norm(net.convolution(x, 8, 24, size=1), 24)
        wide = net.node("Clip", wide, net.number(0.0), net.number(6.0))
        wide = net.batch_norm(net.convolution(wide, 24, 24, group=24, dilation=dilation), 24)
        squeezed = net.node("Relu", net.convolution(net.node("GlobalAveragePool", wide), 24, 6, size=1))
        wide = net.node("Mul", wide, net.node("HardSigmoid", net.convolution(squeezed, 6, 24, size=1)))
        x = net.node("Add", x, net.batch_norm(net.convolution(hard_swish(wide), 24, 8, size=1), 8))
    return net.model(net.classifier(net.node("Flatten", net.node("GlobalAveragePool", x)), 8))


def vit(opset: int) -> bytes:
    """Dosovitskiy et al., "An image is worth 16x16 words" (2021)."""
    net, width = Net(opset, x=(["N", 3, 32, 32], np.float32)), 32
    patches = net.node("Conv", "x", net.weight(width, 3, 8, 8), net.weight(width, scale=0.05), strides=[8, 8])
    words = net.node("Transpose", net.node("Reshape", patches, net.ints(0, width, -1)), perm=[0, 2, 1])
    batch = net.node("Gather", net.node("Shape", words), net.ints(0), axis=0)
    token = net.node("Expand", net.weight(1, 1, width, scale=0.1), net.node("Concat", batch, net.ints(1, width), axis=0))
    x = net.node("Add", net.node("Concat", token, words, axis=1), net.weight(1, 17, width, scale=0.1))
    for _ in range(2):
        x = net.encoder(x, width, 4)
    first = net.node("Gather", net.layer_norm(x, width), net.constant(np.array(0, np.int64)), axis=1)
    return net.model(net.classifier(first, width))


def bert(opset: int) -> bytes:
    """Devlin et al., "BERT" (2019), tiny: three embeddings, a mask of padding, a pooler."""
    net, width, length = Net(opset, ids=(["N", 12], np.int64), mask=(["N", 12], np.int64)), 32, 12
    words = net.node("Gather", net.weight(50, width, scale=0.5), "ids", axis=0)
    places = net.node("Gather", net.weight(length, width, scale=0.5), net.ints(*range(length)), axis=0)
    kinds = net.node("Slice", net.weight(2, width, scale=0.1), net.ints(0), net.ints(1), net.ints(0))
    x = net.layer_norm(net.node("Add", net.node("Add", words, places), kinds), width)
    kept = net.node("Cast", net.node("Unsqueeze", "mask", net.ints(1, 2)), to=TensorProto.FLOAT)
    bias = net.node("Mul", net.node("Sub", net.number(1.0), kept), net.number(-10000.0))
    bias = net.node("Expand", bias, net.ints(1, 1, length, 1))
    for _ in range(2):
        x = net.encoder(x, width, 2, bias)
    first = net.node("Squeeze", net.node("Slice", x, net.ints(0), net.ints(1), net.ints(1)), net.ints(1))
    return net.model(net.classifier(net.node("Tanh", net.linear(first, width, width)), width, 4))


def lstm(opset: int) -> bytes:
    """A bidirectional LSTM, a GRU that reads backwards, a plain recurrent layer; steps first, as PyTorch exports them."""
    net, hidden = Net(opset, x=(["N", 9, 6], np.float32)), 8

    def layer(operator: str, x: str, inputs: int, gates: int, direction: str, **attributes) -> str:
        count = 2 if direction == "bidirectional" else 1
        kernels = [net.weight(count, gates * hidden, size, scale=0.3) for size in (inputs, hidden)]
        bias = net.weight(count, 2 * gates * hidden, scale=0.1)
        y = net.node(operator, x, *kernels, bias, outputs=2, hidden_size=hidden, direction=direction, **attributes)
        return net.node("Reshape", net.node("Transpose", y, perm=[0, 2, 1, 3]), net.ints(0, 0, count * hidden))

    x = layer("LSTM", net.node("Transpose", "x", perm=[1, 0, 2]), 6, 4, "bidirectional")
    x = layer("GRU", x, 2 * hidden, 3, "reverse", linear_before_reset=1)
    x = layer("RNN", x, hidden, 1, "forward")
    last = net.node("Gather", x, net.constant(np.array(-1, np.int64)), axis=0)
    return net.model(net.classifier(last, hidden))


def unet(opset: int) -> bytes:
    """Down and up again: instance and group normalisation, transposed and resized; classes by the mean of a map."""
    net = Net(opset, x=(["N", 1, 16, 16], np.float32))
    top = net.node("LeakyRelu", net.convolution("x", 1, 8), alpha=0.1)
    low = net.node("InstanceNormalization", net.convolution(top, 8, 16, stride=2), net.weight(16, scale=0.1, shift=1.0), net.weight(16))
    low = net.node("Elu", low)
    up = net.node("ConvTranspose", low, net.weight(16, 4, 2, 2), net.weight(8, scale=0.1), strides=[2, 2], group=2)
    resized = net.node("Resize", low, "", net.constant(np.array([1, 1, 2, 2], np.float32)), mode="linear")
    joined = net.node("Concat", up, resized, top, axis=1)
    x = net.convolution(joined, 32, 12)
    if opset >= 21:
        x = net.node("GroupNormalization", x, net.weight(12, scale=0.1, shift=1.0), net.weight(12, scale=0.1), num_groups=3)
    else:
        grouped = net.node("Reshape", x, net.ints(0, 3, -1))
        ones, zeros = net.constant(np.ones(3, np.float32)), net.constant(np.zeros(3, np.float32))
        normal = net.node("InstanceNormalization", grouped, ones, zeros)
        x = net.node("Mul", net.node("Reshape", normal, net.node("Shape", x)), net.weight(12, 1, 1, scale=0.1, shift=1.0))
    # ONNX Runtime has no GlobalLpPool of opset 22.
    other = net.node("GlobalLpPool", net.node("Sigmoid", x), p=2) if opset < 22 else net.node("GlobalAveragePool", x)
    pooled = net.node("Concat", net.node("GlobalMaxPool", x), other, axis=1)
    return net.model(net.classifier(net.node("Flatten", pooled), 24))


def quantised(opset: int) -> bytes:
    """Q/DQ around a convolution whose kernel is int8; the head is float and learns."""
    net = Net(opset, x=(["N", 1, 8, 8], np.float32))
    scale, zero = net.number(0.05), net.constant(np.array(128, np.uint8))
    x = net.node("DequantizeLinear", net.node("QuantizeLinear", "x", scale, zero), scale, zero)
    kernel = net.constant(np.random.default_rng(5).integers(-127, 128, (4, 1, 3, 3)).astype(np.int8))
    scales = net.constant(np.array([0.004, 0.005, 0.006, 0.003], np.float32))
    weights = net.node("DequantizeLinear", kernel, scales, net.constant(np.zeros(4, np.int8)), axis=0)
    x = net.node("Relu", net.node("Conv", x, weights, pads=[1, 1, 1, 1]))
    x = net.node("DequantizeLinear", net.node("QuantizeLinear", x, scale, zero), scale, zero)
    return net.model(net.classifier(net.node("Flatten", net.node("AveragePool", x, kernel_shape=[2, 2], strides=[2, 2])), 64))


def tabular(opset: int) -> bytes:
    """Numbers and a category: one-hot, einsum, the best of several experts, a static If and a Loop of a known length."""
    net = Net(opset, x=(["N", 5], np.float32))
    inner = Net(opset, prefix="turn_")
    turned = inner.node("Tanh", inner.node("Mul", "carried", inner.number(0.5)))
    body = helper.make_graph(
        [helper.make_node("Identity", ["going"], ["on"]), *inner.nodes],
        "turn",
        [
            helper.make_tensor_value_info("turn", TensorProto.INT64, []),
            helper.make_tensor_value_info("going", TensorProto.BOOL, []),
            helper.make_tensor_value_info("carried", TensorProto.FLOAT, None),
        ],
        [helper.make_tensor_value_info("on", TensorProto.BOOL, []), helper.make_tensor_value_info(turned, TensorProto.FLOAT, None)],
        inner.initializers,
    )
    column = net.node("Slice", "x", net.ints(4), net.ints(5), net.ints(1))
    category = net.node("Cast", net.node("Floor", net.node("Clip", column, net.number(0.0), net.number(2.9))), to=TensorProto.INT64)
    hot = net.node("OneHot", net.node("Squeeze", category, net.ints(1)), net.ints(3), net.constant(np.array([0, 1], np.float32)))
    joined = net.node("Concat", "x", hot, axis=1)
    experts = net.node("Einsum", joined, net.weight(4, 8, 12, scale=0.3), equation="ni,kio->nko")
    looped = net.node("Loop", net.constant(np.array(3, np.int64)), net.constant(np.array(True)), experts, body=body)
    best = net.node("ReduceSum", net.node("TopK", looped, net.ints(2), axis=1, outputs=2), net.ints(1), keepdims=0)
    then = helper.make_graph(
        [helper.make_node("Softplus", [best], ["chosen"])], "then", [], [helper.make_tensor_value_info("chosen", TensorProto.FLOAT, None)]
    )
    other = helper.make_graph(
        [helper.make_node("Neg", [best], ["left"])], "else", [], [helper.make_tensor_value_info("left", TensorProto.FLOAT, None)]
    )
    x = net.node("If", net.constant(np.array(True)), then_branch=then, else_branch=other)
    return net.model(net.classifier(net.node("CumSum", x, net.constant(np.array(1, np.int64))), 12, 3))


def functions(opset: int) -> bytes:
    """The model's own functions, one calling the other, with an attribute handed through."""
    opsets = [helper.make_opsetid("", opset), helper.make_opsetid("own", 1)]
    leak = helper.make_node("LeakyRelu", ["b"], ["y"])
    leak.attribute.add(name="alpha", ref_attr_name="slope", type=onnx.AttributeProto.FLOAT)
    dense = helper.make_node("MatMul", ["x", "w"], ["a"])
    affine = helper.make_function("own", "Dense", ["x", "w", "c"], ["b"], [dense, helper.make_node("Add", ["a", "c"], ["b"])], opsets)
    call = helper.make_node("Dense", ["x", "w", "c"], ["b"], domain="own")
    layer = helper.make_function("own", "Layer", ["x", "w", "c"], ["y"], [call, leak], opsets, attributes=["slope"])
    net = Net(opset, x=(["N", 6], np.float32))
    x = net.node("Layer", "x", net.weight(6, 16), net.weight(16), domain="own", slope=0.2)
    x = net.node("Layer", x, net.weight(16, 16), net.weight(16), domain="own", slope=0.05)
    return net.model(net.classifier(x, 16), [affine, layer], ["own"])


def decoder(opset: int) -> bytes:
    """The pieces of today's language models: rotary places, root-mean-square norm, grouped and causal attention (opset 23 and newer)."""
    net, width, heads, length = Net(opset, x=(["N", 6, 32], np.float32)), 32, 4, 6
    angles = np.arange(length)[:, None] / 10000 ** (np.arange(4) / 4)
    cosines, sines = (
        net.constant(np.broadcast_to(table, (2, *table.shape)).astype(np.float32)) for table in (np.cos(angles), np.sin(angles))
    )
    normal = net.node("RMSNormalization", "x", net.weight(width, scale=0.1, shift=1.0))
    q = net.node("RotaryEmbedding", net.linear(normal, width, width), cosines, sines, num_heads=heads)
    k = net.node("RotaryEmbedding", net.linear(normal, width, width // 2), cosines, sines, num_heads=heads // 2)
    v = net.linear(normal, width, width // 2)
    mixed = net.node("Attention", q, k, v, q_num_heads=heads, kv_num_heads=heads // 2, is_causal=1)
    x = net.node("Add", "x", net.linear(mixed, width, width))
    gate = net.linear(x, width, 2 * width)
    gate = net.node("Mul", gate, net.node("Sigmoid", gate))
    x = net.node("Add", x, net.linear(net.node("Mul", gate, net.linear(x, width, 2 * width)), 2 * width, width))
    last = net.node("Gather", x, net.constant(np.array(-1, np.int64)), axis=1)
    return net.model(net.classifier(last, width))


EVERY_OPSET = (resnet, mobilenet, vit, bert, lstm, unet, quantised, tabular, functions)

NETWORKS = {f"{make.__name__} at opset {opset}": make(opset) for make in EVERY_OPSET for opset in (OLDEST, NEWEST)} | {
    f"decoder at opset {NEWEST}": decoder(NEWEST)
}


def examples(content: bytes, count: int = 2) -> dict[str, np.ndarray]:
    """Inputs for a batch: numbers of a standard normal; ids below 50; a mask of ones that ends in zeros."""
    rng = np.random.default_rng(1)
    made = {}
    for value in onnx.load_model_from_string(content).graph.input:
        shape = [dim.dim_value or count for dim in value.type.tensor_type.shape.dim]
        if value.name == "mask":
            made[value.name] = np.broadcast_to(np.arange(shape[1]) < 9, shape).astype(np.int64)
        elif value.type.tensor_type.elem_type == TensorProto.INT64:
            made[value.name] = rng.integers(0, 50, shape)
        else:
            made[value.name] = rng.standard_normal(shape).astype(np.float32)
    return made
