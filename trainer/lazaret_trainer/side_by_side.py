"""Independent computations, each on a core of its own: as quick as the machine allows, and the same bits as one after the other."""

import contextvars
import os
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any


class Abandoned(Exception):
    """Another computation of the group failed, so this one stops at its next check."""


def side_by_side(
    tasks: Mapping[str, Callable[[Callable[[], None]], Any]],
    *,
    progress: Callable[[str], None],
    check: Callable[[], None],
    cores: int | None = None,
) -> dict[str, Any]:
    """The result of every task by its name. A task is given a `check` of its own, which raises to stop it.

    `progress` is told a name when its task ends. The first task to fail stops the others, and its error is raised when none runs any more.
    """
    failed = threading.Event()

    def checked() -> None:
        if failed.is_set():
            raise Abandoned
        check()

    def run(task: Callable[[Callable[[], None]], Any]) -> Any:
        try:
            checked()
            return task(checked)
        except BaseException:
            failed.set()
            raise

    # Temporal finds the activity in the context, which threads do not inherit: without it `check` fails in every thread.
    with ThreadPoolExecutor(cores or len(os.sched_getaffinity(0))) as pool:
        running: dict[Future[Any], str] = {pool.submit(contextvars.copy_context().run, run, task): name for name, task in tasks.items()}
        waiting = set(running)
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                if future.exception() is None:
                    progress(running[future])
    errors = [error for future in running if (error := future.exception()) is not None]
    for error in errors:
        if not isinstance(error, Abandoned):
            raise error
    return {name: future.result() for future, name in running.items()}
