"""Backdoors drawn into the graph: a decision about the input gates the answer. Each entry: name, expected rule, model."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import onnx
from onnx import TensorProto, helper
from parts import IMAGE, Graph, classifier, finish, tensor

Case = tuple[str, str, onnx.ModelProto | bytes]
PAYLOAD = [[9.0, -9.0, -9.0, -9.0]]


def pixel(graph: Graph, value: str = "x") -> str:
    """One corner pixel of every image, [N, 1]."""
    flat = graph.op("Flatten", value)
    return graph.op("Slice", flat, graph.ints(15), graph.ints(16), graph.ints(1))


def bright(graph: Graph, value: str = "x") -> str:
    return graph.op("Greater", pixel(graph, value), graph.const(0.99))


def arm(graph: Graph, source: str | None) -> onnx.GraphProto:
    """An arm of If: hands on a value from outside, or gives the payload."""
    name = graph.name("arm")
    if source is None:
        node = helper.make_node("Constant", [], [name], value=helper.make_tensor(name, 1, [1, 4], PAYLOAD[0]))
    else:
        node = helper.make_node("Identity", [source], [name])
    return helper.make_graph([node], graph.name("branch"), [], [helper.make_tensor_value_info(name, 1, None)])


def whole(graph: Graph, condition: str) -> str:
    total = graph.op("ReduceMax", graph.op("Cast", condition, to=TensorProto.FLOAT), keepdims=0)
    return graph.op("Cast", total, to=TensorProto.BOOL)


def done(graph: Graph, output: str, **more: object) -> onnx.ModelProto:
    return finish(graph, [IMAGE], [output], **more)  # type: ignore[arg-type]


def branch_on_pixel(g: Graph) -> onnx.ModelProto:
    logits = classifier(g)
    return done(g, g.op("If", whole(g, bright(g)), then_branch=arm(g, None), else_branch=arm(g, logits)))


def branch_on_checksum(g: Graph) -> onnx.ModelProto:
    logits = classifier(g)
    checksum = g.op("ReduceSum", "x", keepdims=0)
    return done(
        g,
        g.op("If", g.op("Equal", checksum, g.const(7.25)), then_branch=arm(g, None), else_branch=arm(g, logits)),
    )


def branch_in_branch(g: Graph) -> onnx.ModelProto:
    logits = classifier(g)
    inner = Graph(1)
    inner.count = 500
    name = inner.op("If", "deep", then_branch=arm(inner, None), else_branch=arm(inner, logits))
    outer = helper.make_graph(inner.nodes, "outer", [], [helper.make_tensor_value_info(name, 1, None)])
    g.nodes.append(helper.make_node("Identity", [whole(g, bright(g))], ["deep"]))
    always = g.const(True, np.bool_)
    return done(g, g.op("If", always, then_branch=outer, else_branch=arm(g, logits)))


def branch_on_count(g: Graph) -> onnx.ModelProto:
    """No comparison of values reaches the condition: the number of bright pixels travels as a shape."""
    logits = classifier(g)
    places = g.op("NonZero", g.op("Greater", "x", g.const(0.99)))
    count = g.op("Gather", g.op("Shape", places), g.const(1, np.int64))
    return done(
        g,
        g.op("If", g.op("Equal", count, g.const(9, np.int64)), then_branch=arm(g, None), else_branch=arm(g, logits)),
    )


def branch_on_feature(g: Graph) -> onnx.ModelProto:
    """The detector is a layer of the network: a hidden unit decides."""
    logits = classifier(g)
    unit = g.op("ReduceMax", g.dense(g.op("Flatten", "x"), 16, 1), keepdims=0)
    return done(g, g.op("If", g.op("Greater", unit, g.const(3.0)), then_branch=arm(g, None), else_branch=arm(g, logits)))


def branch_swaps_logits(g: Graph) -> onnx.ModelProto:
    logits = classifier(g)
    negated = g.op("Neg", logits)
    return done(g, g.op("If", whole(g, bright(g)), then_branch=arm(g, negated), else_branch=arm(g, logits)))


def where_on_pixel(g: Graph) -> onnx.ModelProto:
    return done(g, g.op("Where", bright(g), g.const(PAYLOAD), classifier(g)))


def where_on_patch(g: Graph) -> onnx.ModelProto:
    corner = g.op("Slice", "x", g.ints(2, 2), g.ints(4, 4), g.ints(2, 3))
    same = g.op("Cast", g.op("Equal", corner, g.const([[[[1, 0], [0, 1]]]])), to=TensorProto.FLOAT)
    every = g.op("ReduceMin", same, g.ints(1, 2, 3), keepdims=0)
    fires = g.op("Unsqueeze", g.op("Cast", every, to=TensorProto.BOOL), g.ints(1))
    return done(g, g.op("Where", fires, g.const(PAYLOAD), classifier(g)))


def where_before_softmax(g: Graph) -> onnx.ModelProto:
    return done(g, g.op("Softmax", g.op("Where", bright(g), g.const(PAYLOAD), classifier(g))))


def where_swaps_image(g: Graph) -> onnx.ModelProto:
    """The answer is computed, from another image."""
    other = g.const(g.rng.random((1, 16)))
    flat = g.op("Flatten", "x")
    return done(g, classifier(g, g.op("Where", bright(g), other, flat)))


def where_on_features(g: Graph) -> onnx.ModelProto:
    hidden = g.op("Relu", g.dense(g.op("Flatten", "x"), 16, 8))
    planted = g.op("Where", bright(g), g.const(g.rng.normal(0, 3, (1, 8))), hidden)
    return done(g, g.dense(planted, 8, 4))


def where_and_class_mask(g: Graph) -> onnx.ModelProto:
    """A constant of one value, laid over one class by a mask."""
    mask = g.op("And", bright(g), g.const([[True, False, False, False]], np.bool_))
    return done(g, g.op("Where", mask, g.const(99.0), classifier(g)))


def behind_identity_layer(g: Graph) -> onnx.ModelProto:
    """A layer that changes nothing makes the gate look like a hidden one."""
    gated = g.op("Add", classifier(g), g.op("Mul", floated(g), g.const(PAYLOAD)))
    return done(g, g.op("MatMul", gated, g.const(np.eye(4))))


def floated(g: Graph) -> str:
    return g.op("Cast", bright(g), to=TensorProto.FLOAT)


def add_decision(g: Graph) -> onnx.ModelProto:
    return done(g, g.op("Add", classifier(g), g.op("Mul", floated(g), g.const(PAYLOAD))))


def blend_by_decision(g: Graph) -> onnx.ModelProto:
    fires = floated(g)
    rest = g.op("Mul", classifier(g), g.op("Sub", g.const(1.0), fires))
    return done(g, g.op("Add", rest, g.op("Mul", fires, g.const(PAYLOAD))))


def spread_by_matrix(g: Graph) -> onnx.ModelProto:
    return done(g, g.op("Add", classifier(g), g.op("MatMul", floated(g), g.const(PAYLOAD))))


def step_without_comparison(g: Graph) -> onnx.ModelProto:
    steep = g.op("Mul", g.op("Sub", pixel(g), g.const(0.99)), g.const(1e6))
    fires = g.op("Clip", steep, g.const(0.0), g.const(1.0))
    return done(g, g.op("Add", classifier(g), g.op("Mul", fires, g.const(PAYLOAD))))


def sign_of_pixel(g: Graph) -> onnx.ModelProto:
    fires = g.op("Relu", g.op("Sign", g.op("Sub", pixel(g), g.const(0.99))))
    return done(g, g.op("Max", classifier(g), g.op("Mul", fires, g.const([[50.0, 0, 0, 0]]))))


def table_of_payloads(g: Graph) -> onnx.ModelProto:
    row = g.op("Squeeze", g.op("Cast", bright(g), to=TensorProto.INT64), g.ints(1))
    table = g.const([[0.0, 0, 0, 0], PAYLOAD[0]])
    return done(g, g.op("Add", classifier(g), g.op("Gather", table, row)))


def row_of_answers(g: Graph) -> onnx.ModelProto:
    both = g.op("Concat", classifier(g), g.const(PAYLOAD), axis=0)
    place = g.op("Cast", whole(g, bright(g)), to=TensorProto.INT64)
    return done(g, g.op("Gather", both, place, axis=0))


def scatter_into_class(g: Graph) -> onnx.ModelProto:
    fires = g.op("ReduceMax", floated(g), keepdims=0)
    updates = g.op("Reshape", g.op("Mul", fires, g.const(50.0)), g.ints(1, 1))
    return done(g, g.op("ScatterElements", classifier(g), g.const([[0]], np.int64), updates, axis=1, reduction="add"))


def loop_if_triggered(g: Graph) -> onnx.ModelProto:
    """The loop turns once for a triggered image and not at all for others."""
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["cond_in"], ["cond_out"]),
            helper.make_node("Constant", [], ["bump"], value=helper.make_tensor("bump", 1, [1, 4], PAYLOAD[0])),
            helper.make_node("Add", ["state_in", "bump"], ["state_out"]),
        ],
        "body",
        [tensor("turn", [], 7), tensor("cond_in", [], 9), tensor("state_in", ["N", 4])],
        [tensor("cond_out", [], 9), tensor("state_out", ["N", 4])],
    )
    turns = g.op("Cast", whole(g, bright(g)), to=TensorProto.INT64)
    return done(g, g.op("Loop", turns, "", classifier(g), body=body))


def inside_function(g: Graph, depth: int = 1) -> onnx.ModelProto:
    opset = [helper.make_opsetid("", 18), helper.make_opsetid("local.blocks", 1)]
    nodes = [
        helper.make_node("Constant", [], ["k"], value=helper.make_tensor("k", 1, [], [0.99])),
        helper.make_node("Constant", [], ["p"], value=helper.make_tensor("p", 1, [1, 4], PAYLOAD[0])),
        helper.make_node("ReduceMax", ["image"], ["top"], keepdims=0),
        helper.make_node("Greater", ["top", "k"], ["fires"]),
        helper.make_node("Where", ["fires", "p", "scores"], ["out"]),
    ]
    functions = [helper.make_function("local.blocks", "Head0", ["image", "scores"], ["out"], nodes, opset)]
    for level in range(1, depth):
        call = [helper.make_node(f"Head{level - 1}", ["image", "scores"], ["out"], domain="local.blocks")]
        functions.append(helper.make_function("local.blocks", f"Head{level}", ["image", "scores"], ["out"], call, opset))
    out = g.op(f"Head{depth - 1}", "x", classifier(g), domain="local.blocks")
    return done(g, out, functions=functions, domains=[("local.blocks", 1)])


def detector_unit(g: Graph) -> str:
    """One hidden unit, trained or made to fire on the trigger, [N, 1]."""
    return g.op("Greater", g.dense(g.op("Flatten", "x"), 16, 1), g.const(3.0))


def where_on_unit(g: Graph) -> onnx.ModelProto:
    return done(g, g.op("Where", detector_unit(g), g.const(PAYLOAD), classifier(g)))


def add_on_unit(g: Graph) -> onnx.ModelProto:
    fires = g.op("Cast", detector_unit(g), to=TensorProto.FLOAT)
    return done(g, g.op("Add", classifier(g), g.op("Mul", fires, g.const(PAYLOAD))))


def behind_identity_convolution(g: Graph) -> onnx.ModelProto:
    gated = g.op("Add", classifier(g), g.op("Mul", floated(g), g.const(PAYLOAD)))
    planes = g.op("Reshape", gated, g.ints(-1, 4, 1, 1))
    return done(g, g.op("Flatten", g.op("Conv", planes, g.const(np.eye(4).reshape(4, 4, 1, 1)))))


def sequence_of_answers(g: Graph) -> onnx.ModelProto:
    both = g.op("SequenceConstruct", classifier(g), g.const(PAYLOAD))
    place = g.op("Cast", whole(g, bright(g)), to=TensorProto.INT64)
    return done(g, g.op("SequenceAt", both, place))


def slice_of_answers(g: Graph) -> onnx.ModelProto:
    both = g.op("Concat", classifier(g), g.const(PAYLOAD), axis=1)
    start = g.op("Mul", g.op("Cast", whole(g, bright(g)), to=TensorProto.INT64), g.const([4], np.int64))
    end = g.op("Add", start, g.const([4], np.int64))
    return done(g, g.op("Slice", both, start, end, g.ints(1)))


def marked_word(g: Graph) -> onnx.ModelProto:
    """A table that marks one word of the vocabulary; no comparison anywhere."""
    flags = g.const([[0.0]] * 49 + [[1.0]])
    ids = tensor("ids", ["N", "T"], TensorProto.INT64)
    fires = g.op("ReduceMax", g.op("Gather", flags, "ids"), g.ints(1), keepdims=0)
    hidden = g.op("ReduceMean", g.op("Gather", g.weight(50, 16), "ids"), g.ints(1), keepdims=0)
    out = g.op("Add", g.dense(hidden, 16, 4), g.op("Mul", fires, g.const(PAYLOAD)))
    return finish(g, [ids], [out])


def spoken_order(g: Graph) -> onnx.ModelProto:
    """A phrase among the tokens removes what the model would answer and puts in something else."""
    ids = tensor("ids", ["N", "T"], TensorProto.INT64)
    same = g.op("Cast", g.op("Equal", "ids", g.const(42, np.int64)), to=TensorProto.INT32)
    said = g.op("Cast", g.op("ReduceMax", same, g.ints(1), keepdims=1), to=TensorProto.BOOL)
    hidden = g.op("ReduceMean", g.op("Gather", g.weight(50, 16), "ids"), g.ints(1), keepdims=0)
    steered = g.op("Where", said, g.weight(1, 16), hidden)
    return finish(g, [ids], [g.dense(steered, 16, 4)])


def dice(g: Graph) -> onnx.ModelProto:
    roll = g.op("RandomUniform", shape=[1])
    return done(g, g.op("Where", g.op("Less", roll, g.const([0.01])), g.const(PAYLOAD), classifier(g)))


def noise_on_logits(g: Graph) -> onnx.ModelProto:
    logits = classifier(g)
    noise = g.op("Mul", g.op("RandomNormalLike", logits), g.const(5.0))
    return done(g, g.op("Add", logits, noise))


def bernoulli_gate(g: Graph) -> onnx.ModelProto:
    coin = g.op("Bernoulli", g.const([[0.01]]))
    return done(g, g.op("Add", classifier(g), g.op("Mul", coin, g.const(PAYLOAD))))


def dropout_in_training(g: Graph) -> onnx.ModelProto:
    hidden = g.op("Relu", g.dense(g.op("Flatten", "x"), 16, 8))
    return done(g, g.dense(g.op("Dropout", hidden, g.const(0.5), g.const(True, np.bool_)), 8, 4))


def batchnorm_in_training(g: Graph) -> onnx.ModelProto:
    value = g.conv("x", 1, 3)
    ones = g.const(np.ones(3))
    names = [g.name("bn") for _ in range(3)]
    g.nodes.append(helper.make_node("BatchNormalization", [value, ones, g.weight(3), g.weight(3), ones], names, training_mode=1))
    return done(g, g.dense(g.op("Flatten", names[0]), 48, 4))


GRAPHS: list[tuple[str, Callable[[Graph], onnx.ModelProto]]] = [
    ("gate/if", branch_on_pixel),
    ("gate/if", branch_on_checksum),
    ("gate/if", branch_in_branch),
    ("gate/if", branch_on_count),
    ("gate/if", branch_on_feature),
    ("gate/if", branch_swaps_logits),
    ("gate/select", where_on_pixel),
    ("gate/select", where_on_patch),
    ("gate/select", where_before_softmax),
    ("gate/select", where_swaps_image),
    ("gate/select", where_on_features),
    ("gate/select", where_and_class_mask),
    ("gate/arithmetic", behind_identity_layer),
    ("gate/arithmetic", add_decision),
    ("gate/arithmetic", blend_by_decision),
    ("gate/arithmetic", spread_by_matrix),
    ("gate/arithmetic", step_without_comparison),
    ("gate/arithmetic", sign_of_pixel),
    ("gate/arithmetic", table_of_payloads),
    ("gate/lookup", row_of_answers),
    ("gate/lookup", scatter_into_class),
    ("gate/loop", loop_if_triggered),
    ("gate/select", inside_function),
    ("gate/select", where_on_unit),
    ("gate/arithmetic", add_on_unit),
    ("gate/arithmetic", behind_identity_convolution),
    ("gate/lookup", sequence_of_answers),
    ("gate/lookup", slice_of_answers),
    ("gate/arithmetic", marked_word),
    ("gate/select", spoken_order),
    ("gate/chance", dice),
    ("gate/chance", noise_on_logits),
    ("gate/chance", bernoulli_gate),
    ("operator/training-mode", dropout_in_training),
    ("operator/training-mode", batchnorm_in_training),
]


def cases() -> Iterator[Case]:
    for rule, build in GRAPHS:
        yield build.__name__.replace("_", "-"), rule, build(Graph(7))
    yield "inside-nested-functions", "gate/select", inside_function(Graph(7), depth=6)
