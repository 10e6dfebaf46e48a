"""What whoever watches the incident sees while a job runs: the curves in the heartbeats of the activity itself."""

from typing import Any

import pytest
from stores import FolderStorage
from temporalio.testing import ActivityEnvironment
from test_objectives import a_job

from lazaret_trainer import pulse
from lazaret_trainer.activity import train_activity
from lazaret_trainer.contract import TrainProgress, read, write
from lazaret_trainer.curves import MOST_POINTS, Curves
from lazaret_trainer.objectives.state import Seen, State


class WaitingStorage(FolderStorage):
    def waiting_with(self, waiting):
        return self


def activity(storage: Any):
    return train_activity(storage, "worker-1")


@pytest.mark.parametrize(
    ("objective", "curves"), [("adversarial", ("loss", "accuracy", "attack_success")), ("private", ("loss", "accuracy", "epsilon"))]
)
def test_the_curves_of_a_job_reach_the_heartbeats(tmp_path, monkeypatch, objective, curves):
    monkeypatch.setattr(pulse, "HEARTBEAT_SECONDS", 0.001)
    storage, beats, environment = WaitingStorage(tmp_path), [], ActivityEnvironment()
    environment.on_heartbeat = lambda *details: beats.append(read(TrainProgress, details[0]))
    result = environment.run(activity(storage), write(a_job(storage, objective)))
    steps = [beat.step for beat in beats]
    assert steps == sorted(steps)
    assert steps[0] == 0
    told = [beat for beat in beats if beat.step > 0]
    assert {beat.worker for beat in beats} == {"worker-1"}
    assert len({beat.step for beat in told}) > result["steps"] / 2
    newest = told[-1].curve
    assert newest is not None
    assert [point.step for point in newest] == sorted({point.step for point in newest})
    assert newest[0].step == 1, "who begins to watch late sees the beginning"
    assert (newest[0].accuracy is not None, newest[0].attack_success is not None) == ("accuracy" in curves, "attack_success" in curves)
    for curve in curves:
        assert all(getattr(beat, curve) is not None for beat in told), curve


def test_a_long_run_keeps_its_whole_curve_in_few_points():
    curves = Curves(())
    for step in range(1, 5001):
        curves.take(State(step, {}, (), {}, {}, 1, loss=1 / step, seen=Seen(0.5)))
    steps = [point.step for point in curves.points]
    assert len(steps) <= MOST_POINTS
    assert steps[0] <= 100
    assert steps[-1] >= 4900
    assert steps == sorted(steps)
