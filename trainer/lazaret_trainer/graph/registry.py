"""The registry of operators and what an operator's implementation gets to see.

An implementation is `f(call, *operands)`: operands in the node's order, None for an omitted one, and the result an array or a tuple
with one array per output. Operands that are known before the graph runs (shapes, axes, integer initializers) are numpy arrays and MUST stay
numpy arrays where they are only computed with each other: under `jit` everything else is a tracer, and a tracer cannot be a shape.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, Protocol, TypeVar

import jax.core
import jax.numpy as jnp
import numpy as np
from onnx import NodeProto

from .limits import LARGEST_STATIC_ELEMENTS, LARGEST_UNROLLED_TAPS, LARGEST_VALUE_ELEMENTS, elements

Array = Any
"""A numpy array (static) or a JAX array (possibly traced)."""


class UnsupportedOperator(Exception):
    """A node that this trainer cannot differentiate. Raised before anything is trained; names the node, the operator and the reason."""

    def __init__(self, node: NodeProto, why: str):
        operator = f"{node.domain}::{node.op_type}" if node.domain not in ("", "ai.onnx") else node.op_type
        name = node.name or next(filter(None, node.output), "?")
        super().__init__(f"node {name!r}: operator {operator}: {why}")


class Subgraph(Protocol):
    """The body of If, Loop or Scan, bound to the values around it."""

    inputs: Sequence[str]
    outputs: Sequence[str]

    def __call__(self, *operands: Array) -> tuple[Array, ...]: ...


@dataclass(frozen=True, slots=True)
class Call:
    """One node of the graph with its attributes read."""

    node: NodeProto
    attributes: Mapping[str, Any]
    opset: int

    @property
    def operator(self) -> str:
        return self.node.op_type

    @property
    def outputs(self) -> int:
        return len(self.node.output)

    def wants(self, position: int) -> bool:
        """Whether the node names an output at this position."""
        return position < len(self.node.output) and self.node.output[position] != ""

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute as onnx gives it; texts are decoded, tensors are numpy arrays, graphs are subgraphs to call."""
        return self.attributes.get(name, default)

    def refuse(self, why: str) -> UnsupportedOperator:
        return UnsupportedOperator(self.node, why)

    def integers(self, operand: Array) -> list[int]:
        """A static operand as a flat list of integers."""
        return [int(item) for item in np.ravel(self.static(operand))]

    def static(self, operand: Array) -> np.ndarray:
        """An operand that must be known before the graph runs, because it decides a shape."""
        if isinstance(operand, jax.core.Tracer):
            raise self.refuse("a shape that depends on the input's values")
        return np.asarray(operand)

    def room(self, shape: Iterable[int]) -> list[int]:
        """The shape, refused where nothing of that size may be made."""
        sizes = [int(size) for size in shape]
        if any(size < 0 for size in sizes) or elements(sizes) > LARGEST_VALUE_ELEMENTS:
            raise self.refuse(f"a value of shape {sizes}; at most {LARGEST_VALUE_ELEMENTS} elements are computed")
        return sizes

    def turns(self, count: int) -> int:
        """The count, refused where that many iterations within one operator would take too long to trace."""
        if count > LARGEST_UNROLLED_TAPS:
            raise self.refuse(f"{count} iterations within one operator; at most {LARGEST_UNROLLED_TAPS} are unrolled")
        return count


Implementation = Callable[..., Any]
F = TypeVar("F", bound=Implementation)

OPERATORS: dict[str, Implementation] = {}
"""By operator type of the default domain."""


def operator(*names: str) -> Callable[[F], F]:
    """Registers an implementation under one or more operator types."""

    def register(implementation: F) -> F:
        for name in names:
            assert name not in OPERATORS, f"{name} is registered twice"
            OPERATORS[name] = implementation
        return implementation

    return register


def is_static(operand: Array) -> bool:
    return operand is None or isinstance(operand, (np.ndarray, np.generic))


def library(*operands: Array) -> ModuleType | Any:
    """numpy where all operands are static, so that the result is static as well; else jax.numpy.

    Two small operands can broadcast to a giant: the size of the result decides.
    """
    if not all(is_static(operand) for operand in operands):
        return jnp
    shapes = [np.shape(operand) for operand in operands if operand is not None]
    axes = max(map(len, shapes), default=0)
    broadcast = elements(max((shape[axis - axes] for shape in shapes if axes - axis <= len(shape)), default=1) for axis in range(axes))
    return np if max(broadcast, sum(map(elements, shapes))) <= LARGEST_STATIC_ELEMENTS else jnp
