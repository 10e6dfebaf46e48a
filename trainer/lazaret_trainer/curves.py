"""The curves of a run as its heartbeats carry them: all of it, in few points."""

from collections.abc import Iterable

from .contract import ProgressPoint
from .objectives.state import CurvePoint, State

MOST_POINTS = 120
"""The contract takes 128; a heartbeat of so many is some 8 kB."""


class Curves:
    """Loss, accuracy and attack success by step. Starts from a checkpoint's loss curve: the shares of an earlier attempt are not kept."""

    def __init__(self, earlier: Iterable[CurvePoint]):
        self._points = [ProgressPoint(step=point.step, loss=point.loss) for point in earlier]
        self._stride = 1
        self._thin()

    @property
    def points(self) -> tuple[ProgressPoint, ...]:
        return tuple(self._points)

    def take(self, state: State) -> None:
        """Notes the step, where it is one of those that are kept."""
        if state.loss is None or state.step % self._stride or (self._points and self._points[-1].step >= state.step):
            return
        seen = state.seen
        self._points.append(
            ProgressPoint(
                step=state.step,
                loss=state.loss,
                accuracy=seen.accuracy if seen else None,
                attack_success=seen.attack_success if seen else None,
            )
        )
        self._thin()

    def _thin(self) -> None:
        """Keeps every second point, and from now on notes every second step."""
        while len(self._points) > MOST_POINTS:
            self._points = self._points[1::2]
            self._stride *= 2
