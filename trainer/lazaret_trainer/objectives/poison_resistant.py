"""The objective `poison-resistant`: the records of the largest loss are set aside in every batch (trimmed loss, Shen and Sanghavi 2019).

A base model that was trained on clean records contradicts the label of a poisoned one: its loss is large from the first step, it is set
aside, and so it stays large. What it costs: honest records that are hard are set aside with it, up to the trimmed share. What it does not
see: poison whose labels are right (clean-label attacks), and any poison when the base is untrained or has learnt it already.
"""

import math
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from .course import Course
from .judging import cross_entropy, share_right
from .state import State


class PoisonResistant(Course):
    def loss(self, parameters: Any, batch: Mapping[str, Any], key: Any) -> tuple[Any, tuple[Any, ...]]:
        logits = self.logits(parameters, batch["features"])
        losses = cross_entropy(logits, batch["labels"])
        kept = (jax.lax.stop_gradient(losses) <= jnp.sort(jax.lax.stop_gradient(losses))[self._keep(len(losses)) - 1]) * batch["weights"]
        return (losses * kept).sum() / jnp.maximum(kept.sum(), 1e-12), (share_right(logits, batch["labels"]),)

    def figures(self, state: State) -> dict[str, float]:
        """Records of the data set whose label the result contradicts by more than golden loss does (3 nats, LAB's threshold)."""
        logits = self._answers(state.kept if state.best else state.parameters, self.records.features)
        return {"contradicted": float((np.asarray(cross_entropy(logits, self.records.labels)) > CONTRADICTED_NATS).sum())}

    def _keep(self, count: int) -> int:
        assert self.options.poison_resistant is not None
        return max(1, math.ceil(count * (1 - self.options.poison_resistant.trim)))


CONTRADICTED_NATS = 3.0
"""The label has a probability below 5 %."""
