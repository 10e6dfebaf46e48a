"""The exported contract and the models made from it."""

import pytest
import stores
from stores import FolderStorage

from lazaret_trainer.contract import ContractError, ObjectRef, TrainJob, TrainProgress, read, schema, write
from lazaret_trainer.contract.generate import TARGET, generate
from lazaret_trainer.failures import FailureType


def valid(tmp_path):
    return stores.job_json(
        FolderStorage(tmp_path), b"model", {"name": "d", "manifest": stores.NO_SIGNATURE, "signature": stores.NO_SIGNATURE}
    )


def test_the_models_are_those_of_the_schema():
    assert TARGET.read_text("utf-8") == generate(), "run python -m lazaret_trainer.contract.generate"


def test_the_failure_types_are_those_of_the_contract():
    assert set(FailureType.__args__) == set(schema.DOCUMENT["x-failures"])


def test_the_reader_knows_every_keyword_the_contract_uses():
    def keywords(node, inside_names=False):
        if isinstance(node, dict):
            for key, value in node.items():
                if not inside_names:
                    yield key
                yield from keywords(value, key in ("properties", "$defs") and not inside_names)
        elif isinstance(node, list):
            for item in node:
                yield from keywords(item)

    assert set(keywords(schema.DOCUMENT["$defs"], inside_names=True)) <= schema.KNOWN_KEYWORDS


def test_a_job_survives_the_way_there_and_back(tmp_path):
    value = valid(tmp_path)
    assert write(read(TrainJob, value)) == value


def test_fields_of_a_later_contract_are_ignored(tmp_path):
    assert read(TrainJob, {**valid(tmp_path), "later": 1}).job_id == "job-1"


def test_progress_may_have_no_loss_yet():
    value = {"jobId": "j", "step": 0, "steps": 1, "epoch": 0, "loss": None, "checkpointStep": 0, "worker": "w"}
    assert write(read(TrainProgress, value)) == value


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"jobId": "a/b"}, "TrainJob.jobId"),
        ({"jobId": "a\n"}, "TrainJob.jobId"),
        ({"schema": "lazaret.train-job/v2"}, "TrainJob.schema"),
        ({"objective": "anything"}, "TrainJob.objective"),
        ({"options": {"holdBack": {"share": 0.9, "patience": 1}}}, "TrainJob.options.holdBack.share"),
        ({"checkpointEverySteps": 0}, "TrainJob.checkpointEverySteps"),
        ({"checkpointEverySteps": True}, "TrainJob.checkpointEverySteps"),
        ({"budget": {"seconds": float("nan"), "steps": 1}}, "TrainJob.budget.seconds"),
        ({"hyperparameters": {"epochs": 1, "batchSize": 1, "learningRate": 1, "seed": 2**32}}, "TrainJob.hyperparameters.seed"),
        ({"base": {"store": "artifacts", "digest": "md5:0", "bytes": 1, "mediaType": "x", "name": "x"}}, "TrainJob.base.digest"),
        (
            {"base": {"store": "elsewhere", "digest": "sha256:" + "0" * 64, "bytes": 1, "mediaType": "x", "name": "x"}},
            "TrainJob.base.store",
        ),
    ],
)
def test_a_job_that_breaks_the_contract_is_refused_at_its_place(tmp_path, change, place):
    with pytest.raises(ContractError) as caught:
        read(TrainJob, {**valid(tmp_path), **change})
    assert [problem.split(":")[0] for problem in caught.value.problems] == [place]


def test_all_problems_are_reported_at_once():
    with pytest.raises(ContractError) as caught:
        read(ObjectRef, {"store": 1, "digest": "x", "bytes": -1})
    assert len(caught.value.problems) == 5


@pytest.mark.parametrize("value", [None, [], "job", 3])
def test_what_is_no_object_is_refused(value):
    with pytest.raises(ContractError):
        read(TrainJob, value)
