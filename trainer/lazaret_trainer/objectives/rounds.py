"""The timetable of a repair in rounds: searches for triggers, then training on what was found, and again."""

from dataclasses import dataclass
from typing import NamedTuple

SEARCH_STEPS = 120

AT_ONCE = 5
"""Classes of one search. The first round takes as many searches as there are classes for; every later one is a single search, of the
classes with the smallest triggers so far: a backdoor that was not wholly unlearnt is still that of its class."""


class Place(NamedTuple):
    """Where in the timetable a step is."""

    round: int
    search: int
    """The search that goes on; where none does, how many are over."""
    step: int
    """Of the search."""
    last: bool
    """Whether the search ends with it."""
    trained: int | None
    """Steps that have changed the weights so far; None in a search."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """Without rounds there is only the training."""

    rounds: int
    classes: int
    trained_steps: int
    """Of one round."""

    @property
    def at_once(self) -> int:
        """Classes of a search."""
        return min(AT_ONCE, self.classes)

    @property
    def first_searches(self) -> int:
        return -(-self.classes // self.at_once)

    @property
    def searches(self) -> int:
        return self.first_searches + self.rounds - 1 if self.rounds else 0

    @property
    def longest_search_steps(self) -> int:
        """Steps without a training step among them, at most."""
        return self.first_searches * SEARCH_STEPS if self.rounds else 0

    @property
    def updates(self) -> int:
        """Steps that change the weights."""
        return max(1, self.rounds) * self.trained_steps

    @property
    def steps(self) -> int:
        return self.searches * SEARCH_STEPS + self.updates

    def place(self, step: int) -> Place:
        """What the step after `step` steps is."""
        if not self.rounds:
            return Place(0, 0, 0, False, step)
        number, earlier, searches = 0, 0, self.first_searches
        while step >= searches * SEARCH_STEPS + self.trained_steps:
            step -= searches * SEARCH_STEPS + self.trained_steps
            number, earlier, searches = number + 1, earlier + searches, 1
        if step < searches * SEARCH_STEPS:
            search, place = divmod(step, SEARCH_STEPS)
            return Place(number, earlier + search, place, place == SEARCH_STEPS - 1, None)
        return Place(number, earlier + searches, 0, False, number * self.trained_steps + step - searches * SEARCH_STEPS)
