"""Whether a model can be trained on these records, and on which of its values."""

import jax
import jax.numpy as jnp

from ..contract import TrainJobOptions
from ..dataset import Records
from ..failures import TrainerFailure
from ..graph import GraphModel, UnsupportedOperator


def logits_of(graph: GraphModel) -> str:
    """The value to train on: the first output, or what goes into the softmax that makes it."""
    output = graph.outputs[0]
    node = graph.producer(output)
    return node.input[0] if node is not None and node.op_type in ("Softmax", "LogSoftmax") else output


def checked(graph: GraphModel, records: Records, batch_size: int, options: TrainJobOptions) -> None:
    """Traces the model once, without computing anything. Fails with trainer/bad-job, trainer/unsupported-operator."""
    if len(graph.inputs) != 1:
        raise _bad(f"the model has {len(graph.inputs)} inputs; models with one are trained")
    if not graph.parameters:
        raise _bad("the model has no float initializers that could be trained")
    if options.augmentation and records.features.ndim != 4:
        raise _bad(f"augmentation needs images [channels, height, width], the features have the shape {list(records.features.shape[1:])}")
    shape = (batch_size, *records.features.shape[1:])
    try:
        answers = jax.eval_shape(
            lambda parameters, features: graph(parameters, features, logits_of(graph)),
            graph.parameters,
            jax.ShapeDtypeStruct(shape, jnp.float32),
        )
    except Exception as error:
        if isinstance(error, UnsupportedOperator) and error.__cause__ is None:
            raise TrainerFailure("trainer/unsupported-operator", str(error)) from error
        # With a cause it is an operator that is known, and does not take these shapes.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
        raise _bad(f"the model does not take a batch of shape {list(shape)}: {reason}") from error
    wanted = (batch_size, len(records.classes))
    if answers.shape != wanted or not jnp.issubdtype(answers.dtype, jnp.floating):
        raise _bad(f"the model answers with {answers.dtype}{list(answers.shape)}, the data set asks for float{list(wanted)}")


def _bad(message: str) -> TrainerFailure:
    return TrainerFailure("trainer/bad-job", message)
