"""Which float initializers are no weights."""

from collections.abc import Mapping

from .program import Program, Step

FROZEN_OPERANDS: Mapping[str, tuple[int, ...]] = {
    "Attention": (3,),
    "BatchNormalization": (3, 4),
    "Clip": (1, 2),
    "DequantizeLinear": (1,),
    "Dropout": (1,),
    "OneHot": (2,),
    "Pad": (2,),
    "Pow": (1,),
    "QLinearConv": (1, 4, 6),
    "QLinearMatMul": (1, 4, 6),
    "QuantizeLinear": (1,),
    "Range": (0, 1, 2),
    "Resize": (1, 2),
    "RotaryEmbedding": (1, 2),
    "Upsample": (1,),
}
"""Floats that are no weights: statistics, bounds, exponents, masks, scales of quantisation and of images, tables of sines. They have
gradients, and training them would change what the model means."""


def frozen_names(step: Step) -> set[str]:
    """Names of what one node reads at such a place, within its subgraphs and through a function of the model too."""
    node = step.call.node
    frozen = {node.input[position] for position in FROZEN_OPERANDS.get(node.op_type, ()) if position < len(node.input)}
    for value in step.call.attributes.values():
        if isinstance(value, Program):
            frozen.update(value.frozen)
    if step.body is not None:
        frozen.update(given for given, name in zip(node.input, step.body.inputs, strict=False) if name in step.body.frozen)
    return frozen
