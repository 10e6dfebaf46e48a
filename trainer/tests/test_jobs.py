"""Jobs from start to end over a folder: the same bytes after a stop, and every refusal by its type."""

import itertools
import time
from datetime import UTC, datetime

import numpy as np
import pytest
import stores
from onnx import TensorProto, helper, numpy_helper
from stores import FolderStorage

from lazaret_trainer import jobs, samples
from lazaret_trainer.checkpoints import job_digest
from lazaret_trainer.failures import Stopped, TrainerFailure
from lazaret_trainer.objectives.material import draw
from lazaret_trainer.storage import object_key

MODEL = samples.digits_cnn(5).SerializeToString(deterministic=True)
RECORDS = 200
STEPS = 2 * (RECORDS // 32)


class Crash(Exception):
    """What a test throws between two steps."""


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path / "one")


def digits(storage):
    drawn = samples.digits()
    features = np.array(drawn["images"][:RECORDS], np.float32)
    return stores.stored_dataset(storage, features, np.array(drawn["labels"][:RECORDS]), [1, 8, 8])


def a_job(storage, model=MODEL, **changes):
    return stores.job(storage, model, digits(storage), **changes)


def desk(storage, crash_at: int | None = None, error: Exception | None = None, seen: list | None = None, clock=time.monotonic):
    latest = {"step": 0}

    def report(progress):
        latest["step"] = progress.step
        if seen is not None:
            seen.append(progress)

    def check():
        if latest["step"] == crash_at:
            raise error or Crash

    return jobs.Desk(storage, "worker-1", report, check, lambda: datetime.now(UTC), clock)


def content(storage, ref) -> bytes:
    return (storage.folder / object_key(ref.digest)).read_bytes()


def refused(job, storage, kind, why, **options):
    with pytest.raises(TrainerFailure, match=why) as caught:
        jobs.train(job, desk(storage, **options))
    assert caught.value.kind == kind


def test_a_stopped_job_ends_with_the_same_bytes_as_an_uninterrupted_one(tmp_path):
    whole, broken = FolderStorage(tmp_path / "whole"), FolderStorage(tmp_path / "broken")
    expected = jobs.train(a_job(whole), desk(whole))
    with pytest.raises(Crash):
        jobs.train(a_job(broken), desk(broken, crash_at=7))
    with pytest.raises(Crash):
        jobs.train(a_job(broken), desk(broken, crash_at=11))
    result = jobs.train(a_job(broken), desk(broken))

    assert result.resumed_at_steps == (5, 10)
    assert content(broken, result.artifact) == content(whole, expected.artifact)
    assert content(broken, result.curve) == content(whole, expected.curve)
    assert expected.resumed_at_steps == ()
    assert (result.steps, result.records, result.final_loss) == (STEPS, RECORDS, expected.final_loss)


def test_the_same_job_gives_the_same_bytes_and_another_seed_others(tmp_path):
    artifacts = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        storage = FolderStorage(tmp_path / name)
        hyperparameters = {"epochs": 1, "batchSize": 32, "learningRate": 0.002, "seed": seed}
        artifacts.append(jobs.train(a_job(storage, hyperparameters=hyperparameters), desk(storage)).artifact.digest)
    assert artifacts[0] == artifacts[1] != artifacts[2]


def test_a_worker_going_down_keeps_the_steps_since_the_last_checkpoint(storage):
    with pytest.raises(Stopped):
        jobs.train(a_job(storage), desk(storage, crash_at=8, error=Stopped("going down", keep_work=True)))
    assert jobs.train(a_job(storage), desk(storage)).resumed_at_steps == (8,)


def test_a_damaged_newest_checkpoint_costs_only_the_steps_after_the_one_before(storage):
    with pytest.raises(Crash):
        jobs.train(a_job(storage), desk(storage, crash_at=11))
    newest = storage.folder / "checkpoints/job-1/00000010.npz"
    newest.write_bytes(newest.read_bytes()[:-1000])
    assert jobs.train(a_job(storage), desk(storage)).resumed_at_steps == (5,)


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04", b"\x80\x04\x95pickle"])
def test_checkpoints_that_are_none_are_passed_over(storage, damage):
    storage.write_document("checkpoints/job-1/00000005.npz", damage, "application/x-npz")
    assert jobs.train(a_job(storage), desk(storage)).resumed_at_steps == ()


