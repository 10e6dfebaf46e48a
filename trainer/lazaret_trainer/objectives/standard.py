"""The objective `standard`: Adam with cosine decay on the softmax cross-entropy of the model's logits.

Everything that the result depends on is a function of the job: the order of the records comes from (seed, epoch), the weights from the base
model. So a state written down after any step and taken up elsewhere ends in the same bits.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from ..contract import Hyperparameters
from ..dataset import Records
from ..failures import TrainerFailure
from ..graph import GraphModel, UnsupportedOperator

CURVE_POINTS = 500
"""About how many points the loss curve keeps, whatever the number of steps."""


class CurvePoint(NamedTuple):
    """`step` counts from 1, `epoch` from 0; `loss` is the mean over the step's batch, in nats."""

    step: int
    epoch: int
    loss: float


@dataclass(frozen=True, slots=True)
class State:
    """All that the next step depends on, and the curve so far. `step` steps are done."""

    step: int
    parameters: dict[str, Any]
    optimizer: Any
    curve: tuple[CurvePoint, ...]
    loss: float | None


class Course:
    """One training run, checked: the model takes these records and answers in these classes.

    Fails with trainer/bad-job; raises UnsupportedOperator.
    """

    def __init__(self, graph: GraphModel, records: Records, hyperparameters: Hyperparameters):
        self.records = records
        self.batch_size = min(hyperparameters.batch_size, len(records.labels))
        self.steps_per_epoch = len(records.labels) // self.batch_size
        """Whole batches; the rest is dropped, another rest in every epoch."""
        self.steps = self.steps_per_epoch * hyperparameters.epochs
        self._seed = hyperparameters.seed
        self._graph = graph
        self._optimizer = optax.adam(optax.cosine_decay_schedule(hyperparameters.learning_rate, self.steps))
        self._advance = _compiled(graph, logits_of(graph), self._optimizer)
        _check(graph, records, self.batch_size)

    def start(self) -> State:
        """The state before the first step."""
        parameters = dict(self._graph.parameters)
        return State(0, parameters, self._optimizer.init(parameters), (), None)

    def run(self, state: State, between_steps: Callable[[State], None]) -> State:
        """Trains from a state to the end. `between_steps` sees every state, the last too, and may raise. Fails with trainer/diverged."""
        order, ordered = np.empty(0, np.int64), -1
        stride = max(1, self.steps // CURVE_POINTS)
        while state.step < self.steps:
            between_steps(state)
            epoch, batch = divmod(state.step, self.steps_per_epoch)
            if epoch != ordered:
                order, ordered = batch_order(self._seed, epoch, len(self.records.labels)), epoch
            rows = order[batch * self.batch_size : (batch + 1) * self.batch_size]

            parameters, optimizer, traced_loss = self._advance(
                state.parameters, state.optimizer, self.records.features[rows], self.records.labels[rows]
            )
            loss, step = float(traced_loss), state.step + 1
            if not math.isfinite(loss):
                raise TrainerFailure("trainer/diverged", f"the loss is {loss} at step {step} of {self.steps}; try a lower learning rate")
            kept = step % stride == 0 or step == self.steps
            curve = (*state.curve, CurvePoint(step, epoch, loss)) if kept else state.curve
            state = State(step, parameters, optimizer, curve, loss)
        between_steps(state)
        return state

    def weights(self, state: State) -> bytes:
        """The model with the state's weights. Fails with trainer/diverged where one is not finite: no loss judged the last step."""
        parameters = {name: np.asarray(value) for name, value in state.parameters.items()}
        for name, value in parameters.items():
            if not np.isfinite(value).all():
                raise TrainerFailure("trainer/diverged", f"the weights {name!r} are not finite after step {state.step}")
        return self._graph.with_weights(parameters)


def batch_order(seed: int, epoch: int, count: int) -> np.ndarray:
    """A permutation of range(count), int64. Drawn from Philox's raw stream, which numpy keeps for ever; its `permutation` it does not."""
    raw = np.random.Philox(key=np.array([seed, epoch], np.uint64)).random_raw(count)
    return np.argsort(raw, kind="stable")


def logits_of(graph: GraphModel) -> str:
    """The value to train on: the first output, or what goes into the softmax that makes it."""
    output = graph.outputs[0]
    node = graph.producer(output)
    return node.input[0] if node is not None and node.op_type in ("Softmax", "LogSoftmax") else output


def _compiled(graph: GraphModel, logits: str, optimizer: optax.GradientTransformation) -> Callable[..., tuple[Any, Any, Any]]:
    def loss(parameters: Any, features: Any, labels: Any) -> Any:
        answers = graph(parameters, features, logits).astype(jnp.float32)
        return optax.softmax_cross_entropy_with_integer_labels(answers, labels).mean()

    @jax.jit
    def advance(parameters: Any, state: Any, features: Any, labels: Any) -> tuple[Any, Any, Any]:
        value, gradient = jax.value_and_grad(loss)(parameters, features, labels)
        updates, state = optimizer.update(gradient, state, parameters)
        return optax.apply_updates(parameters, updates), state, value

    return advance


def _check(graph: GraphModel, records: Records, batch_size: int) -> None:
    """Traces the model once, without computing anything."""
    if len(graph.inputs) != 1:
        raise TrainerFailure(
            "trainer/bad-job", f"the model has {len(graph.inputs)} inputs; the objective `standard` trains models with one"
        )
    if not graph.parameters:
        raise TrainerFailure("trainer/bad-job", "the model has no float initializers that could be trained")
    shape = (batch_size, *records.features.shape[1:])
    try:
        answers = jax.eval_shape(
            lambda parameters, features: graph(parameters, features, logits_of(graph)),
            graph.parameters,
            jax.ShapeDtypeStruct(shape, jnp.float32),
        )
    except UnsupportedOperator:
        raise
    except Exception as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise TrainerFailure("trainer/bad-job", f"the model does not take a batch of shape {list(shape)}: {reason}") from error
    wanted = (batch_size, len(records.classes))
    if answers.shape != wanted or not jnp.issubdtype(answers.dtype, jnp.floating):
        raise TrainerFailure(
            "trainer/bad-job", f"the model answers with {answers.dtype}{list(answers.shape)}, the data set asks for float{list(wanted)}"
        )
