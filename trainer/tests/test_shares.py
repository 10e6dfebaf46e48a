"""A batch in shares: which batches are cut, and that cores change nothing but the time."""

import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from networks import Net
from stores import FolderStorage, small_network
from test_objectives import Crash, a_job, content, desk

from lazaret_trainer import cores, jobs
from lazaret_trainer.cores import on_cores
from lazaret_trainer.graph import GraphModel
from lazaret_trainer.objectives import shares
from lazaret_trainer.objectives.shares import independent, shares_of

MODEL = small_network()
LESSONS = {
    "standard": None,
    "adversarial": {"adversarial": {"method": "trades", "norm": "linf", "epsilon": 0.1, "steps": 2}},
}


@pytest.fixture
def eager_to_share(monkeypatch):
    """Small models and batches are cut as large ones are."""
    for name, value in {"SHARE_RECORDS": 16, "WORTH_FLOPS": 1, "FLOPS_PER_WEIGHT": 0}.items():
        monkeypatch.setattr(shares, name, value)


def with_cores(monkeypatch, count):
    monkeypatch.setattr(cores.os, "sched_getaffinity", lambda _: set(range(count)))


def trained(folder, objective="standard", **changes):
    storage = FolderStorage(folder)
    job = a_job(storage, objective, model=MODEL, batch=64, epochs=3, options=LESSONS[objective], **changes)
    return content(storage, jobs.train(job, desk(storage)).artifact)


def weights(model: bytes) -> np.ndarray:
    return np.concatenate([value.ravel() for value in GraphModel(model).parameters.values()])


@pytest.mark.parametrize("objective", LESSONS)
@pytest.mark.usefixtures("eager_to_share")
def test_one_core_and_several_end_in_the_same_bytes(tmp_path, monkeypatch, objective):
    results = []
    for count in (1, 2, 3):
        with_cores(monkeypatch, count)
        results.append(trained(tmp_path / str(count), objective))
    assert results[0] == results[1] == results[2]


def test_a_batch_in_shares_has_the_gradient_of_the_whole(tmp_path, monkeypatch, request):
    whole = weights(trained(tmp_path / "whole")) - weights(MODEL)
    request.getfixturevalue("eager_to_share")
    cut = weights(trained(tmp_path / "cut")) - weights(MODEL)
    assert not np.array_equal(cut, whole)
    assert np.linalg.norm(cut - whole) < 1e-3 * np.linalg.norm(whole)


@pytest.mark.usefixtures("eager_to_share")
def test_a_job_stopped_on_two_cores_goes_on_on_one_to_the_same_bytes(tmp_path, monkeypatch):
    with_cores(monkeypatch, 2)
    straight = trained(tmp_path / "straight")
    storage = FolderStorage(tmp_path / "stopped")
    job = a_job(storage, model=MODEL, batch=64, epochs=3, options=None, checkpointEverySteps=1)
    with pytest.raises(Crash):
        jobs.train(job, desk(storage, crash_at=3))
    with_cores(monkeypatch, 1)
    result = jobs.train(job, desk(storage))
    assert result.resumed_at_steps
    assert content(storage, result.artifact) == straight


IDENTITY = {"w": np.eye(4, dtype=np.float32), "gate": np.zeros(4, np.float32)}
COUPLED = {
    "statistics of the batch": lambda p, x: (x - x.mean(0)) @ p["w"],
    "the record before": lambda p, x: jnp.cumsum(x, 0) @ p["w"],
    "a mean behind a weight that is 0 so far": lambda p, x: x @ p["w"] + p["gate"] * x.mean(0),
    "the largest record, without a gradient": lambda p, x: x @ p["w"] + x.argmax(),
    "the number of records": lambda p, x: x @ p["w"] / len(x),
    "a batch of one size": lambda p, x: x.reshape(32, 4) @ p["w"],
}


@pytest.mark.parametrize("what", COUPLED)
def test_a_model_that_looks_at_other_records_keeps_its_batch_whole(what):
    assert not independent(COUPLED[what], IDENTITY, (32, 4), 16)


def test_a_model_that_answers_record_by_record_may_be_cut():
    assert independent(lambda p, x: jnp.tanh(x @ p["w"]) + p["gate"], IDENTITY, (32, 4), 16)


@pytest.mark.parametrize("training", [0, 1])
def test_normalisation_by_the_batch_is_seen_in_the_graph(training):
    net = Net(17, x=(["N", 3], np.float32))
    of_three = [net.weight(3, scale=0.1, shift=1.0) for _ in range(4)]
    normal = net.node("BatchNormalization", "x", *of_three, outputs=3 if training else 1, training_mode=training)
    net.linear(normal, 3, 2)
    graph = GraphModel(net.model(net.nodes[-1].output[0]))
    answers = independent(lambda parameters, x: graph(parameters, x, graph.outputs[0]), graph.parameters, (32, 3), 16)
    assert answers is (not training)


def test_the_cut_is_a_matter_of_work_weights_and_records():
    def convolving(p, x):
        return jax.lax.conv(x, p["k"], (1, 1), "SAME").mean((2, 3))

    kernel = {"k": np.ones((16, 16, 3, 3), np.float32)}
    wide = {"w": np.ones((1024, 2048), np.float32)}
    assert shares_of(convolving, kernel, (128, 16, 28, 28)) == 2
    assert shares_of(convolving, kernel, (320, 16, 28, 28)) == 5
    assert shares_of(convolving, kernel, (131, 16, 28, 28)) == 1, "a prime number of records has no equal shares"
    assert shares_of(convolving, kernel, (100, 16, 28, 28)) == 1, "two shares would be too small"
    assert shares_of(convolving, kernel, (128, 16, 8, 8)) == 1, "digits take less time than to hand them over"
    assert shares_of(lambda p, x: x @ p["w"], wide, (128, 1024)) == 1, "its gradients are too large to be moved for so little work"


def test_results_come_in_the_order_of_the_shares_whatever_the_cores():
    program = jax.jit(lambda x: x * 2)
    given = [(np.float32(number),) for number in range(7)]
    for count in (1, 2, 4, 9):
        assert [float(each) for each in on_cores(program, given, count)] == [0, 2, 4, 6, 8, 10, 12]


def test_two_shares_are_computed_at_the_same_time():
    meeting = threading.Barrier(2, timeout=10)
    assert sorted(on_cores(lambda _: meeting.wait(), [(0,), (1,)], 2)) == [0, 1]


def test_a_share_that_fails_is_told_when_the_others_are_done():
    done = []

    def program(number):
        if int(number) == 0:
            raise MemoryError
        done.append(int(number))
        return number

    with pytest.raises(MemoryError):
        on_cores(program, [(0,), (1,), (2,), (3,)], 2)
    assert done == [1, 3]
