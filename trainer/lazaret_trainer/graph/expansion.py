"""Operators that the ONNX standard itself defines as functions of others: the standard's own body is what runs here.

Some bodies depend on the types of the operands (the "context-dependent" ones); under `jit` they are known when the graph is traced.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx
from onnx import FunctionProto, NodeProto, TypeProto, helper

from .registry import Array, Call

FUNCTIONS = frozenset(
    {
        "AffineGrid",
        "Attention",
        "BlackmanWindow",
        "CausalConvWithState",
        "CenterCropPad",
        "DynamicQuantizeLinear",
        "HammingWindow",
        "HannWindow",
        "LinearAttention",
        "MeanVarianceNormalization",
        "NegativeLogLikelihoodLoss",
        "RMSNormalization",
        "RotaryEmbedding",
        "SoftmaxCrossEntropyLoss",
        "SwiGLU",
        "Swish",
    }
)
"""Those whose bodies use operators of the registry only; `test_operators.py` runs them all."""


def expand(call: Call, node: NodeProto, operands: Sequence[Array]) -> tuple[FunctionProto, tuple[bytes, ...]]:
    """The body for these operands, and a key under which it may be kept. `node` has its attributes resolved."""
    # The compiled part of onnx has no types for these.
    schema: Any = onnx.defs.get_schema(call.operator, call.opset, "")
    types = [_type_of(operand) for operand in operands]
    key = (node.SerializeToString(), str(call.opset).encode(), *types)
    if schema.has_context_dependent_function:
        version = _newest(schema.context_dependent_function_opset_versions, call)
        body = schema.get_context_dependent_function_with_opset_version(version, node.SerializeToString(), types)
    elif schema.has_function:
        body = schema.get_function_with_opset_version(_newest(schema.function_opset_versions, call))
    else:
        raise call.refuse(f"opset {call.opset} does not define it by other operators")
    if not body:
        raise call.refuse("the standard gives no definition for these operands")
    function = FunctionProto()
    function.ParseFromString(body)
    for attribute in schema.attributes.values():
        if attribute.default_value.name and attribute.name not in {given.name for given in function.attribute_proto}:
            function.attribute_proto.append(attribute.default_value)
    return function, key


def _newest(versions: Sequence[int], call: Call) -> int:
    """The latest body that the model's opset may use."""
    usable = [version for version in versions if version <= call.opset]
    if not usable:
        raise call.refuse(f"opset {call.opset} does not define it by other operators")
    return max(usable)


def _type_of(operand: Array) -> bytes:
    """Element type and shape as the standard writes them; nothing for an operand that is omitted."""
    if operand is None:
        return TypeProto().SerializeToString()
    element = helper.np_dtype_to_tensor_dtype(np.dtype(operand.dtype))
    return helper.make_tensor_type_proto(element, list(operand.shape)).SerializeToString()
