"""Deep Partition Aggregation: what is certified holds against whoever chooses the records, and the result is one model."""

import itertools
from typing import Any

import jax
import numpy as np
import onnx
import onnxruntime
import pytest
import stores
from onnx import TensorProto, helper
from stores import FolderStorage, small_network
from test_objectives import IMAGES, LABELS, a_job, content, desk, refused

from lazaret_trainer import jobs
from lazaret_trainer.contract import write
from lazaret_trainer.graph import GraphModel
from lazaret_trainer.objectives.partition_vote import certified, partitions
from lazaret_trainer.voting import voting

MODEL = small_network()
MEMBERS = 7
TRAIN, CLEAN = slice(0, 420), slice(420, 720)


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path)


def voted(storage, images, labels, job_id="job-1", **changes: Any):
    clean = stores.stored_dataset(storage, IMAGES[CLEAN], LABELS[CLEAN], [1, 8, 8])
    data = stores.stored_dataset(storage, images, labels, [1, 8, 8])
    part = {"partitionVote": {"partitions": MEMBERS, "certifyOn": clean}}
    job = a_job(storage, "partition-vote", model=MODEL, dataset=data, options=part, epochs=40, rate=0.01, batch=20, jobId=job_id, **changes)
    return jobs.train(job, desk(storage))


def shares(model: bytes) -> np.ndarray:
    session = onnxruntime.InferenceSession(model)
    return np.asarray(session.run(None, {session.get_inputs()[0].name: IMAGES[CLEAN].reshape(-1, 1, 8, 8)})[0])


def members(model: bytes) -> list[dict[str, bytes]]:
    parameters = GraphModel(model).parameters
    return [{name: value.tobytes() for name, value in parameters.items() if name.startswith(f"m{index}/")} for index in range(MEMBERS)]


def test_no_two_records_change_an_answer_that_is_certified_against_two(storage):
    images, labels = IMAGES[TRAIN], LABELS[TRAIN]
    before = voted(storage, images, labels)
    model = content(storage, before.artifact)
    answer, radius = certified(np.rint(MEMBERS * shares(model)).astype(int))

    # One record is put in, between the others, and one is labelled anew: all that an attacker of two records can do.
    odd = np.random.RandomState(3).rand(1, *images.shape[1:]).astype(np.float32)
    poisoned = np.concatenate([images[:100], odd, images[100:]])
    wrong = np.concatenate([labels[:100], [3], labels[100:]])
    wrong[200] = (wrong[200] + 1) % 10
    attacked = content(storage, voted(storage, poisoned, wrong, "job-2").artifact)

    changed = [one != other for one, other in zip(members(model), members(attacked), strict=True)]
    assert 1 <= sum(changed) <= 2, "every other member is the same to the bit"
    safe = radius >= 2
    assert safe.sum() > 150
    np.testing.assert_array_equal(shares(attacked).argmax(1)[safe], answer[safe])
    assert not np.array_equal(shares(attacked), shares(model)), "an attack that changes nothing would prove nothing"

    figures = before.figures
    assert figures is not None
    right = answer == LABELS[CLEAN]
    assert figures["accuracy"] == pytest.approx(right.mean())
    assert figures["certified@2"] == pytest.approx((right & safe).mean())
    assert "certified@5" not in figures, "seven members certify three records at most"


def test_a_certified_radius_is_the_largest_that_no_change_of_votes_beats():
    random = np.random.RandomState(0)
    for _ in range(30):
        votes = random.multinomial(6, random.dirichlet([1, 1, 1]))
        (answer,), (radius,) = certified(votes[None])
        assert answer == votes.argmax()
        reach = {0: {tuple(votes)}}
        for moved in range(1, 5):
            reach[moved] = {
                tuple(np.array(each) - np.eye(3, dtype=int)[a] + np.eye(3, dtype=int)[b])
                for each in reach[moved - 1]
                for a, b in itertools.product(range(3), repeat=2)
                if each[a] > 0
            }
        for moved, states in reach.items():
            safe = all(np.argmax(state) == answer for state in states)
            assert safe == (moved <= radius), (votes, radius, moved)


def test_a_record_stays_in_its_partition_whoever_comes_or_goes(storage):
    data = a_records(IMAGES[:200], LABELS[:200])
    fewer = a_records(IMAGES[50:200], LABELS[50:200])
    for mine, theirs in zip(partitions(data, 5), partitions(fewer, 5), strict=True):
        assert [row - 50 for row in mine if row >= 50] == theirs.tolist()


def a_records(images, labels):
    from lazaret_trainer.dataset import Records

    return Records(images.reshape(-1, 1, 8, 8), labels, tuple(map(str, range(len(labels)))), tuple("0123456789"))


def test_more_partitions_than_records_leave_members_as_the_base_is(storage):
    images, labels = IMAGES[:3], LABELS[:3]
    result = voted(storage, images, labels)
    base = {f"m0/{name}": value.tobytes() for name, value in GraphModel(MODEL).parameters.items()}
    untouched = [each for each in members(content(storage, result.artifact)) if list(each.values()) == list(base.values())]
    assert len(untouched) >= MEMBERS - 3


def test_the_vote_is_the_share_of_members_and_the_model_is_one_that_can_be_read_again():
    base = GraphModel(MODEL)
    random = np.random.RandomState(1)
    drawn = [
        {name: value + random.normal(0, 0.3, value.shape).astype(np.float32) for name, value in base.parameters.items()} for _ in range(4)
    ]
    model = voting(MODEL, drawn)
    onnx.checker.check_model(onnx.load_model_from_string(model), full_check=True)
    answers = [shares(base.with_weights(each)).argmax(1) for each in drawn]
    expected = np.mean([np.eye(10)[each] for each in answers], 0)
    np.testing.assert_allclose(shares(model), expected, atol=1e-6)
    again = GraphModel(model)
    seen = jax.jit(lambda parameters, x: again(parameters, x, again.outputs[0]))(again.parameters, IMAGES[CLEAN].reshape(-1, 1, 8, 8))
    np.testing.assert_allclose(np.asarray(seen), expected, atol=1e-6)


@pytest.mark.parametrize("also", [{"holdBack": {"share": 0.2, "patience": 5}}, {"classBalance": True}, {"accumulation": 2}])
def test_what_would_join_the_partitions_is_refused(storage, also):
    refused(
        a_job(storage, "partition-vote", options={"partitionVote": {"partitions": 3}, **also}), storage, "trainer/bad-job", "all partitions"
    )


def test_a_graph_that_cannot_be_copied_side_by_side_is_refused_before_the_first_step(storage):
    two = onnx.load_model_from_string(MODEL)
    two.graph.output.append(helper.make_tensor_value_info(two.graph.node[0].output[0], TensorProto.FLOAT, None))
    job = a_job(storage, "partition-vote", model=two.SerializeToString(), options={"partitionVote": {"partitions": 3}})
    refused(job, storage, "trainer/bad-job", "2 outputs")
    assert write(job)["objective"] == "partition-vote"
