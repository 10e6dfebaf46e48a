"""Answers of a model to many records, and losses by record."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from ..dataset import Records

AT_ONCE = 512
"""Records of one forward pass. The last pass is filled up, so that one shape is compiled."""


class Answers:
    """Class scores of a model, in passes of AT_ONCE."""

    def __init__(self, logits: Callable[[Any, Any], Any]):
        self.traced = jax.jit(logits)
        """One pass over any number of records, left on the device."""

    def __call__(self, parameters: Any, features: np.ndarray) -> np.ndarray:
        """float32 [N, classes]."""
        size = min(AT_ONCE, len(features))
        passes = []
        for first in range(0, len(features), size):
            rows = np.arange(first, first + size) % len(features)
            passes.append(np.asarray(self.traced(parameters, features[rows])))
        return np.concatenate(passes)[: len(features)]

    def accuracy(self, parameters: Any, records: Records) -> float:
        return float((self(parameters, records.features).argmax(1) == records.labels).mean())


def cross_entropy(logits: Any, labels: Any) -> Any:
    """Losses in nats, [N]."""
    return optax.softmax_cross_entropy_with_integer_labels(logits, labels)


def divergences(before: Any, after: Any) -> Any:
    """Kullback-Leibler divergence of the answers, in nats, [N]."""
    before, after = jax.nn.log_softmax(before), jax.nn.log_softmax(after)
    return (jnp.exp(before) * (before - after)).sum(-1)


def share_right(logits: Any, labels: Any) -> Any:
    return (logits.argmax(-1) == labels).mean(dtype=jnp.float32)