def test_a_checkpoint_of_another_job_is_not_taken_up(storage):
    with pytest.raises(Crash):
        jobs.train(a_job(storage), desk(storage, crash_at=7))
    other = a_job(storage, hyperparameters={"epochs": 2, "batchSize": 32, "learningRate": 0.001, "seed": 7})
    assert jobs.train(other, desk(storage)).resumed_at_steps == ()


def test_two_checkpoints_are_kept(storage):
    jobs.train(a_job(storage, checkpointEverySteps=2), desk(storage))
    assert storage.list_documents("checkpoints/job-1/") == [
        "checkpoints/job-1/00000008.npz",
        "checkpoints/job-1/00000010.npz",
        "checkpoints/job-1/result.json",
    ]


def test_a_finished_job_answers_again_without_training(storage):
    first, seen = jobs.train(a_job(storage), desk(storage)), []
    assert jobs.train(a_job(storage), desk(storage, seen=seen)) == first
    assert seen == []


def test_a_finished_job_whose_artifact_is_gone_trains_again(storage):
    first = jobs.train(a_job(storage), desk(storage))
    (storage.folder / object_key(first.artifact.digest)).unlink()
    assert jobs.train(a_job(storage), desk(storage)).artifact == first.artifact
    assert content(storage, first.artifact)


def test_the_id_of_a_finished_job_cannot_name_another_one(storage):
    jobs.train(a_job(storage), desk(storage))
    other = a_job(storage, hyperparameters={"epochs": 1, "batchSize": 32, "learningRate": 0.001, "seed": 7})
    refused(other, storage, "trainer/bad-job", "another job with this jobId")


def test_a_larger_budget_leaves_the_job_the_same_job(storage):
    assert job_digest(a_job(storage)) == job_digest(a_job(storage, budget={"seconds": 1, "steps": 1}, checkpointEverySteps=9))


@pytest.mark.parametrize("name", [".", ".."])
def test_an_id_that_would_climb_out_of_its_folder_is_refused(storage, name):
    refused(a_job(storage, jobId=name), storage, "trainer/bad-job", "must not be")


def test_progress_tells_every_step_and_the_newest_checkpoint(storage):
    seen = []
    jobs.train(a_job(storage), desk(storage, seen=seen))
    assert [progress.step for progress in seen] == list(range(STEPS + 1))
    assert [progress.checkpoint_step for progress in seen] == [0] * 5 + [5] * 5 + [10] * 3
    assert seen[-1].epoch == 1
    assert seen[0].loss is None
    assert seen[-1].loss is not None


def test_a_budget_of_steps_is_refused_before_the_first_step(storage):
    seen = []
    job = a_job(storage, budget={"seconds": 10, "steps": STEPS - 1})
    refused(job, storage, "trainer/budget-exceeded", f"takes {STEPS} steps", seen=seen)
    assert seen == []


def test_money_ends_a_job_before_its_seconds_do(storage):
    job = a_job(storage, budget={"seconds": 3600, "steps": 100, "money": {"most": 0.01, "perDeviceHour": 3.6}})
    ticks = itertools.count(step=2.0)
    refused(job, storage, "trainer/budget-exceeded", "the budget is 10 s", clock=lambda: next(ticks))


def test_a_budget_of_seconds_counts_the_attempts_before(storage):
    job = a_job(storage, budget={"seconds": 10, "steps": 100})
    ticks = iter(range(1000))
    refused(job, storage, "trainer/budget-exceeded", "the budget is 10 s", clock=lambda: next(ticks))
    taken_up = []
    refused(job, storage, "trainer/budget-exceeded", "1[12] s are spent at step", clock=lambda: next(ticks), seen=taken_up)
    assert len(taken_up) < 10


