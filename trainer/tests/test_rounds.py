"""The timetable of a repair in rounds, for any number of classes."""

import pytest

from lazaret_trainer.objectives import rounds
from lazaret_trainer.objectives.rounds import Timetable


@pytest.mark.parametrize(("number", "classes", "trained"), [(1, 10, 4), (3, 10, 7), (3, 2, 5), (2, 43, 3), (10, 7, 1)])
def test_every_round_searches_and_then_trains_and_no_step_is_left_out(number, classes, trained):
    timetable = Timetable(number, classes, trained)
    places = [timetable.place(step) for step in range(timetable.steps)]
    learning = [place.trained for place in places if place.trained is not None]
    assert learning == list(range(timetable.updates)) == list(range(number * trained))
    searching = [(place.search, place.step) for place in places if place.trained is None]
    assert searching == [(search, step) for search in range(timetable.searches) for step in range(rounds.SEARCH_STEPS)]
    assert [place.search for place in places if place.last] == list(range(timetable.searches))
    assert [place.round for place in places] == sorted(place.round for place in places)
    # The first round looks at every class, a later one at as many as one search holds.
    assert timetable.first_searches * timetable.at_once >= classes
    assert sum(place.round == 0 and place.last for place in places) == timetable.first_searches
    assert all(sum(place.round == later and place.last for place in places) == 1 for later in range(1, number))
    # What training may use is what is over by then.
    assert all(place.search == sum(each.last for each in places[:step]) for step, place in enumerate(places) if place.trained is not None)


def test_without_rounds_there_is_only_the_training():
    timetable = Timetable(0, 10, 6)
    assert (timetable.steps, timetable.updates, timetable.searches, timetable.longest_search_steps) == (6, 6, 0, 0)
    assert [timetable.place(step).trained for step in range(6)] == list(range(6))
