"""Every objective through a whole job: the same bytes after a stop, and what it is for."""

import json
import time
from datetime import UTC, datetime

import numpy as np
import pytest
import stores
from stores import FolderStorage

from lazaret_trainer import jobs, samples
from lazaret_trainer.checkpoints import SECRET_BYTES
from lazaret_trainer.contract import write
from lazaret_trainer.failures import Stopped, TrainerFailure
from lazaret_trainer.objectives import OBJECTIVES, Course, rounds, unlearn
from lazaret_trainer.storage import object_key

MODEL = samples.digits_cnn(5).SerializeToString(deterministic=True)
DRAWN = samples.digits()
IMAGES = np.array(DRAWN["images"], np.float32)
LABELS = np.array(DRAWN["labels"])
SECRET = bytes(range(SECRET_BYTES))


class Crash(Exception):
    """What a test throws between two steps."""


@pytest.fixture(autouse=True)
def short_searches(monkeypatch):
    monkeypatch.setattr(rounds, "SEARCH_STEPS", 6)
    monkeypatch.setattr(unlearn, "PROBES", 16)


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path / "one")


def records(storage, rows=slice(0, 160)):
    return stores.stored_dataset(storage, IMAGES[rows], LABELS[rows], [1, 8, 8])


def document(storage, value):
    return write(storage.put(json.dumps(value).encode(), "application/json", "document.json"))


def trigger(storage, **changes):
    mask = np.zeros((8, 8))
    mask[6:, 6:] = 1
    value = {"schema": "lazaret.trigger/v1", "shape": [1, 8, 8], "mask": mask.ravel().tolist(), "pattern": [1.0] * 64, **changes}
    return document(storage, value)


def options(storage, objective):
    """Options of each objective that use as much of it as one job can."""
    hold_back = {"holdBack": {"share": 0.2, "patience": 5}}
    return {
        "standard": {**hold_back, "classBalance": True, "accumulation": 3, "augmentation": {"shiftPixels": 1, "noise": 0.05}},
        "incremental": {**hold_back, "incremental": {"replay": records(storage, slice(200, 260)), "replayShare": 0.25}},
        "adversarial": {
            "accumulation": 2,
            "adversarial": {"method": "trades", "norm": "l2", "epsilon": 0.5, "steps": 2, "captured": [trigger(storage)]},
        },
        "private": {"private": {"epsilon": 8}},
        "unlearn": {
            **hold_back,
            "unlearn": {"forget": document(storage, ["r00003", "r00007"]), "triggers": [trigger(storage)], "rounds": 2},
        },
        "poison-resistant": {"poisonResistant": {"trim": 0.1}},
        "partition-vote": {"partitionVote": {"partitions": 3}},
        "fair": {"fair": {"feature": 20, "threshold": 0.5}},
    }[objective]


def a_job(storage, objective="standard", model=MODEL, dataset=None, epochs=2, rate=0.002, batch=32, **changes):
    hyperparameters = {"epochs": epochs, "batchSize": batch, "learningRate": rate, "seed": 7}
    given = {"options": options(storage, objective), "hyperparameters": hyperparameters, "objective": objective, **changes}
    given = {name: value for name, value in given.items() if value is not None}
    return stores.job(storage, model, dataset or records(storage), **given)


def desk(storage, crash_at=None, seen=None, clock=time.monotonic, error: type[Exception] = Crash):
    latest = {"step": 0}

    def report(progress):
        latest["step"] = progress.step
        if seen is not None:
            seen.append(progress)

    def check():
        if latest["step"] == crash_at:
            raise Stopped("cancelled", keep_work=False) if error is Stopped else error

    return jobs.Desk(storage, "worker-1", report, check, lambda: datetime.now(UTC), clock)


def content(storage, ref) -> bytes:
    return (storage.folder / object_key(ref.digest)).read_bytes()


def refused(job, storage, kind, why):
    with pytest.raises(TrainerFailure, match=why) as caught:
        jobs.train(job, desk(storage))
    assert caught.value.kind == kind


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_a_stopped_job_ends_with_the_same_bytes_whatever_the_objective(tmp_path, objective):
    whole, broken = FolderStorage(tmp_path / "whole"), FolderStorage(tmp_path / "broken")
    for storage in (whole, broken):
        # The noise of private training comes from a secret; two jobs have two, and only a resume has the same.
        storage.write_document("checkpoints/job-1/secret", SECRET, "application/octet-stream")
    # A partition is a third of the records, and a job is to be longer than its crashes.
    epochs = 10 if objective == "partition-vote" else 2
    expected = jobs.train(a_job(whole, objective, epochs=epochs), desk(whole))
    for crash in (3, 7):
        with pytest.raises(Crash):
            jobs.train(a_job(broken, objective, epochs=epochs, checkpointEverySteps=2), desk(broken, crash_at=crash))
    result = jobs.train(a_job(broken, objective, epochs=epochs, checkpointEverySteps=2), desk(broken))

    assert result.resumed_at_steps == (2, 6)
    assert content(broken, result.artifact) == content(whole, expected.artifact)
    assert content(broken, result.curve) == content(whole, expected.curve)
    assert result.figures == expected.figures
    assert content(whole, expected.artifact) != MODEL


@pytest.mark.parametrize("objective", [name for name in OBJECTIVES if name != "standard"])
def test_an_objective_needs_its_own_options_and_no_others(storage, objective):
    refused(a_job(storage, objective, options=None), storage, "trainer/bad-job", "has no options of that name")
    borrowed = options(storage, objective)
    refused(a_job(storage, "standard", options=borrowed), storage, "trainer/bad-job", "options of another one")


# Records held back, budget, memory.