def test_a_diverging_job_fails_by_that_name(storage):
    hyperparameters = {"epochs": 50, "batchSize": 32, "learningRate": 10, "seed": 1}
    huge = samples.digits_cnn(0)
    for tensor in huge.graph.initializer:
        tensor.raw_data = (numpy_helper.to_array(tensor) * 1e30).astype(np.float32).tobytes()
    refused(a_job(storage, huge.SerializeToString(), hyperparameters=hyperparameters), storage, "trainer/diverged", "loss is")


def test_an_unknown_operator_is_refused_before_the_data_is_read(storage):
    model = samples.digits_cnn(0)
    model.graph.node[1].op_type = "TfIdfVectorizer"
    job = stores.job(storage, model.SerializeToString(), stores.dataset_ref(storage, b"never read"))
    refused(job, storage, "trainer/unsupported-operator", "node 'relu0': operator TfIdfVectorizer")


def test_a_model_for_other_shapes_is_refused(storage):
    ref = stores.stored_dataset(storage, np.zeros((20, 49), np.float32), np.zeros(20, int), [1, 7, 7])
    refused(stores.job(storage, MODEL, ref), storage, "trainer/bad-job", "does not take a batch of shape")


def test_a_model_for_other_classes_is_refused(storage):
    ref = digits(storage)
    manifest = stores.manifest([], [1, 8, 8], 3, classes=["a", "b"])
    manifest["shards"] = [stores.shard_entry(storage, stores.shard_bytes(["a", "b", "c"], np.zeros((3, 64)), [0, 1, 0]), 3)]
    ref = stores.dataset_ref(storage, manifest)
    refused(stores.job(storage, MODEL, ref), storage, "trainer/bad-job", "the data set asks for")


def test_a_base_that_is_not_the_one_meant_is_refused(storage):
    job = a_job(storage)
    (storage.folder / object_key(job.base.digest)).write_bytes(samples.digits_cnn(6).SerializeToString(deterministic=True))
    refused(job, storage, "trainer/input-digest-mismatch", "model.onnx")


def test_a_graph_that_ends_in_softmax_is_trained_on_its_logits(storage):
    model = samples.digits_cnn(5)
    model.graph.node.append(helper.make_node("Softmax", ["logits"], ["probabilities"]))
    del model.graph.output[:]
    model.graph.output.append(helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 10]))
    plain = jobs.train(a_job(storage), desk(storage))
    soft = jobs.train(a_job(storage, model.SerializeToString(), jobId="job-2"), desk(storage))
    assert content(storage, soft.curve) == content(storage, plain.curve)


def test_fewer_records_than_a_batch_are_one_batch(storage):
    hyperparameters = {"epochs": 3, "batchSize": 1000, "learningRate": 0.001, "seed": 0}
    assert jobs.train(a_job(storage, hyperparameters=hyperparameters), desk(storage)).steps == 3


def test_a_checkpoint_that_cannot_be_written_does_not_stop_the_job(storage, caplog):
    def away(key, content, media_type):
        if key.endswith(".npz"):
            raise TrainerFailure("trainer/storage-unavailable", "S3 is away")
        FolderStorage.write_document(storage, key, content, media_type)

    storage.write_document = away
    assert jobs.train(a_job(storage), desk(storage)).steps == STEPS
    assert "no checkpoint" in caplog.text


def test_the_order_of_the_records_is_a_permutation_drawn_from_seed_and_epoch():
    order = draw(7, 3, 1000)
    assert sorted(order.tolist()) == list(range(1000))
    assert order.tolist() == draw(7, 3, 1000).tolist()
    assert order.tolist() != draw(7, 4, 1000).tolist()
    assert order.tolist() != draw(8, 3, 1000).tolist()
    # Fixed for ever: a resumed job may run under another numpy.
    assert draw(1, 0, 8).tolist() == PINNED_ORDER


PINNED_ORDER = [3, 5, 2, 7, 0, 6, 1, 4]
