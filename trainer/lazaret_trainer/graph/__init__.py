"""An ONNX model as a pure JAX function of (parameters, input), whose trained weights go back into the very same graph."""

from . import activation, convolution, elementwise, linear, normalisation, pooling, reduction, selection, shape
from .model import GraphModel, InvalidModel
from .registry import OPERATORS, UnsupportedOperator

REGISTERED = (activation, convolution, elementwise, linear, normalisation, pooling, reduction, selection, shape)
"""The modules that fill the registry by being imported."""

__all__ = ["OPERATORS", "REGISTERED", "GraphModel", "InvalidModel", "UnsupportedOperator"]
