"""A recovered trigger in the form of the contract."""

import numpy as np

from .contract import TriggerImage
from .forensics.report import Trigger


def trigger_image(trigger: Trigger) -> TriggerImage:
    """Flat and in C order; the mask within [0, 1], which rounding may leave by a little."""
    return TriggerImage(
        schema="lazaret.trigger/v1",
        shape=tuple(trigger.pattern.shape),
        mask=tuple(float(value) for value in np.clip(trigger.mask, 0, 1).ravel()),
        pattern=tuple(float(value) for value in trigger.pattern.ravel()),
    )
