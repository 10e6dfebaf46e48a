"""How many shares a step's batch is cut into, so that cores compute them side by side.

A function of model and batch alone, and the shares' gradients are summed in their order: one core and many end in the same bits.
"""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

SHARE_RECORDS = 64
"""At least. Of fewer a convolution takes longer per record: halves of 64 are as quick as the whole, quarters of 32 take a fifth longer."""

MOST_SHARES = 8

WORTH_FLOPS = 100e6
"""Of a share's forward pass and gradient, at least: a millisecond or two of a core. To hand a share over and join it takes half of one."""

FLOPS_PER_WEIGHT = 1000
"""Of a share, at least. Every share has a gradient as large as the weights, and moving it is to cost little beside computing it."""

GRADIENT_FLOPS = 3
"""Of a forward pass: the gradient towards the weights and that towards the records take as many again."""

Logits = Callable[[Any, Any], Any]


def shares_of(logits: Logits, parameters: Mapping[str, np.ndarray], shape: tuple[int, ...]) -> int:
    """For a batch of the features' shape [N, …]; 1 where it stays whole. Equal shares, so that one program serves all."""
    records = shape[0]
    most = min(MOST_SHARES, records // SHARE_RECORDS)
    if most < 2:
        return 1
    flops = GRADIENT_FLOPS * _flops(logits, parameters, shape)
    weights = sum(value.size for value in parameters.values())
    most = min(most, int(flops // max(WORTH_FLOPS, FLOPS_PER_WEIGHT * weights)))
    count = next(each for each in range(max(most, 1), 0, -1) if records % each == 0)
    return count if count > 1 and independent(logits, parameters, shape, records // count) else 1


def independent(logits: Logits, parameters: Mapping[str, np.ndarray], shape: tuple[int, ...], share: int) -> bool:
    """Whether a record's answer is a matter of that record alone: every second record is exchanged, and the others' answers keep their
    bits; and a share is answered as it is within the batch. With weights moved a little: one that is 0 now need not stay so."""
    random = np.random.RandomState(0)
    moved = {
        name: (value * (1 + 0.1 * random.rand(*value.shape)) + 0.01 * random.rand(*value.shape)).astype(value.dtype)
        for name, value in parameters.items()
    }
    batch = random.rand(*shape).astype(np.float32)
    exchanged = batch.copy()
    exchanged[1::2] = random.rand(*exchanged[1::2].shape)
    answer = jax.jit(logits)
    try:
        whole, other, first = (np.asarray(answer(moved, features)) for features in (batch, exchanged, batch[:share]))
    except (TypeError, ValueError):
        # A graph that is written for one size of a batch.
        return False
    return np.array_equal(whole[::2], other[::2]) and np.allclose(whole[:share], first, rtol=1e-3, atol=1e-3 * float(np.abs(whole).max()))


def cut(batch: Mapping[str, Any], count: int) -> list[dict[str, np.ndarray]]:
    """`count` equal shares of a batch, neighbours together."""
    arrays = {name: np.asarray(values) for name, values in batch.items()}
    return [dict(zip(arrays, share, strict=True)) for share in zip(*(np.split(values, count) for values in arrays.values()), strict=True)]


def mean(values: tuple[Any, ...]) -> Any:
    """Of trees of one form, in their order. Traced."""
    return jax.tree.map(lambda *each: sum(each[1:], each[0]) / len(each), *values)


def _flops(logits: Logits, parameters: Any, shape: tuple[int, ...]) -> float:
    """Of a forward pass, as XLA counts them before it compiles; 0 where it does not tell."""
    told = jax.jit(logits).lower(parameters, jax.ShapeDtypeStruct(shape, jnp.float32)).cost_analysis()
    return float(told.get("flops", 0.0)) if told else 0.0
