"""The heartbeat of an activity, also while it compiles or reads and has nothing new to tell."""

import contextvars
import threading
import time
from typing import Any

from temporalio import activity

HEARTBEAT_SECONDS = 0.4
"""The contract asks for one every half second."""

OVERTIME_SECONDS = 60.0
"""A job hung in a compiler or a device says nothing of it. So the heart stops this long after the budget, and the station notices."""


class Pulse:
    """Sends the newest details, JSON, until it is left or the budget of seconds is long over."""

    def __init__(self, details: Any, budget_seconds: float):
        self._details = details
        self._ends = time.monotonic() + budget_seconds + OVERTIME_SECONDS
        self._over = threading.Event()
        # Temporal finds the activity in the context, which threads do not inherit.
        self._thread = threading.Thread(target=contextvars.copy_context().run, args=(self._beat,), daemon=True)

    def take(self, details: Any) -> None:
        self._details = details

    def _beat(self) -> None:
        while time.monotonic() < self._ends:
            activity.heartbeat(self._details)
            if self._over.wait(HEARTBEAT_SECONDS):
                return

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
