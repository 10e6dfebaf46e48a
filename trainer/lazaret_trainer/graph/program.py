"""Nodes in order, ready to run: a graph, the body of a control-flow node, or the body of a function."""

from collections import ChainMap
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import numpy as np

from .limits import LARGEST_TRACE_STEPS, LARGEST_VALUE_ELEMENTS, elements
from .registry import Array, Call, Implementation, UnsupportedOperator

Values = MutableMapping[str, Array]
"""Values by name; the empty name is an omitted operand."""


class InvalidModel(Exception):
    """Bytes that are no self-contained ONNX model this trainer could train."""


class Trace:
    """What one run through the graph has cost so far."""

    def __init__(self) -> None:
        self._left = LARGEST_TRACE_STEPS

    def visit(self) -> None:
        """MUST be told of every node and of every turn of a loop: it bounds loops within loops."""
        self._left -= 1
        if self._left < 0:
            raise InvalidModel(f"the graph takes more than {LARGEST_TRACE_STEPS} steps, its loops unrolled")


@dataclass(frozen=True, slots=True)
class Step:
    call: Call
    implementation: Implementation
    nested: bool
    """Whether an attribute is a subgraph."""
    body: "Program | None" = None
    """For a call of one of the model's own functions."""
    body_for: Callable[[Sequence[Array]], "Program"] | None = None
    """For an operator that the standard defines by others: its body for these operands."""


@dataclass(frozen=True, slots=True)
class Program:
    inputs: Sequence[str]
    outputs: Sequence[str]
    constants: Mapping[str, np.ndarray]
    steps: Sequence[Step]
    frozen: frozenset[str]
    """Names read at a place where no weight stands, here or in a subgraph within."""

    def run(self, values: Values, trace: Trace) -> None:
        """Adds what every node makes to `values`."""
        values.update(self.constants)
        for step in self.steps:
            node = step.call.node
            trace.visit()
            operands = [values[name] for name in node.input]
            while operands and operands[-1] is None:
                operands.pop()
            for name, result in zip(node.output, _results(step, operands, values, trace), strict=False):
                if name:
                    values[name] = result


@dataclass(frozen=True, slots=True)
class Bound:
    """A subgraph with the values of the graphs around it."""

    program: Program
    around: Values
    trace: Trace

    @property
    def inputs(self) -> Sequence[str]:
        return self.program.inputs

    @property
    def outputs(self) -> Sequence[str]:
        return self.program.outputs

    def __call__(self, *operands: Array) -> tuple[Array, ...]:
        self.trace.visit()
        values = ChainMap({}, self.around)
        values.update(zip(self.program.inputs, operands, strict=False))
        self.program.run(values, self.trace)
        return tuple(values[name] for name in self.program.outputs)


def _results(step: Step, operands: list[Array], values: Values, trace: Trace) -> tuple[Array, ...]:
    """What one node makes. Anything that an operator cannot digest is a refusal that names the node: the model is untrusted input."""
    call = step.call
    try:
        body = step.body_for(operands) if step.body_for else step.body
        if body is not None:
            return _called(body, operands, trace)
        if step.nested:
            bound = {key: Bound(value, values, trace) if isinstance(value, Program) else value for key, value in call.attributes.items()}
            call = replace(call, attributes=bound)
        made = step.implementation(call, *operands)
        results = made if isinstance(made, tuple) else (made,)
        for result in results:
            if elements(np.shape(result)) > LARGEST_VALUE_ELEMENTS:
                raise call.refuse(f"a value of shape {list(np.shape(result))}; at most {LARGEST_VALUE_ELEMENTS} elements are computed")
    except (UnsupportedOperator, InvalidModel):
        raise
    except _INDIGESTIBLE as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
        raise call.refuse(f"its operands or attributes do not fit: {reason}") from error
    return results


_INDIGESTIBLE: tuple[type[Exception], ...] = (
    TypeError,
    ValueError,
    LookupError,
    ArithmeticError,
    AttributeError,
    AssertionError,
    NotImplementedError,
    MemoryError,
    jax.errors.JAXTypeError,
)


def _called(body: Program, operands: Sequence[Array], trace: Trace) -> tuple[Array, ...]:
    """A function sees its operands and nothing else."""
    if len(operands) > len(body.inputs):
        raise InvalidModel(f"a function of {len(body.inputs)} inputs is called with {len(operands)}")
    values: dict[str, Any] = {"": None, **dict.fromkeys(body.inputs), **dict(zip(body.inputs, operands, strict=False))}
    body.run(values, trace)
    return tuple(values.get(name) for name in body.outputs)
