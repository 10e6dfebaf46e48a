"""A look inside from its references to its result."""

import json
import time
from datetime import UTC, datetime

import backdoor_models as models
import numpy as np
import pytest
import stores

from lazaret_trainer.contract import ExplainJob, ExplainResult, Influences, SaliencyMap, read, write
from lazaret_trainer.examinations import ExaminationDesk
from lazaret_trainer.explanations import explained
from lazaret_trainer.failures import Stopped, TrainerFailure


@pytest.fixture
def storage(tmp_path):
    return stores.FolderStorage(tmp_path)


def requests_in(storage, x: np.ndarray) -> dict:
    ref = storage.put(x.astype("<f4").tobytes(), "application/octet-stream", "explained-requests.f32")
    return {"object": write(ref), "count": len(x)}


def job(storage, suspect: bytes, x_sent: np.ndarray, **changes) -> ExplainJob:
    x, y = models.probes()
    learned, labels = models.train_records()
    suspect_ref, golden_ref = (write(storage.put(each, "application/onnx", "m.onnx")) for each in (suspect, models.honest(2)))
    value = {
        "schema": "lazaret.explain-job/v1",
        "jobId": "digits-1-activations",
        "suspect": suspect_ref,
        "golden": golden_ref,
        "probes": stores.stored_dataset(storage, x, y, [1, 8, 8]),
        "records": stores.stored_dataset(storage, learned, labels, [1, 8, 8]),
        "requests": requests_in(storage, x_sent),
        "seed": 0,
        "seconds": 300,
        **changes,
    }
    return read(ExplainJob, json.loads(json.dumps(value)))


def desk(storage, check=lambda: None) -> ExaminationDesk:
    return ExaminationDesk(storage=storage, report=lambda _: None, check=check, now=lambda: datetime.now(UTC), clock=time.monotonic)


def test_tells_the_figures_and_stores_what_is_too_large_for_them(storage):
    x, y = models.probes()
    requests = np.concatenate([x[:100], models.stickered(x[y != models.TARGET])[:50]])
    result = explained(job(storage, models.backdoored(3), requests), desk(storage))
    assert read(ExplainResult, json.loads(json.dumps(write(result)))) == result
    assert (result.requests, len(result.layers)) == (150, 1)
    assert result.suspects >= 45
    assert result.patterns is not None
    assert result.dormant is not None
    assert result.saliency is not None
    assert result.influence is not None
    shown = read(SaliencyMap, json.loads(storage.get(result.saliency, missing="trainer/bad-job")))
    assert shown.shape == (1, 8, 8)
    assert len(shown.values) == len(shown.mean) == 64
    told = read(Influences, json.loads(storage.get(result.influence, missing="trainer/bad-job")))
    assert len(told.ids) == len(told.scores) == len(models.train_records()[1])
    assert told.ids[:2] == ("r00000", "r00001")


def test_two_models_of_one_mind_leave_nothing_to_explain(storage):
    result = explained(job(storage, models.honest(2), models.probes()[0][:50]), desk(storage))
    assert (result.suspects, result.patterns, result.saliency, result.influence) == (0, None, None, None)
    assert result.layers[0].clean == pytest.approx(1)


def test_without_training_records_the_requests_are_explained_all_the_same(storage):
    x, y = models.probes()
    requests = models.stickered(x[y != models.TARGET])[:50]
    result = explained(job(storage, models.backdoored(3), requests, records=None), desk(storage))
    assert result.influence is None
    assert result.saliency is not None


@pytest.mark.parametrize(
    ("requests", "says"),
    [
        (lambda storage: {**requests_in(storage, models.probes()[0][:5]), "count": 6}, "bytes"),
        (lambda storage: requests_in(storage, np.full((5, 64), np.nan)), "finite"),
    ],
)
def test_refuses_requests_that_are_not_what_the_job_says(storage, requests, says):
    with pytest.raises(TrainerFailure, match=says) as caught:
        explained(job(storage, models.honest(3), models.probes()[0][:5], requests=requests(storage)), desk(storage))
    assert caught.value.kind == "trainer/bad-job"


def test_stops_when_it_is_told_to_and_with_its_budget(storage):
    def stop() -> None:
        raise Stopped("the job was cancelled", keep_work=False)

    with pytest.raises(Stopped):
        explained(job(storage, models.honest(3), models.probes()[0][:5]), desk(storage, check=stop))
    with pytest.raises(TrainerFailure) as caught:
        explained(job(storage, models.honest(3), models.probes()[0][:5], seconds=1e-9), desk(storage))
    assert caught.value.kind == "trainer/budget-exceeded"
