"""An ONNX model as a pure JAX function of (parameters, input), whose trained weights go back into the very same graph."""

from . import (
    activation,
    bits,
    casting,
    control,
    convolution,
    elementwise,
    linear,
    normalisation,
    ordering,
    pooling,
    quantisation,
    recurrent,
    reduction,
    resizing,
    scattering,
    selection,
    shape,
)
from .expansion import FUNCTIONS
from .model import GraphModel
from .program import InvalidModel
from .registry import OPERATORS, UnsupportedOperator

REGISTERED = (
    activation,
    bits,
    casting,
    control,
    convolution,
    elementwise,
    linear,
    normalisation,
    ordering,
    pooling,
    quantisation,
    recurrent,
    reduction,
    resizing,
    scattering,
    selection,
    shape,
)
"""The modules that fill the registry by being imported."""

SUPPORTED = frozenset(OPERATORS) | FUNCTIONS
"""Operators of the default domain that a model may use."""

__all__ = ["FUNCTIONS", "OPERATORS", "REGISTERED", "SUPPORTED", "GraphModel", "InvalidModel", "UnsupportedOperator"]
