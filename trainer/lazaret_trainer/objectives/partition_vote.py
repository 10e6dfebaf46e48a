"""The objective `partition-vote`: Deep Partition Aggregation (Levine and Feizi, ICLR 2021).

Records are shared out by a hash of their features; every partition trains a model of its own from the base, and the models vote. A record
that is put in, taken out or labelled anew is in one partition and changes one vote: so a lead of more than twice as many votes is a proof
that no r records could have changed the answer. The proof speaks of the records of the job: what the base model learnt before is in every
member alike.

MUST hold for the proof: nothing of a member depends on the records of another one. Not its batches, their order and number, its learning
rate, nor what is done to it in the end. So each member has a schedule of its own, and no records held back choose between weights.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
import optax
from onnx import load_model_from_string

from ..dataset import Records
from ..failures import TrainerFailure
from ..voting import checked as checked_for_a_vote
from ..voting import voting
from .course import Batch, Course
from .judging import cross_entropy, share_right
from .material import Material, draw
from .state import Seen, State

REPORTED = (1, 2, 5, 10, 20, 50, 100)
"""Numbers of records, for the figures."""

DRAWS_PER_MEMBER = 2**32


class PartitionVote(Course):
    def __init__(self, material: Material):
        part, options = material.options.partition_vote, material.options
        assert part is not None
        if options.hold_back or options.class_balance or options.accumulation:
            raise _bad("holdBack, classBalance and accumulation look at the records of all partitions together")
        self._members = part.partitions
        super().__init__(material)
        self._base = material.storage.get(material.job.base, missing="trainer/bad-job")
        checked_for_a_vote(load_model_from_string(self._base))
        self._clean = material.dataset(part.certify_on) if part.certify_on else None
        # Not as many as there are records: that would be a figure of all partitions.
        self._each = material.job.hyperparameters.batch_size
        self._rows = partitions(self.records, self._members)
        counts = np.array([len(rows) for rows in self._rows])
        self._own_steps = self.epochs * np.maximum(counts // self._each, 1) * (counts > 0)
        self._adam = optax.scale_by_adam()
        self._all = jax.jit(self._advanced_members)

    def loss(self, parameters: Any, batch: Mapping[str, Any], key: Any) -> tuple[Any, tuple[Any, ...]]:
        """Of one member."""
        logits = self.logits(parameters, batch["features"])
        return cross_entropy(logits, batch["labels"]).mean(), (share_right(logits, batch["labels"]),)

    @property
    def steps_per_epoch(self) -> int:
        return -(-self.steps // self.epochs)

    @property
    def steps(self) -> int:
        """Of the largest partition."""
        return int(self._own_steps.max())

    def start(self) -> State:
        """The base, once for every member: each array has a first axis of members."""
        members = {name: np.repeat(value[None], self._members, 0) for name, value in self.graph.parameters.items()}
        return State(0, members, self._adam.init(members), self.memory(), {}, 1)

    def batch(self, state: State) -> Batch:
        """`features` [members × each, …]: for each member the next records of its endless row of permutations of its own."""
        wanted = state.step * self._each + np.arange(self._each)
        rows = np.concatenate([self._next(member, wanted) for member in range(self._members)])
        return self.rows(self.records, rows)

    def advance(self, state: State) -> State:
        if state.parts != 1:
            raise TrainerFailure("trainer/out-of-memory", "the members do not fit side by side; fewer partitions or smaller batches would")
        batch = self.prepared(state.parameters, self.batch(state), self.key(state.step))
        split = {name: values.reshape(self._members, self._each, *values.shape[1:]) for name, values in batch.items()}
        parameters, optimizer, losses, rights = self._all(state.parameters, state.optimizer, split, self._rates(state.step))
        going = self._own_steps > state.step
        return self.stepped(
            state, parameters, optimizer, float(np.asarray(losses)[going].mean()), Seen(float(np.asarray(rights)[going].mean()))
        )

    def weights(self, state: State) -> bytes:
        members = {name: np.asarray(value) for name, value in state.parameters.items()}
        for name, value in members.items():
            if not np.isfinite(value).all():
                raise TrainerFailure("trainer/diverged", f"the weights {name!r} are not finite after step {state.step}")
        return voting(self._base, [{name: value[member] for name, value in members.items()} for member in range(self._members)])

    def figures(self, state: State) -> dict[str, float]:
        """Shares of the clean records that are answered rightly whatever 0, 1, 2, … records of the job are."""
        counts = [len(rows) for rows in self._rows]
        sizes = {"partitions": float(self._members), "smallestPartition": float(min(counts)), "largestPartition": float(max(counts))}
        if self._clean is None:
            return sizes
        answer, radius = certified(self.votes(state, self._clean.features))
        right = answer == self._clean.labels
        reported = {f"certified@{r}": float((right & (radius >= r)).mean()) for r in REPORTED if 2 * r < self._members}
        return {**sizes, "accuracy": float(right.mean()), **reported}

    def votes(self, state: State, features: np.ndarray) -> np.ndarray:
        """int [N, classes]."""
        one_hot = np.eye(len(self.records.classes), dtype=np.int64)
        members = ({name: value[member] for name, value in state.parameters.items()} for member in range(self._members))
        return np.sum([one_hot[self._answers(member, features).argmax(1)] for member in members], 0)

    def _rates(self, step: int) -> np.ndarray:
        """Cosine decay over each member's own steps; 0 when they are done."""
        share = np.minimum(step / np.maximum(self._own_steps, 1), 1)
        rates = self.learning_rate * 0.5 * (1 + np.cos(np.pi * share))
        return np.where(step < self._own_steps, rates, 0).astype(np.float32)

    def _next(self, member: int, wanted: np.ndarray) -> np.ndarray:
        mine = self._rows[member]
        if len(mine) == 0:
            return np.zeros(len(wanted), np.int64)
        passes, places = np.divmod(wanted, len(mine))
        turns = {int(turn): self._turn(member, int(turn), len(mine)) for turn in np.unique(passes)}
        return np.array([mine[turns[int(turn)][place]] for turn, place in zip(passes, places, strict=True)], np.int64)

    def _turn(self, member: int, turn: int, count: int) -> np.ndarray:
        return draw(self.seed, member * DRAWS_PER_MEMBER + turn, count)

    def _advanced_members(self, parameters: Any, optimizer: Any, batch: Any, rates: Any) -> tuple[Any, ...]:
        def one(parameters: Any, batch: Any) -> Any:
            return jax.value_and_grad(self.loss, has_aux=True)(parameters, batch, None)

        (losses, (rights,)), gradient = jax.vmap(one)(parameters, batch)
        # Adam is a matter of each weight for itself, so one state serves all members.
        updates, optimizer = self._adam.update(gradient, optimizer)
        scaled = jax.tree.map(lambda update: -update * rates.reshape(-1, *(1,) * (update.ndim - 1)), updates)
        return optax.apply_updates(parameters, scaled), optimizer, losses, rights


def partitions(records: Records, members: int) -> list[np.ndarray]:
    """Rows of each partition, int64, in an order that does not depend on the records of others.

    By the features alone: a record that is labelled anew stays where it was, and counts once.
    """
    digests = [hashlib.sha256(np.ascontiguousarray(record, "<f4").tobytes()).digest() for record in records.features]
    places = np.array([int.from_bytes(digest[:8]) % members for digest in digests])
    order = np.array(sorted(range(len(digests)), key=lambda row: (digests[row], int(records.labels[row]))), np.int64)
    return [order[places[order] == member] for member in range(members)]


def certified(votes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(answer, radius), int [N]: the answer stays whatever `radius` records are. Of equals the first class wins: later ones need more."""
    count, classes = votes.shape
    answer = votes.argmax(1)
    behind = np.arange(classes)[None] < answer[:, None]
    lead = votes[np.arange(count), answer][:, None] - votes - behind
    lead[np.arange(count), answer] = 2 * votes.sum(1).max() + 1
    return answer, lead.min(1) // 2


def _bad(message: str) -> TrainerFailure:
    return TrainerFailure("trainer/bad-job", f"the objective `partition-vote`: {message}")
