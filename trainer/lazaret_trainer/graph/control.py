"""Control flow that is static: the branch and the number of turns are known when the graph is traced.

A condition that depends on the input's values is refused: a graph that decides by the input has no useful gradient at the decision.
"""

from collections.abc import Sequence
from typing import Any

import jax
import jax.core
import jax.numpy as jnp
import numpy as np
from jax import lax

from .registry import Array, Call, Subgraph, operator


def _truth(call: Call, condition: Array) -> bool:
    if isinstance(condition, jax.core.Tracer):
        raise call.refuse("a condition that depends on the input's values")
    return bool(np.asarray(condition).reshape(-1)[0])


@operator("If")
def branch(call: Call, condition: Array) -> Array:
    chosen: Subgraph = call.get("then_branch" if _truth(call, condition) else "else_branch")
    return chosen()


@operator("Loop")
def loop(call: Call, count: Array = None, condition: Array = None, *carried: Array) -> Array:
    """Unrolled, since what is carried may change its shape from turn to turn."""
    body: Subgraph = call.get("body")
    limit = None if count is None else call.integers(count)[0]
    going = condition is None or _truth(call, condition)
    values, turns = carried, 0
    collected: list[tuple[Array, ...]] = []
    while going and (limit is None or turns < limit):
        again, *rest = body(np.array(turns, np.int64), np.array(True), *values)
        values = tuple(rest[: len(carried)])
        collected.append(tuple(rest[len(carried) :]))
        turns += 1
        going = (limit is not None and turns >= limit) or _truth(call, again)
    if not collected and call.outputs > len(carried):
        raise call.refuse("a loop without turns, whose collected outputs have no known shape")
    return (*values, *(_stacked(parts) for parts in zip(*collected, strict=True)))


def _stacked(parts: Sequence[Array]) -> Array:
    return (np if all(isinstance(part, np.ndarray) for part in parts) else jnp).stack(parts)


@operator("Scan")
def scan(call: Call, *operands: Array) -> Array:
    """Traced once and run by `lax.scan`. Before opset 9 the operands have a batch axis in front and a first operand of lengths."""
    if call.opset < 9:
        if operands[0] is not None:
            raise call.refuse("a scan over sequences of several lengths")
        return jax.vmap(lambda *parts: _scanned(call, "directions", *parts))(*map(jnp.asarray, operands[1:]))
    return _scanned(call, "scan_input_directions", *operands)


def _scanned(call: Call, directions: str, *operands: Array) -> tuple[Array, ...]:
    body: Subgraph = call.get("body")
    sequences = call.get("num_scan_inputs")
    states = len(operands) - sequences
    results = len(body.outputs) - states
    over = list(zip(operands[states:], _listed(call, "scan_input_axes", sequences), _listed(call, directions, sequences), strict=True))
    inputs = tuple(_turned(jnp.moveaxis(jnp.asarray(x), axis, 0), backwards) for x, axis, backwards in over)

    def turn(carry: Any, parts: Any) -> Any:
        made = [jnp.asarray(value) for value in body(*carry, *parts)]
        return tuple(value.astype(was.dtype) for value, was in zip(made, carry, strict=False)), tuple(made[states:])

    final, collected = lax.scan(turn, tuple(map(jnp.asarray, operands[:states])), inputs)
    axes, backwards = _listed(call, "scan_output_axes", results), _listed(call, "scan_output_directions", results)
    placed = [jnp.moveaxis(_turned(y, flip), 0, axis) for y, axis, flip in zip(collected, axes, backwards, strict=True)]
    return (*final, *placed)


def _listed(call: Call, name: str, count: int) -> list[int]:
    return call.get(name, [0] * count)


def _turned(x: Array, backwards: int) -> Array:
    return jnp.flip(x, 0) if backwards else x
