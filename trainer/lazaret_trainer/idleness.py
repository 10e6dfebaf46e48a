"""When a worker has nothing to do: for pools that start one for waiting work and pay for it by the minute."""

import asyncio
import time
from collections.abc import Callable
from typing import Any

from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor


class Idleness(Interceptor):
    """Sees every activity of a worker begin and end. `clock` gives seconds, monotonic."""

    def __init__(self, clock: Callable[[], float] = time.monotonic):
        self._clock = clock
        self._running = 0
        self._since = clock()

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:
        return _Seen(next, self)

    def begin(self) -> None:
        self._running += 1

    def end(self) -> None:
        self._running -= 1
        self._since = self._clock()

    @property
    def seconds(self) -> float:
        """How long nothing has run, counted from the start of the worker at the earliest; 0 while something runs."""
        return 0.0 if self._running else self._clock() - self._since

    async def lasts(self, seconds: float) -> None:
        """Returns when nothing has run for so long."""
        while (left := seconds - self.seconds) > 0:
            await asyncio.sleep(min(left, 1.0))


class _Seen(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, idleness: Idleness):
        super().__init__(next)
        self._idleness = idleness

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:
        self._idleness.begin()
        try:
            return await super().execute_activity(input)
        finally:
            self._idleness.end()
