"""The objective `standard`: softmax cross-entropy of the model's logits."""

from collections.abc import Mapping
from typing import Any

from .course import Course
from .judging import cross_entropy, share_right


class Standard(Course):
    mean_over_records = True

    def loss(self, parameters: Any, batch: Mapping[str, Any], key: Any) -> tuple[Any, tuple[Any, ...]]:
        logits = self.logits(parameters, batch["features"])
        losses = cross_entropy(logits, batch["labels"])
        return (losses * batch["weights"]).mean(), (share_right(logits, batch["labels"]),)
