"""A worker of a pool ends when it has had nothing to do for long enough, and never while it works."""

import asyncio

import pytest

from lazaret_trainer.idleness import Idleness


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_counts_from_the_start_and_from_the_end_of_the_last_activity():
    clock = Clock()
    idleness = Idleness(clock)
    clock.now += 5
    assert idleness.seconds == 5
    idleness.begin()
    clock.now += 1000
    assert idleness.seconds == 0
    idleness.end()
    assert idleness.seconds == 0
    clock.now += 3
    assert idleness.seconds == 3


def test_two_activities_at_once_are_not_idle_when_one_of_them_ends():
    idleness = Idleness(Clock())
    idleness.begin()
    idleness.begin()
    idleness.end()
    assert idleness.seconds == 0


def test_ends_when_it_has_lasted_and_not_before():
    clock = Clock()
    idleness = Idleness(clock)

    async def run() -> bool:
        waiting = asyncio.ensure_future(idleness.lasts(60))
        await asyncio.sleep(0)
        assert not waiting.done()
        clock.now += 61
        await asyncio.wait_for(waiting, 5)
        return True

    assert asyncio.run(run())


def test_does_not_end_while_something_runs():
    clock = Clock()
    idleness = Idleness(clock)
    idleness.begin()
    clock.now += 10_000

    async def run() -> None:
        await asyncio.wait_for(idleness.lasts(0.01), 0.2)

    with pytest.raises(TimeoutError):
        asyncio.run(run())
