"""The objective `private`: DP-SGD (Abadi et al. 2016). One record more or less changes the result by little, with ε and δ for a measure.

The budget is enforced: the noise is calibrated to it before the first step, and a job that cannot keep it is refused. Records are drawn
by Poisson sampling, each with its own gradient clipped; the batch is as large as the draw, never cut short, because the accounting
believes in the draw.

Draw and noise come from a secret of the job, not from its seed: the seed is in the provenance, and whoever can compute the noise again can
take it off the weights. ε speaks of the weights alone. The loss curve and the checkpoints are the operator's, and are not to be published.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from ..failures import TrainerFailure
from .accounting import NOISIEST, calibrated
from .course import Batch
from .material import Material
from .standard import Standard
from .state import Seen, State

PASSES = 4
"""A draw of about a batch is computed in about so many passes of one shape; the last is filled up with records that count nothing."""

REPORTS = 10
"""How often ε so far is computed anew on the way; between two reports the larger one is told."""


class Private(Standard):
    def __init__(self, material: Material):
        part, options = material.options.private, material.options
        assert part is not None
        if options.hold_back or options.class_balance:
            raise _bad("holdBack and classBalance look at records outside of the accounting")
        super().__init__(material)
        count = len(self.records.labels)
        delta = part.delta or 1 / (1.1 * count)
        if delta >= 1 / count:
            raise _bad(f"delta {delta:g} is not below 1/{count}: publishing a record at random would be private by it")
        self._rate = self.batch_size / count
        self._norm = part.clip_norm or 1.0
        spending = calibrated(part.epsilon, delta, self._rate, self.steps)
        if spending is None:
            raise TrainerFailure(
                "trainer/privacy-budget",
                f"{self.steps} steps at ε {part.epsilon:g} need more noise than {NOISIEST:g} times the clipping norm; "
                "fewer epochs or more records would need less",
            )
        self._spending, self._limit, self._secret = spending, part.epsilon, material.secret()
        self._slopes, self._clipped = jax.jit(self._slopes_of), jax.jit(self._clipped_onto)
        self._noisy = jax.jit(self._noised)

    @property
    def optimizer(self) -> optax.GradientTransformation:
        """Adam at a constant rate: noise and clipping make so few and small steps that a decaying rate ends the learning too early."""
        return optax.adam(self.learning_rate)

    def advance(self, state: State) -> State:
        if self._spending.epsilon(self.steps) > self._limit:
            raise TrainerFailure("trainer/privacy-budget", f"the steps would spend more than ε {self._limit:g}")
        batch = self.drawn(state.step)
        total, loss, right, count = jax.tree.map(jnp.zeros_like, state.parameters), 0.0, 0.0, len(batch["labels"])
        size = max(1, -(-self.batch_size // (PASSES * state.parts)))
        for first in range(0, count, size):
            part = _filled({name: values[first : first + size] for name, values in batch.items()}, size)
            part = self.prepared(state.parameters, part, jax.random.fold_in(self.key(state.step), first))
            total, losses, rights = self.clipped_sum(state.parameters, total, part)
            loss, right = loss + float(losses), right + float(rights)
        gradient = self._noisy(total, self._noise_key(state.step))
        parameters, optimizer = self._apply(gradient, state.optimizer, state.parameters)
        # An empty draw is a step like any other: leaving it out would tell that it was empty.
        return self.stepped(state, parameters, optimizer, loss / max(count, 1), Seen(right / max(count, 1)))

    def epsilon(self, state: State) -> float:
        stride = max(1, -(-self.steps // REPORTS))
        return self._spending.epsilon(min(-(-state.step // stride) * stride, self.steps))

    def figures(self, state: State) -> dict[str, float]:
        spent = self._spending.epsilon(state.step)
        return {
            "epsilon": spent,
            "delta": self._spending.delta,
            "noiseMultiplier": self._spending.noise,
            "clipNorm": self._norm,
            "samplingRate": self._rate,
        }

    def drawn(self, step: int) -> Batch:
        """Each record with probability `rate`, by a coin of its own."""
        key = np.frombuffer(self._derived("draw", step)[:16], np.uint64)
        coins = np.random.Philox(key=key).random_raw(len(self.records.labels))
        return self.rows(self.records, np.flatnonzero(coins < np.uint64(min(self._rate, 1.0) * (2**64 - 2048))))

    def _noise_key(self, step: int) -> Any:
        return jnp.asarray(np.frombuffer(self._derived("noise", step)[:8], np.uint32))

    def _derived(self, purpose: str, step: int) -> bytes:
        return hashlib.sha256(b"%b %b %d" % (self._secret, purpose.encode(), step)).digest()

    def clipped_sum(self, parameters: Any, total: Any, batch: Mapping[str, Any]) -> tuple[Any, Any, Any]:
        """The records' gradients, each scaled down to the clipping norm, added to `total`; sums of losses and of right answers."""
        # Two programs: XLA makes one of both three times as slow, because it weaves the scaling into the products.
        slopes, lengths, losses, rights = self._slopes(parameters, batch)
        return self._clipped(total, slopes, lengths), losses, rights

    def _slopes_of(self, parameters: Any, batch: Mapping[str, Any]) -> tuple[Any, Any, Any, Any]:
        """(gradients [N, …], their Euclidean lengths [N], sum of losses, sum of right answers)."""

        def one(features: Any, label: Any, weight: Any) -> Any:
            record = {"features": features[None], "labels": label[None], "weights": weight[None]}
            (loss, (right,)), gradient = jax.value_and_grad(self.loss, has_aux=True)(parameters, record, None)
            length = jnp.sqrt(sum((leaf**2).sum() for leaf in jax.tree.leaves(gradient)))
            return gradient, length, loss, right * weight

        slopes, lengths, losses, rights = jax.vmap(one)(batch["features"], batch["labels"], batch["weights"])
        return slopes, lengths, losses.sum(), rights.sum()

    def _clipped_onto(self, total: Any, slopes: Any, lengths: Any) -> Any:
        scales = jnp.minimum(1, self._norm / jnp.maximum(lengths, 1e-12))
        return jax.tree.map(lambda all_, each: all_ + jnp.tensordot(scales, each, 1), total, slopes)

    def _noised(self, total: Any, key: Any) -> Any:
        """Sum plus noise, over the expected size of a draw: the size of this draw is not to be told."""
        leaves, form = jax.tree.flatten(total)
        keys = jax.random.split(key, len(leaves))
        deviation = self._spending.noise * self._norm
        noisy = [leaf + deviation * jax.random.normal(each, leaf.shape, leaf.dtype) for leaf, each in zip(leaves, keys, strict=True)]
        return jax.tree.unflatten(form, [leaf / self.batch_size for leaf in noisy])


def _filled(batch: Batch, size: int) -> Batch:
    missing = size - len(batch["labels"])
    if not missing:
        return batch
    repeated = {name: np.concatenate([values, np.repeat(values[:1], missing, 0)]) for name, values in batch.items()}
    repeated["weights"] = np.concatenate([batch["weights"], np.zeros(missing, np.float32)])
    return repeated


def _bad(message: str) -> TrainerFailure:
    return TrainerFailure("trainer/bad-job", f"the objective `private`: {message}")
