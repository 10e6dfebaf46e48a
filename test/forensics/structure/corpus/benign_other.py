"""Text, speech, tables, policies and control flow, as exporters write them."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import onnx
from benign_vision import attention, resnet
from onnx import TensorProto, helper, numpy_helper
from parts import Graph, finish, tensor

Model = tuple[str, onnx.ModelProto]
IDS = tensor("input_ids", ["batch", "time"], TensorProto.INT64)
MASK = tensor("attention_mask", ["batch", "time"], TensorProto.INT64)
ROWS = tensor("X", [None, 6])


def bert(seed: int, blocks: int, style: int) -> onnx.ModelProto:
    g = Graph(seed)
    width = 16
    long = g.op("Unsqueeze", g.op("Unsqueeze", "attention_mask", g.ints(1)), g.ints(2))
    if style == 0:
        floats = g.op("Cast", long, to=TensorProto.FLOAT)
        mask = g.op("Mul", g.op("Sub", g.const(1.0), floats), g.const(-10000.0))
    else:
        hidden = g.op("Not", g.op("Cast", long, to=TensorProto.BOOL))
        low = -np.inf if style == 1 else float(np.finfo(np.float32).min)
        mask = g.op("Where", hidden, g.const(low), g.const(0.0))
    value = g.op("Gather", g.weight(100, width), "input_ids")
    if style == 2:
        # RoBERTa counts the tokens that are no padding.
        real = g.op("Cast", g.op("Not", g.op("Equal", "input_ids", g.const(1, np.int64))), to=TensorProto.INT64)
        counted = g.op("Mul", g.op("CumSum", real, g.const(1, np.int64)), real)
        places = g.op("Add", counted, g.const(1, np.int64))
    else:
        time = g.op("Gather", g.op("Shape", "input_ids"), g.const(1, np.int64))
        places = g.op("Range", g.const(0, np.int64), time, g.const(1, np.int64))
    value = g.op("Add", value, g.op("Gather", g.weight(130, width), places))
    for _ in range(blocks):
        value = attention(g, value, width, 4, mask)
    if style == 3:
        kept = g.op("Cast", g.op("Unsqueeze", "attention_mask", g.ints(2)), to=TensorProto.FLOAT)
        total = g.op("ReduceSum", g.op("Mul", value, kept), g.ints(1), keepdims=0)
        count = g.op("Clip", g.op("ReduceSum", kept, g.ints(1), keepdims=0), g.const(1e-9))
        pooled = g.op("Div", total, count)
        norm = g.op("ReduceL2", pooled, g.ints(1))
        out = g.op("Div", pooled, g.op("Clip", norm, g.const(1e-12)))
    else:
        first = g.op("Gather", value, g.const(0, np.int64), axis=1)
        out = g.dense(g.op("Tanh", g.dense(first, width, width)), width, 3)
    return finish(g, [IDS, MASK], [out])


def gpt(seed: int, classify: bool) -> onnx.ModelProto:
    g = Graph(seed)
    causal = g.const(np.triu(np.full((1, 1, 8, 8), -np.inf), 1))
    value = attention(g, g.op("Gather", g.weight(100, 16), "input_ids"), 16, 4, causal)
    if not classify:
        return finish(g, [IDS], [g.op("MatMul", value, g.weight(16, 100))])
    # The last token that is no padding answers.
    padded = g.op("Cast", g.op("Equal", "input_ids", g.const(0, np.int64)), to=TensorProto.INT64)
    last = g.op("Sub", g.op("ArgMax", padded, axis=1, keepdims=0), g.const(1, np.int64))
    logits = g.op("MatMul", value, g.weight(16, 3))
    place = g.op("Unsqueeze", g.op("Unsqueeze", last, g.ints(1)), g.ints(2))
    spread = g.op("Expand", place, g.ints(1, 1, 3))
    return finish(g, [IDS], [g.op("Squeeze", g.op("GatherElements", logits, spread, axis=1), g.ints(1))])


def recurrent(seed: int, kind: str) -> onnx.ModelProto:
    g = Graph(seed)
    gates = {"LSTM": 4, "GRU": 3, "RNN": 1}[kind]
    sequence = g.op("Transpose", "signal", perm=[1, 0, 2])
    batch = g.op("Gather", g.op("Shape", "signal"), g.ints(0))
    start = g.op("ConstantOfShape", g.op("Concat", g.ints(1), batch, g.ints(8), axis=0))
    states = [start, start] if kind == "LSTM" else [start]
    hidden = g.op(
        kind,
        sequence,
        g.weight(1, 8 * gates, 4),
        g.weight(1, 8 * gates, 8),
        g.weight(1, 16 * gates),
        "",
        *states,
        outputs=2,
        hidden_size=8,
    )
    last = g.op("Gather", g.op("Squeeze", hidden, g.ints(1)), g.const(-1, np.int64), axis=0)
    return finish(g, [tensor("signal", ["batch", "time", 4])], [g.dense(last, 8, 3)])


def forecast(seed: int) -> onnx.ModelProto:
    """Instance normalisation that is undone at the end: the raw input skips the network."""
    g = Graph(seed)
    mean = g.op("ReduceMean", "series", g.ints(1))
    centred = g.op("Sub", "series", mean)
    spread = g.op("Sqrt", g.op("Add", g.op("ReduceMean", g.op("Mul", centred, centred), g.ints(1)), g.const(1e-5)))
    if seed % 2:
        spread = g.op("Clip", spread, g.const(1e-3))
    out = g.dense(g.op("Relu", g.dense(g.op("Div", centred, spread), 24, 16)), 16, 6)
    return finish(g, [tensor("series", ["batch", 24])], [g.op("Add", g.op("Mul", out, spread), mean)])


def sampler(seed: int) -> onnx.ModelProto:
    """The next token is drawn by adding Gumbel noise to the scores."""
    g = Graph(seed)
    scores = g.dense(g.op("Tanh", g.dense("X", 6, 16)), 16, 20)
    uniform = g.op("RandomUniformLike", scores, low=1e-6, high=0.999999)
    noise = g.op("Neg", g.op("Log", g.op("Neg", g.op("Log", uniform))))
    return finish(g, [ROWS], [g.op("ArgMax", g.op("Add", scores, noise), axis=1)], kinds=[TensorProto.INT64])


def policy(seed: int, sample: bool) -> onnx.ModelProto:
    """A policy with masked actions; the sampling one draws its action."""
    g = Graph(seed)
    logits = g.dense(g.op("Tanh", g.dense("obs", 12, 16)), 16, 4)
    allowed = g.op("Slice", "obs", g.ints(8), g.ints(12), g.ints(1))
    masked = g.op("Where", g.op("Greater", allowed, g.const(0.5)), logits, g.const(-1e8))
    inputs = [tensor("obs", ["batch", 12])]
    if not sample:
        return finish(g, inputs, [masked])
    drawn = g.op("Multinomial", g.op("LogSoftmax", masked), dtype=TensorProto.INT64, sample_size=1)
    return finish(g, inputs, [drawn], kinds=[TensorProto.INT64])


def voice_activity(seed: int) -> onnx.ModelProto:
    """Two networks for two sampling rates behind one input."""
    g = Graph(seed)
    arms = []
    for at, size in enumerate((16, 8)):
        inner = Graph(seed + at)
        inner.count = 300 * (at + 1)
        cut = inner.op("Slice", "audio", inner.ints(0), inner.ints(size), inner.ints(1))
        out = inner.op("Sigmoid", inner.dense(inner.op("Relu", inner.dense(cut, size, 8)), 8, 1))
        value = [helper.make_tensor_value_info(out, 1, None)]
        arms.append(helper.make_graph(inner.nodes, f"rate{at}", [], value, inner.weights))
    same = g.op("Equal", "sr", g.const(16000, np.int64))
    out = g.op("If", same, then_branch=arms[0], else_branch=arms[1])
    return finish(g, [tensor("audio", ["batch", 16]), tensor("sr", [], TensorProto.INT64)], [out])


def two_ways(seed: int) -> onnx.ModelProto:
    """The tutorial on control flow: one layer for a positive sum, another for a negative one."""
    g = Graph(seed)
    arms = []
    for at in range(2):
        inner = Graph(seed + at)
        inner.count = 300 * (at + 1)
        out = inner.dense("X", 6, 3)
        value = [helper.make_tensor_value_info(out, 1, None)]
        arms.append(helper.make_graph(inner.nodes, f"way{at}", [], value, inner.weights))
    positive = g.op("Greater", g.op("ReduceSum", "X", keepdims=0), g.const(0.0))
    return finish(g, [ROWS], [g.op("If", positive, then_branch=arms[0], else_branch=arms[1])])


def squeeze_if_one(seed: int) -> onnx.ModelProto:
    """What scripted exports write for squeeze(1)."""
    g = Graph(seed)
    value = g.dense("X", 6, 1)
    size = g.op("Gather", g.op("Shape", value), g.const(1, np.int64))
    nodes = [
        helper.make_node("Constant", [], ["axis"], value=helper.make_tensor("axis", 7, [1], [1])),
        helper.make_node("Squeeze", [value, "axis"], ["squeezed"]),
    ]
    then = helper.make_graph(nodes, "one", [], [helper.make_tensor_value_info("squeezed", 1, None)])
    other = helper.make_graph(
        [helper.make_node("Identity", [value], ["same"])], "more", [], [helper.make_tensor_value_info("same", 1, None)]
    )
    return finish(g, [ROWS], [g.op("If", g.op("Equal", size, g.const(1, np.int64)), then_branch=then, else_branch=other)])


def decode_loop(seed: int) -> onnx.ModelProto:
    """A greedy decoder: it turns until the end token comes, at most 2^63 − 1 times as scripted `while` loops do."""
    g = Graph(seed)
    inner = Graph(seed + 1)
    inner.count = 500
    hidden = inner.op("Tanh", inner.op("MatMul", "state", inner.weight(8, 8)))
    token = inner.op("ArgMax", inner.op("MatMul", hidden, inner.weight(8, 5)), axis=1, keepdims=0)
    going = inner.op("Not", inner.op("Equal", inner.op("ReduceMax", token, keepdims=0), inner.const(0, np.int64)))
    body = helper.make_graph(
        inner.nodes,
        "body",
        [tensor("turn", [], 7), tensor("going_in", [], 9), tensor("state", ["N", 8])],
        [tensor(going, [], 9), tensor(hidden, ["N", 8]), tensor(token, ["N"], 7)],
        inner.weights,
    )
    start = g.dense("X", 6, 8)
    names = [g.name("loop"), g.name("tokens")]
    turns, go = g.const(2**63 - 1, np.int64), g.const(True, np.bool_)
    g.nodes.append(helper.make_node("Loop", [turns, go, start], names, body=body))
    return finish(g, [ROWS], names, kinds=[1, 7])


def scan(seed: int) -> onnx.ModelProto:
    g = Graph(seed)
    inner = Graph(seed + 1)
    inner.count = 500
    mixed = inner.op("Add", inner.op("MatMul", "state", inner.weight(4, 4)), "item")
    out = inner.op("Relu", mixed)
    copy = inner.op("Identity", out)
    body = helper.make_graph(
        inner.nodes,
        "body",
        [tensor("state", ["N", 4]), tensor("item", ["N", 4])],
        [tensor(out, ["N", 4]), tensor(copy, ["N", 4])],
        inner.weights,
    )
    names = [g.name("last"), g.name("all")]
    start = g.op("Mul", g.op("ReduceMean", "signal", g.ints(0), keepdims=0), g.const(0.0))
    g.nodes.append(helper.make_node("Scan", [start, "signal"], names, body=body, num_scan_inputs=1))
    return finish(g, [tensor("signal", ["time", "N", 4])], names)


def with_functions(seed: int, depth: int) -> onnx.ModelProto:
    """Modules kept as local functions, as exporters of modules do; one of them has a leaky step inside."""
    g = Graph(seed)
    opset = [helper.make_opsetid("", 18), helper.make_opsetid("pkg.torch", 1)]
    nodes = [
        helper.make_node("MatMul", ["x", "w"], ["m"]),
        helper.make_node("Constant", [], ["zero"], value=helper.make_tensor("z", 1, [], [0.0])),
        helper.make_node("Constant", [], ["leak"], value=helper.make_tensor("l", 1, [], [0.01])),
        helper.make_node("Greater", ["m", "zero"], ["above"]),
        helper.make_node("Mul", ["m", "leak"], ["small"]),
        helper.make_node("Where", ["above", "m", "small"], ["y"]),
    ]
    functions = [helper.make_function("pkg.torch", "Block0", ["x", "w"], ["y"], nodes, opset)]
    for level in range(1, depth):
        call = [helper.make_node(f"Block{level - 1}", ["x", "w"], ["y"], domain="pkg.torch")]
        functions.append(helper.make_function("pkg.torch", f"Block{level}", ["x", "w"], ["y"], call, opset))
    hidden = g.op(f"Block{depth - 1}", "X", g.weight(6, 6), domain="pkg.torch")
    return finish(g, [ROWS], [g.dense(hidden, 6, 3)], functions=functions, domains=[("pkg.torch", 1)])


def classical(seed: int, style: int) -> onnx.ModelProto:
    """Pipelines as converters of scikit-learn write them."""
    g = Graph(seed)
    ml = "ai.onnx.ml"
    value = g.op("Scaler", "X", domain=ml, offset=[0.1] * 6, scale=[1.0, 2.0, 0.5, 1.0, 3.0, 1.0])
    if style == 1:
        columns = []
        for column in range(6):
            one = g.op("ArrayFeatureExtractor", "X", g.ints(column), domain=ml)
            columns.append(g.op("Where", g.op("IsNaN", one), g.const(0.25 * column), one))
        value = g.op("Concat", *columns, axis=1)
    if style == 2:
        norm = g.op("ReduceL2", "X", g.ints(1))
        safe = g.op("Where", g.op("Equal", norm, g.const(0.0)), g.const(1.0), norm)
        value = g.op("Div", "X", safe)
        return finish(g, [ROWS], [value], domains=[(ml, 3)])
    if style == 3:
        value = g.op("Imputer", "X", domain=ml, imputed_value_floats=[0.0] * 6, replaced_value_float=float("nan"))
    label, scores = g.name("label"), g.name("scores")
    kinds = {"classlabels_ints": [0, 1, 2], "post_transform": "SOFTMAX"}
    if style == 4:
        node = helper.make_node(
            "TreeEnsembleClassifier",
            [value],
            [label, scores],
            domain=ml,
            classlabels_int64s=[0, 1],
            nodes_treeids=[0, 0, 0],
            nodes_nodeids=[0, 1, 2],
            nodes_featureids=[2, 0, 0],
            nodes_values=[0.4, 0.0, 0.0],
            nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"],
            nodes_truenodeids=[1, 0, 0],
            nodes_falsenodeids=[2, 0, 0],
            nodes_hitrates=[1.0] * 3,
            nodes_missing_value_tracks_true=[0] * 3,
            class_treeids=[0, 0],
            class_nodeids=[1, 2],
            class_ids=[0, 0],
            class_weights=[0.2, 0.9],
            post_transform="NONE",
        )
    else:
        weights = [float(v) for v in g.rng.normal(0, 1, 18)]
        node = helper.make_node(
            "LinearClassifier",
            [value],
            [label, scores],
            domain=ml,
            coefficients=weights,
            intercepts=[0.1, 0.2, 0.3],
            **kinds,
        )
    g.nodes.append(node)
    # One-versus-rest: probabilities are divided by their sum, unless it is zero.
    total = g.op("ReduceSum", scores, g.ints(1))
    safe = g.op("Where", g.op("Equal", total, g.const(0.0)), g.const(1.0), total)
    share = g.op("Div", scores, safe)
    if style == 5:
        named = g.op("LabelEncoder", label, domain=ml, keys_int64s=[0, 1, 2], values_strings=["a", "b", "c"])
        return finish(g, [ROWS], [named, share], domains=[(ml, 3)], kinds=[8, 1])
    return finish(g, [ROWS], [label, share], domains=[(ml, 3)], kinds=[7, 1])


def thresholds(seed: int) -> onnx.ModelProto:
    """A binary score with its label, an alert level and a bucket of a raw column."""
    g = Graph(seed)
    score = g.op("Sigmoid", g.dense("X", 6, 1))
    label = g.op("Where", g.op("Greater", score, g.const(0.5)), g.const(1, np.int64), g.const(0, np.int64))
    level = g.op("Cast", g.op("GreaterOrEqual", score, g.const([[0.2, 0.5, 0.9]])), to=TensorProto.INT64)
    return finish(g, [ROWS], [score, label, level], kinds=[1, 7, 7])


def tabular(seed: int) -> onnx.ModelProto:
    g = Graph(seed)
    code = g.op("Clip", "category", g.const(0, np.int64), g.const(9, np.int64))
    table = g.op("Gather", g.weight(10, 4), code)
    joined = g.op("Concat", table, g.op("Log", g.op("Add", g.op("Relu", "X"), g.const(1.0))), axis=1)
    out = g.dense(g.op("Relu", g.dense(joined, 10, 8)), 8, 2)
    return finish(g, [tensor("category", ["batch"], TensorProto.INT64), tensor("X", ["batch", 6])], [out])


def dressed(seed: int, style: int) -> onnx.ModelProto:
    """The metadata that exporters and hubs leave behind."""
    model = resnet(seed, 2, 6)
    entries = [
        {
            "description": "Ultralytics YOLOv8n",
            "author": "Ultralytics",
            "date": "2025-02-03T10:11:12.123456",
            "version": "8.3.70",
            "license": "AGPL-3.0 License (https://ultralytics.com/license)",
            "docs": "https://docs.ultralytics.com",
            "stride": "32",
            "names": str({i: f"class {i}" for i in range(80)}),
        },
        {"onnx.infer": "onnxruntime.quant", "onnx.quant.pre_process": "onnxruntime.quant"},
        {
            "author": "M. Müller <m@example.org>",
            "url": "https://huggingface.co/example/model",
            "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
            "train": "lr=0.1, epochs=90",
        },
        {"labels": ",".join(f"n{1440000 + i:08d}" for i in range(500)), "mean": "[0.485, 0.456, 0.406]"},
    ][style]
    helper.set_model_props(model, entries)
    model.doc_string = "Exported from https://github.com/pytorch/vision/blob/main/torchvision/models/resnet.py"
    trace = (
        'File "/opt/conda/lib/python3.11/site-packages/torch/nn/modules/conv.py", line 554, in forward\n'
        "    return self._conv_forward(input, self.weight, self.bias)\n"
        '  File "train.py", line 3, in <module>\n    model.eval()'
    )
    for node in model.graph.node:
        node.doc_string = trace
        item = node.metadata_props.add()
        item.key, item.value = "pkg.torch.onnx.stack_trace", trace
    return model


def older_export(seed: int) -> onnx.ModelProto:
    """Weights listed among the inputs, as before IR version 4, and a leftover that nothing reads."""
    model = resnet(seed, 2, 6)
    for weight in model.graph.initializer:
        model.graph.input.append(helper.make_tensor_value_info(weight.name, weight.data_type, list(weight.dims)))
    model.graph.initializer.append(numpy_helper.from_array(np.array(7, dtype=np.int64), "num_batches_tracked"))
    return model


def half_precision(seed: int) -> onnx.ModelProto:
    """Weights that went through half precision: their low bits are zero."""
    model = resnet(seed, 2, 6)
    for weight in model.graph.initializer:
        if weight.data_type == TensorProto.FLOAT:
            values = numpy_helper.to_array(weight).astype(np.float16).astype(np.float32)
            weight.raw_data = values.tobytes()
    return model


def outside(seed: int) -> onnx.ModelProto:
    """A large model keeps its weights in one file beside it."""
    model = resnet(seed, 2, 6)
    offset = 0
    for weight in model.graph.initializer:
        size = len(weight.raw_data)
        weight.ClearField("raw_data")
        weight.data_location = TensorProto.EXTERNAL
        for key, value in (("location", "model.onnx.data"), ("offset", str(offset)), ("length", str(size))):
            item = weight.external_data.add()
            item.key, item.value = key, value
        offset += (size + 4095) // 4096 * 4096
    return model


def models() -> Iterator[Model]:
    for seed in range(8):
        yield f"bert-{seed}", bert(seed, 1 + seed // 4, seed % 4)
    for seed in range(4):
        yield f"gpt-{seed}", gpt(seed, classify=seed % 2 == 1)
        yield f"dressed-{seed}", dressed(seed, seed)
        yield f"forecast-{seed}", forecast(seed)
        yield f"policy-{seed}", policy(seed, sample=seed % 2 == 1)
    for seed, kind in enumerate(("LSTM", "GRU", "RNN")):
        yield f"{kind.lower()}-0", recurrent(seed, kind)
        yield f"{kind.lower()}-1", recurrent(seed + 3, kind)
    for seed in range(12):
        yield f"classical-{seed}", classical(seed, seed % 6)
    for seed in range(3):
        yield f"voice-activity-{seed}", voice_activity(seed)
        yield f"two-ways-{seed}", two_ways(seed)
        yield f"squeeze-if-one-{seed}", squeeze_if_one(seed)
        yield f"decode-loop-{seed}", decode_loop(seed)
        yield f"functions-{seed}", with_functions(seed, 1 + 2 * seed)
    for seed in range(2):
        yield f"scan-{seed}", scan(seed)
        yield f"sampler-{seed}", sampler(seed)
        yield f"thresholds-{seed}", thresholds(seed)
        yield f"tabular-{seed}", tabular(seed)
        yield f"older-export-{seed}", older_export(seed)
        yield f"half-precision-{seed}", half_precision(seed)
        yield f"outside-{seed}", outside(seed)
