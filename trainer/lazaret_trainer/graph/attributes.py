"""Attributes and tensors of a model as Python values."""

from typing import Any

import numpy as np
import onnx
from onnx import AttributeProto, TensorProto, numpy_helper

from .limits import LARGEST_VALUE_ELEMENTS, elements
from .program import InvalidModel

READABLE = frozenset(
    {AttributeProto.FLOAT, AttributeProto.INT, AttributeProto.STRING, AttributeProto.TENSOR}
    | {AttributeProto.FLOATS, AttributeProto.INTS, AttributeProto.STRINGS}
)
"""Kinds of attributes with a value of their own; graphs are compiled by whoever reads them."""


def attribute_value(attribute: AttributeProto) -> Any:
    """A number, a text, a list of them, or a numpy array. Raises InvalidModel for sparse tensors, types and lists of graphs."""
    if attribute.type not in READABLE:
        kind = AttributeProto.AttributeType.Name(attribute.type)
        raise InvalidModel(f"the attribute {attribute.name!r} is of the kind {kind}, which no operator here reads")
    value = onnx.helper.get_attribute_value(attribute)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, TensorProto):
        return tensor_values(value)
    if attribute.type == AttributeProto.STRINGS:
        return [item.decode("utf-8", "replace") for item in value]
    return list(value) if attribute.type in (AttributeProto.INTS, AttributeProto.FLOATS) else value


def tensor_values(tensor: TensorProto) -> np.ndarray:
    # A path in a model is the model author's word about this machine's files: MUST NOT be followed.
    if tensor.data_location == TensorProto.EXTERNAL or tensor.external_data:
        raise InvalidModel(f"the tensor {tensor.name!r} lies in an external file; only self-contained models can be trained")
    if any(size < 0 for size in tensor.dims) or elements(tensor.dims) > LARGEST_VALUE_ELEMENTS:
        raise InvalidModel(f"the tensor {tensor.name!r} has the shape {list(tensor.dims)}")
    try:
        return numpy_helper.to_array(tensor)
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidModel(f"the tensor {tensor.name!r} does not hold what its shape says") from error
