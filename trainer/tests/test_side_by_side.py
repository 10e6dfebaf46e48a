"""Independent computations, each on a core of its own."""

import contextvars
import threading
from collections.abc import Callable

import pytest

from lazaret_trainer.side_by_side import side_by_side


def nothing() -> None:
    """A check that lets everything go on."""


def test_every_result_comes_back_under_its_name_and_every_end_is_told():
    told: list[str] = []
    results = side_by_side({"one": lambda check: 1, "two": lambda check: 2}, progress=told.append, check=nothing)
    assert results == {"one": 1, "two": 2}
    assert sorted(told) == ["one", "two"]


def test_two_tasks_run_at_the_same_time():
    meeting = threading.Barrier(2, timeout=10)
    results = side_by_side({"a": lambda check: meeting.wait(), "b": lambda check: meeting.wait()}, progress=print, check=nothing, cores=2)
    assert sorted(results.values()) == [0, 1]


def test_the_first_failure_stops_the_others_and_is_the_one_that_is_raised():
    begun = threading.Event()

    def endless(check):
        begun.set()
        while True:
            check()

    def failing(check):
        assert begun.wait(10)
        raise ValueError("the reason")

    with pytest.raises(ValueError, match="the reason"):
        side_by_side({"endless": endless, "failing": failing}, progress=print, check=nothing, cores=2)


def test_a_check_that_raises_stops_tasks_that_run_and_those_that_wait():
    begun: list[str] = []

    class Cancelled(Exception):
        pass

    def cancel() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        side_by_side({"a": lambda check: begun.append("a"), "b": lambda check: begun.append("b")}, progress=print, check=cancel)
    assert begun == []


def test_tasks_and_their_checks_see_the_context_of_the_caller() -> None:
    """Temporal keeps the running activity there: a check that does not find it fails the examination."""
    activity = contextvars.ContextVar[str]("activity")
    activity.set("examine")
    seen: list[str] = []

    def checking(check: Callable[[], None]) -> str:
        check()
        return activity.get()

    results = side_by_side(
        {"a": checking, "b": lambda check: activity.get()},
        progress=lambda _: None,
        check=lambda: seen.append(activity.get()),
        cores=2,
    )
    assert results == {"a": "examine", "b": "examine"}
    assert seen == ["examine"] * 3
