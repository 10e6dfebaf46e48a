"""What a training run is at a moment: all that its next step depends on, and what it has to tell."""

from dataclasses import dataclass
from typing import Any, NamedTuple


class CurvePoint(NamedTuple):
    """`step` counts from 1, `epoch` from 0; `loss` is the mean over the step's batch, in nats."""

    step: int
    epoch: int
    loss: float


class Seen(NamedTuple):
    """Shares of records: answered rightly, and carried away by the attack under training (None where there is no attack)."""

    accuracy: float
    attack_success: float | None = None


class Best(NamedTuple):
    """The step whose weights did best on the records held back, and how well."""

    step: int
    score: float


@dataclass(frozen=True, slots=True)
class State:
    """`step` steps are done. The arrays are `parameters`, `optimizer`, `memory` and `kept`; their form is a function of the job."""

    step: int
    parameters: dict[str, Any]
    optimizer: Any
    memory: dict[str, Any]
    """What an objective carries from step to step beside the weights."""
    kept: dict[str, Any]
    """The weights of `best`; empty where no records are held back."""
    parts: int
    """Every batch is computed in so many parts. It grows where the device has too little memory, and part of the state because sums of
    other parts round otherwise."""
    curve: tuple[CurvePoint, ...] = ()
    loss: float | None = None
    seen: Seen | None = None
    best: Best | None = None

    @property
    def arrays(self) -> tuple[Any, ...]:
        return self.parameters, self.optimizer, self.memory, self.kept
