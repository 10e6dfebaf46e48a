"""The objective `adversarial`: trains on records as an attacker would change them, found anew for the weights of every step.

`pgd`: half of the loss on the records, half on their attacked copies (Madry et al. 2018; the half on clean records keeps the accuracy).
`trades`: the loss on the records, and β times how far the attacked copies' answers move (Zhang et al. 2019).
"""

from collections.abc import Mapping
from typing import Any

import jax.numpy as jnp
import numpy as np

from ..dataset import Records
from .attacks import Attack, Box, check_patch
from .course import Batch, Course
from .judging import AT_ONCE, cross_entropy, divergences, share_right
from .material import Material
from .state import Seen, State
from .triggers import triggers

TRADES_BETA = 6.0
"""1/λ of the paper's CIFAR-10 experiments."""

CAPTURED_SHARE = 0.25
"""Of the attacked copies: they bear a captured trigger instead of what the ascent finds, and keep their labels."""


class Adversarial(Course):
    mean_over_records = True

    def __init__(self, material: Material):
        part = material.options.adversarial
        assert part is not None
        super().__init__(material)
        if part.norm == "patch":
            check_patch(part.epsilon, self.records.features.shape[1:])
        self._trades, self._beta = part.method == "trades", part.beta or TRADES_BETA
        self._captured = triggers(material, part.captured or ())
        box = Box.around(material.records.features)
        loss = self._divergence if self._trades else self._error
        self._attack = Attack(loss, part.norm, part.epsilon, part.steps, box)
        self._judge = Attack(self._error, part.norm, part.epsilon, part.steps, box)

    def prepared(self, parameters: Any, batch: Batch, key: Any) -> Batch:
        """Adds the attacked copies."""
        batch = super().prepared(parameters, batch, key)
        truth = self._answers.traced(parameters, batch["features"]) if self._trades else batch["labels"]
        attacked = self._attack(parameters, batch["features"], truth, key)
        return {**batch, "attacked": self._with_captured(attacked, batch["features"])}

    def loss(self, parameters: Any, batch: Mapping[str, Any], key: Any) -> tuple[Any, tuple[Any, ...]]:
        clean, attacked = self.logits(parameters, batch["features"]), self.logits(parameters, batch["attacked"])
        labels, weights = batch["labels"], batch["weights"]
        if self._trades:
            loss = ((cross_entropy(clean, labels) + self._beta * divergences(clean, attacked)) * weights).mean()
        else:
            loss = ((cross_entropy(clean, labels) + cross_entropy(attacked, labels)) / 2 * weights).mean()
        return loss, (share_right(clean, labels), 1 - share_right(attacked, labels))

    def judge(self, state: State, held: Records) -> tuple[float, Seen]:
        """The mean of clean and robust accuracy, on the first AT_ONCE records held back."""
        features, labels = held.features[:AT_ONCE], held.labels[:AT_ONCE]
        attacked = self._judge(state.parameters, features, labels, self.key(state.step))
        attacked = np.asarray(self._with_captured(attacked, features))
        robust = float((self._answers(state.parameters, attacked).argmax(1) == labels).mean())
        accuracy = self._answers.accuracy(state.parameters, held)
        return (accuracy + robust) / 2, Seen(accuracy, 1 - robust)

    def _with_captured(self, attacked: Any, features: Any) -> Any:
        """Every so many records bear the captured triggers in turn."""
        if not self._captured:
            return attacked
        every = round(1 / CAPTURED_SHARE)
        for index, trigger in enumerate(self._captured):
            first, stride = index * every, every * len(self._captured)
            if first < len(features):
                attacked = jnp.asarray(attacked).at[first::stride].set(trigger.laid_over(features[first::stride]))
        return attacked

    def _error(self, parameters: Any, attacked: Any, labels: Any) -> Any:
        return cross_entropy(self.logits(parameters, attacked), labels).mean()

    def _divergence(self, parameters: Any, attacked: Any, clean: Any) -> Any:
        return divergences(clean, self.logits(parameters, attacked)).mean()
