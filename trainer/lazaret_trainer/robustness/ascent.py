"""Projected gradient ascent with restarts (Madry et al. 2018): a record is robust if no try turns it at any step that was looked at.

Restarts alternate between the cross-entropy and the margin of the logits (Carlini and Wagner 2017), whose gradient does not vanish where a
model is sure of itself. Shares no code with the attacks that models are trained under (objectives/attacks.py): a judge must not have the
blind spots of the teacher.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from ..graph import GraphModel
from ..objectives.judging import cross_entropy
from ..objectives.model import logits_of

Ball = Literal["linf", "l2"]

LOOKED_AT = 10
"""Steps between two looks at the answers. The last step is looked at too."""

LONG, SHORT = 0.25, 0.05
"""Strides as shares of the radius: long ones first, short ones in the second half. The best place lies at the edge or just within."""

L2_SHARE = 0.25
"""An L2 ball's radius as a share of that of the ball around the L∞ cube. The usual radii of CIFAR-10 (.5 beside 8/255) and MNIST (2 beside
.3) are .29 and .24 of it."""


@dataclass(frozen=True, slots=True)
class Space:
    """Where attacked records may go. float32 arrays that broadcast against records."""

    low: np.ndarray
    high: np.ndarray

    @property
    def range(self) -> np.ndarray:
        return np.asarray(self.high - self.low, np.float32)


def l2_radius(epsilon: float, features: int) -> float:
    """The radius of the L2 ball beside an L∞ cube of half side `epsilon`, both in units of the features' ranges."""
    return L2_SHARE * epsilon * float(np.sqrt(features))


class Ascent:
    """Models of one graph under attack. The compiled steps serve all of its weights, restarts and radii."""

    def __init__(self, graph: GraphModel, space: Space):
        self._graph, self._space, self._output = graph, space, logits_of(graph)
        # One program for both balls and both losses: compiling takes longer than running it.
        self._step = jax.jit(self._stepped)
        self._answered = jax.jit(lambda parameters, features: self._logits(parameters, features).argmax(-1))

    def right(self, parameters: Any, features: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """bool [N]: answered rightly as they are."""
        return np.asarray(self._answered(parameters, features)) == labels

    def restart(
        self,
        parameters: Any,
        features: np.ndarray,
        labels: np.ndarray,
        ball: Ball,
        radius: float,
        steps: int,
        seed: int,
        on_margin: bool,
        check: Callable[[], None] = lambda: None,
    ) -> np.ndarray:
        """bool [N]: which records one try leaves with their label. `radius` in units of the features' ranges."""
        start = self._start(np.random.RandomState(seed % 2**32), features.shape, ball, radius)
        attacked = self._within(features, features + start * self._space.range)
        standing = np.ones(len(labels), bool)
        for step in range(steps):
            check()
            stride = radius * (LONG if step < steps / 2 else SHORT)
            attacked = self._step(parameters, features, attacked, labels, np.float32(radius), np.float32(stride), ball == "l2", on_margin)
            if step % LOOKED_AT == LOOKED_AT - 1 or step == steps - 1:
                standing &= np.asarray(self._answered(parameters, attacked)) == labels
        return standing

    def _start(self, random: np.random.RandomState, shape: tuple[int, ...], ball: Ball, radius: float) -> np.ndarray:
        """A place in the ball, drawn evenly."""
        if ball == "linf":
            return random.uniform(-radius, radius, shape).astype(np.float32)
        direction = random.standard_normal(shape).reshape(shape[0], -1)
        direction /= np.linalg.norm(direction, axis=1, keepdims=True)
        lengths = radius * random.uniform(size=(shape[0], 1)) ** (1 / direction.shape[1])
        return (lengths * direction).reshape(shape).astype(np.float32)

    def _within(self, features: Any, attacked: Any) -> Any:
        """Inside the space; a record that lies outside of it by itself stays where it is."""
        return jnp.clip(attacked, jnp.minimum(self._space.low, features), jnp.maximum(self._space.high, features))

    def _stepped(
        self, parameters: Any, features: Any, attacked: Any, labels: Any, radius: Any, stride: Any, in_l2: Any, on_margin: Any
    ) -> Any:
        def rising(attacked: Any) -> Any:
            answers = self._logits(parameters, attacked)
            return jnp.where(on_margin, _margins(answers, labels), cross_entropy(answers, labels)).sum()

        # In units of the ranges, so that a column of large numbers is moved by as much of its range as any other.
        slope = jax.grad(rising)(attacked) * self._space.range
        before = (attacked - features) / jnp.where(self._space.range == 0, 1, self._space.range)
        in_cube = jnp.clip(before + stride * jnp.sign(slope), -radius, radius)
        in_ball = before + stride * slope / _lengths(slope)
        in_ball = in_ball * jnp.minimum(1, radius / _lengths(in_ball))
        return self._within(features, features + jnp.where(in_l2, in_ball, in_cube) * self._space.range)

    def _logits(self, parameters: Any, features: Any) -> Any:
        return self._graph(parameters, features, self._output).astype(jnp.float32)


def _margins(answers: Any, labels: Any) -> Any:
    """By how much the best other logit exceeds the label's, [N]."""
    own = jnp.take_along_axis(answers, labels[:, None], 1)[:, 0]
    others = jnp.where(jax.nn.one_hot(labels, answers.shape[1]) == 1, -jnp.inf, answers)
    return others.max(1) - own


def _lengths(values: Any) -> Any:
    """Euclidean, one per record, never 0."""
    flat = jnp.sqrt((values**2).reshape(values.shape[0], -1).sum(1))
    return jnp.maximum(flat, 1e-12).reshape(-1, *(1,) * (values.ndim - 1))