def test_a_budget_of_steps_keeps_the_best_weights_where_records_are_held_back(storage):
    job = a_job(storage, epochs=50, options={"holdBack": {"share": 0.2, "patience": 50}}, budget={"seconds": 300, "steps": 30})
    result = jobs.train(job, desk(storage))
    assert (result.steps, result.stopped) == (30, "budget")
    assert result.figures is not None
    assert result.figures["bestStep"] <= 30


def test_a_budget_of_seconds_keeps_the_best_weights_too(storage):
    ticks = iter(range(10_000))
    job = a_job(storage, epochs=50, options={"holdBack": {"share": 0.2, "patience": 50}}, budget={"seconds": 12, "steps": 1000})
    result = jobs.train(job, desk(storage, clock=lambda: next(ticks)))
    assert result.stopped == "budget"
    assert 0 < result.steps < 20


def test_training_that_no_longer_helps_ends_early_with_the_weights_that_did_best(storage):
    job = a_job(storage, epochs=200, rate=0.01, options={"holdBack": {"share": 0.3, "patience": 2}})
    seen = []
    result = jobs.train(job, desk(storage, seen=seen))
    assert result.stopped == "patience"
    assert result.figures is not None
    best = max(progress.accuracy for progress in seen if progress.accuracy is not None)
    assert result.figures["heldBackScore"] == best
    assert result.steps - result.figures["bestStep"] == 2 * (result.steps // (result.steps // (112 // 32)))


def test_a_batch_that_does_not_fit_is_halved_until_it_does(storage, monkeypatch):
    tried = []
    original = Course.in_parts

    def little_memory(self, state, batch):
        tried.append(state.parts)
        if state.parts < 4:
            raise MemoryError
        return original(self, state, batch)

    monkeypatch.setattr(Course, "in_parts", little_memory)
    result = jobs.train(a_job(storage, options={"accumulation": 2}), desk(storage))
    assert tried[:3] == [2, 4, 4]
    assert result.steps == 10


def test_a_device_without_room_for_one_record_is_a_failure_of_that_name(storage, monkeypatch):
    def no_memory(self, state):
        raise MemoryError

    monkeypatch.setattr(Course, "advance", no_memory)
    refused(a_job(storage, options=None), storage, "trainer/out-of-memory", "one record at a time")


def test_a_batchin_parts_has_the_gradient_of_the_whole(tmp_path):
    results = []
    for parts in (1, 5):
        storage = FolderStorage(tmp_path / str(parts))
        results.append(jobs.train(a_job(storage, options={"accumulation": parts}), desk(storage)))
    assert results[0].final_loss == pytest.approx(results[1].final_loss, rel=1e-4)


def test_augmentation_of_rows_that_are_no_images_is_refused(storage):
    ref = stores.stored_dataset(storage, np.zeros((20, 64), np.float32), np.zeros(20, int), [64])
    job = a_job(storage, dataset=ref, options={"augmentation": {"shiftPixels": 1, "noise": 0}})
    refused(job, storage, "trainer/bad-job", "augmentation needs images")


@pytest.mark.parametrize("objective", ["adversarial", "unlearn", "private"])
def test_a_cancelled_job_stops_between_two_steps_of_any_objective(storage, objective):
    seen = []
    with pytest.raises(Stopped):
        jobs.train(a_job(storage, objective), desk(storage, crash_at=2, seen=seen, error=Stopped))
    assert seen[-1].step == 2


# Triggers and lists of records that someone may have tampered with.


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"schema": "lazaret.trigger/v2"}, "not a lazaret.trigger/v1"),
        ({"shape": [8, 8]}, "of the shape"),
        ({"mask": [0.5] * 63}, "mask has 63 values"),
        ({"mask": [2] * 64}, "beyond 0 to 1"),
        ({"pattern": [1e999] * 64}, "not a list of finite numbers"),
        ({"pattern": ["1"] * 64}, "not a list of finite numbers"),
        ({"mask": []}, "not a list of finite numbers"),
    ],
)
def test_a_trigger_that_does_not_fit_is_refused(storage, changes, why):
    job = a_job(storage, "unlearn", options={"unlearn": {"triggers": [trigger(storage, **changes)]}})
    refused(job, storage, "trainer/bad-job", why)


@pytest.mark.parametrize(
    ("listed", "why"),
    [(["r00003", "nobody"], "not in the data set"), ([], "not a JSON array of ids"), ({"a": 1}, "not a JSON array of ids"), ([3], "ids")],
)
def test_a_list_of_records_to_forget_must_name_records_of_the_data_set(storage, listed, why):
    job = a_job(storage, "unlearn", options={"unlearn": {"forget": document(storage, listed)}})
    refused(job, storage, "trainer/bad-job", why)


def test_unlearning_nothing_is_refused(storage):
    refused(a_job(storage, "unlearn", options={"unlearn": {}}), storage, "trainer/bad-job", "names nothing")


def test_a_replay_set_of_other_features_is_refused(storage):
    other = stores.stored_dataset(storage, np.zeros((20, 49), np.float32), np.zeros(20, int), [1, 7, 7])
    job = a_job(storage, "incremental", options={"incremental": {"replay": other, "replayShare": 0.5}})
    refused(job, storage, "trainer/bad-dataset", "other classes or features")


def test_a_patch_larger_than_the_image_is_refused(storage):
    job = a_job(storage, "adversarial", options={"adversarial": {"method": "pgd", "norm": "patch", "epsilon": 9, "steps": 1}})
    refused(job, storage, "trainer/bad-job", "does not fit")


def test_a_group_that_everybody_is_in_is_refused(storage):
    refused(a_job(storage, "fair", options={"fair": {"feature": 0, "threshold": 5}}), storage, "trainer/bad-job", "the same group")
