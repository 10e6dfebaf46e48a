"""The loop that every objective runs. An objective says what a batch is, what its loss is, and what one step does with them.

Everything that the result depends on is a function of the job and the state: which records come when from (seed, epoch), random numbers
from (seed, step). So a state written down after any step and taken up elsewhere ends in the same bits.
"""

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cached_property, lru_cache, partial
from typing import Any, ClassVar, Literal

import jax
import jax.numpy as jnp
import numpy as np
import optax

from ..cores import alone, on_cores
from ..dataset import Records
from ..failures import TrainerFailure
from ..spread import spread
from . import judging
from .augmentation import augment
from .material import Material, draw, parted
from .model import checked, logits_of
from .shares import cut, mean, shares_of
from .state import Best, CurvePoint, Seen, State

CURVE_POINTS = 500
"""About how many points the loss curve keeps, whatever the number of steps."""

Batch = dict[str, np.ndarray]
"""Arrays whose first axis is that of the step's records: `features`, `labels`, `weights`, and what an objective adds."""


class Course(ABC):
    """One training run, checked: the model takes these records and answers in these classes. Fails with the types of the contract."""

    mean_over_records: ClassVar[bool] = False
    """Whether the loss is a mean of one term for each record, without random numbers: then a batch may be computed in shares."""

    def __init__(self, material: Material):
        self.options, hyperparameters = material.options, material.job.hyperparameters
        self.graph, self.seed, self.epochs = material.graph, hyperparameters.seed, hyperparameters.epochs
        self.records, self.held = self.shared_out(material.records)
        self.batch_size = min(hyperparameters.batch_size, len(self.records.labels))
        self.weights_of_records = self.weigh(self.records)
        checked(self.graph, self.records, self.batch_size, self.options)
        self._logits = logits_of(self.graph)
        self.learning_rate = hyperparameters.learning_rate
        self._order = lru_cache(2)(lambda number, count: draw(self.seed, number, count))
        self._answers = judging.Answers(self.logits)
        self._value = jax.jit(jax.value_and_grad(self.loss, has_aux=True))
        self._augment = jax.jit(augment, static_argnums=2)
        self._apply = jax.jit(self._applied)
        self._fused = jax.jit(self._fused_step)
        self._joined = jax.jit(self._joined_shares)
        self._key = jax.jit(self.key)

    # What an objective says of itself.

    @abstractmethod
    def loss(self, parameters: Any, batch: Mapping[str, Any], key: Any) -> tuple[Any, tuple[Any, ...]]:
        """(mean loss of the batch in nats, (share answered rightly[, share carried away by the attack])). Traced."""

    def batch(self, state: State) -> Batch:
        """The records of the step after `state`."""
        return self.rows(self.records, self.epoch_rows(state.step))

    def prepared(self, parameters: Any, batch: Batch, key: Any) -> Batch:
        """What is done to the records before the gradient is taken, with the weights as they are."""
        how = self.options.augmentation
        return {**batch, "features": self._augment(batch["features"], key, how)} if how else batch

    def weigh(self, records: Records) -> np.ndarray:
        """float32 [N], mean 1: what a record counts in the loss."""
        counts = np.bincount(records.labels, minlength=len(records.classes))
        if not self.options.class_balance:
            return np.ones(len(records.labels), np.float32)
        return (len(records.labels) / (np.count_nonzero(counts) * counts[records.labels])).astype(np.float32)

    def memory(self) -> dict[str, Any]:
        """What is carried from step to step, before the first one."""
        return {}

    def judge(self, state: State, held: Records) -> tuple[float, Seen]:
        """(score, what was seen) of the weights on records that they were not trained on. More is better."""
        accuracy = self._answers.accuracy(state.parameters, held)
        return accuracy, Seen(accuracy)

    def figures(self, state: State) -> dict[str, float]:
        """For the result, by name."""
        return {}

    def epsilon(self, state: State) -> float | None:
        """Privacy spent so far, where it is kept account of."""
        return None

    @cached_property
    def shares(self) -> int:
        """Every batch is cut into so many, which are computed side by side where there are cores. The bits are those of their number."""
        if not (self.mean_over_records and alone()):
            return 1
        return shares_of(self.logits, self.graph.parameters, (self.batch_size, *self.records.features.shape[1:]))

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches; the rest is dropped, another rest in every epoch."""
        return len(self.records.labels) // self.batch_size

    @property
    def steps(self) -> int:
        return self.steps_per_epoch * self.epochs

    @property
    def updates(self) -> int:
        """Steps that change the weights."""
        return self.steps

    @property
    def patience(self) -> float:
        """Steps without a better score, after which the training ends."""
        return self.options.hold_back.patience * self.steps_per_epoch if self.options.hold_back else math.inf

    def advance(self, state: State) -> State:
        """One step."""
        batch = self.batch(state)
        if state.parts == 1:
            batch = self.prepared(state.parameters, batch, self._key(np.uint32(state.step)))
            step = self._side_by_side if self.shares > 1 else self._at_once
            parameters, optimizer, loss, seen = step(state, batch)
        else:
            gradient, loss, seen = self.in_parts(state, batch)
            parameters, optimizer = self._apply(gradient, state.optimizer, state.parameters)
        return self.stepped(state, parameters, optimizer, float(loss), Seen(*map(float, seen)))

    # What all of them share.

    def start(self) -> State:
        """The state before the first step."""
        parameters = dict(self.graph.parameters)
        parts = min(self.options.accumulation or 1, self.batch_size)
        return State(0, parameters, self.optimizer.init(parameters), self.memory(), dict(parameters) if self.held else {}, parts)

    def run(self, state: State, between_steps: Callable[[State], bool]) -> State:
        """Trains to the end. `between_steps` sees every state, the last too, may raise, and says whether to go on."""
        while between_steps(state) and not self.ended(state):
            state = self._advanced(state)
            if state.step % self.steps_per_epoch == 0 or state.step == self.steps:
                state = self.judged(state)
        return state

    def ended(self, state: State) -> Literal["done", "patience"] | None:
        if state.step >= self.steps:
            return "done"
        return "patience" if state.best and state.step - state.best.step >= self.patience else None

    def judged(self, state: State) -> State:
        """The state with the verdict of the records held back, where there are any."""
        if self.held is None:
            return state
        score, seen = self.judge(state, self.held)
        if state.best is None or score > state.best.score:
            state = replace(state, best=Best(state.step, score), kept=state.parameters)
        return replace(state, seen=seen)

    def weights(self, state: State) -> bytes:
        """The model with the state's best weights. Fails with trainer/diverged where one is not finite: no loss judged the last step."""
        chosen = state.kept if state.best else state.parameters
        parameters = {name: np.asarray(value) for name, value in chosen.items()}
        for name, value in parameters.items():
            if not np.isfinite(value).all():
                raise TrainerFailure("trainer/diverged", f"the weights {name!r} are not finite after step {state.step}")
        return self.graph.with_weights(parameters)

    @property
    def optimizer(self) -> optax.GradientTransformation:
        """Adam with cosine decay."""
        return optax.adam(optax.cosine_decay_schedule(self.learning_rate, self.updates))

    def logits(self, parameters: Any, features: Any) -> Any:
        if self.options.precision == "mixed":
            # Weights, their sums and the loss stay float32; bfloat16 has float32's range, so that no loss is scaled.
            parameters, features = jax.tree.map(lambda value: jnp.asarray(value, jnp.bfloat16), (parameters, features))
        return self.graph(parameters, features, self._logits).astype(jnp.float32)

    def key(self, step: Any) -> Any:
        """The step's random key."""
        return jax.random.fold_in(jax.random.PRNGKey(np.uint32(self.seed)), step)

    def epoch_rows(self, step: int) -> np.ndarray:
        epoch, batch = divmod(step, self.steps_per_epoch)
        return self._order(epoch, len(self.records.labels))[batch * self.batch_size : (batch + 1) * self.batch_size]

    def rows(self, records: Records, rows: np.ndarray) -> Batch:
        weights = self.weights_of_records[rows] if records is self.records else np.ones(len(rows), np.float32)
        return {"features": records.features[rows], "labels": records.labels[rows], "weights": weights}

    def shared_out(self, records: Records) -> tuple[Records, Records | None]:
        return parted(records, self.options.hold_back.share, self.seed) if self.options.hold_back else (records, None)

    def stepped(self, state: State, parameters: Any, optimizer: Any, loss: float, seen: Seen | None, **memory: Any) -> State:
        """The state after a step. Fails with trainer/diverged."""
        step, stride = state.step + 1, max(1, self.steps // CURVE_POINTS)
        if not math.isfinite(loss):
            raise TrainerFailure("trainer/diverged", f"the loss is {loss} at step {step} of {self.steps}; try a lower learning rate")
        kept = step % stride == 0 or step == self.steps
        point = CurvePoint(step, state.step // self.steps_per_epoch, loss)
        return replace(
            state,
            step=step,
            parameters=parameters,
            optimizer=optimizer,
            memory={**state.memory, **memory},
            curve=(*state.curve, point) if kept else state.curve,
            loss=loss,
            seen=state.seen if self.held else seen,
        )

    def _advanced(self, state: State) -> State:
        """One step, with the batch in more parts where the device has too little memory. Fails with trainer/out-of-memory."""
        while True:
            try:
                return self.advance(state)
            except (MemoryError, jax.errors.JaxRuntimeError) as error:
                if not (isinstance(error, MemoryError) or "RESOURCE_EXHAUSTED" in str(error)):
                    raise
                if state.parts >= self.batch_size:
                    raise TrainerFailure("trainer/out-of-memory", "not even one record at a time fits into the device's memory") from error
                state = replace(state, parts=min(2 * state.parts, self.batch_size))

    def in_parts(self, state: State, batch: Batch) -> tuple[Any, Any, tuple[Any, ...]]:
        """Gradient, loss and shares of a batch, part after part: each weighs as many records as it has."""
        total, count = None, len(batch["labels"])
        for index, rows in enumerate(np.array_split(np.arange(count), min(state.parts, count))):
            key = jax.random.fold_in(self.key(state.step), index)
            part = self.prepared(state.parameters, {name: values[rows] for name, values in batch.items()}, key)
            (loss, seen), gradient = self._value(state.parameters, part, key)
            weighed = jax.tree.map(partial(jnp.multiply, len(rows) / count), (gradient, loss, seen))
            total = weighed if total is None else jax.tree.map(jnp.add, total, weighed)
        assert total is not None
        return total

    def _at_once(self, state: State, batch: Batch) -> tuple[Any, ...]:
        """(weights, optimiser, loss, shares seen) after a step; in one program."""
        return self._fused(state.parameters, state.optimizer, spread(batch), np.uint32(state.step))

    def _side_by_side(self, state: State, batch: Batch) -> tuple[Any, ...]:
        """The same, share by share."""
        slopes = on_cores(self._value, [(state.parameters, share, None) for share in cut(batch, self.shares)])
        return self._joined(state.parameters, state.optimizer, tuple(slopes))

    def _joined_shares(self, parameters: Any, optimizer: Any, slopes: tuple[Any, ...]) -> tuple[Any, ...]:
        (loss, seen), gradient = mean(slopes)
        return *self._applied(gradient, optimizer, parameters), loss, seen

    def _applied(self, gradient: Any, optimizer: Any, parameters: Any) -> tuple[Any, Any]:
        updates, optimizer = self.optimizer.update(gradient, optimizer, parameters)
        return optax.apply_updates(parameters, updates), optimizer

    def _fused_step(self, parameters: Any, optimizer: Any, batch: Any, step: Any) -> tuple[Any, ...]:
        (loss, seen), gradient = jax.value_and_grad(self.loss, has_aux=True)(parameters, batch, self.key(step))
        return *self._applied(gradient, optimizer, parameters), loss, seen
