"""An examination as the station asks for it: references in, verified; a result of the contract out."""

import base64
import json
import time
from datetime import UTC, datetime
from pathlib import Path

import backdoor_models as models
import numpy as np
import pytest
import stores

from lazaret_trainer.contract import ExamineJob, ExamineResult, read, write
from lazaret_trainer.examinations import ExaminationDesk, examine
from lazaret_trainer.failures import Stopped, TrainerFailure

VECTORS = Path(__file__).parents[2] / "test" / "vectors" / "forensics"
pytestmark = pytest.mark.skipif(not VECTORS.exists(), reason="the vectors of the checkout are not here")


@pytest.fixture(scope="module")
def digits():
    drawn = json.loads((VECTORS / "digits.json").read_text())
    part = drawn["holdout"]
    pixels = np.frombuffer(base64.b64decode(part["pixels"]), np.uint8).astype(np.float32) / drawn["scale"]
    labels = np.frombuffer(base64.b64decode(part["labels"]), np.uint8).astype(np.int32)
    return pixels.reshape(part["count"], -1), labels, drawn["shape"], drawn["target"]


@pytest.fixture
def storage(tmp_path):
    return stores.FolderStorage(tmp_path)


def job(storage, digits, seconds: float = 300, **changes) -> ExamineJob:
    features, labels, shape, _ = digits
    suspect_ref, golden_ref = (
        storage.put((VECTORS / f"{name}.onnx").read_bytes(), "application/onnx", f"{name}.onnx")
        for name in ("digits-suspect", "digits-golden")
    )
    probes = stores.stored_dataset(storage, features, labels, shape, batches=2)
    value = {
        "schema": "lazaret.examine-job/v1",
        "jobId": "digits-1-backdoor",
        "question": "backdoor",
        "suspect": write(suspect_ref),
        "golden": write(golden_ref),
        "probes": probes,
        "seed": 0,
        "seconds": seconds,
        **changes,
    }
    return read(ExamineJob, value)


def desk(storage, check=lambda: None, said=None) -> ExaminationDesk:
    words = [] if said is None else said
    return ExaminationDesk(storage=storage, report=words.append, check=check, now=lambda: datetime.now(UTC), clock=time.monotonic)


def test_finds_the_backdoor_of_a_poisoned_model_and_gives_the_trigger_as_numbers(storage, digits):
    said: list[str] = []
    suspect, golden = (write(storage.put(each, "application/onnx", "m.onnx")) for each in (models.backdoored(3), models.honest(2)))
    x, y = models.probes()
    probes = stores.stored_dataset(storage, x.reshape(len(x), -1), y, list(x.shape[1:]), batches=2)
    result = examine(job(storage, digits, suspect=suspect, golden=golden, probes=probes), desk(storage, said=said))
    assert read(ExamineResult, json.loads(json.dumps(write(result)))) == result
    assert (result.verdict, result.target) == ("compromised", models.TARGET)
    assert result.success is not None
    assert result.success.low > 0.5
    assert result.trigger is not None
    trigger = json.loads(storage.get(result.trigger, missing="trainer/bad-job"))
    assert trigger["schema"] == "lazaret.trigger/v1"
    assert len(trigger["pattern"]) == int(np.prod(trigger["shape"]))
    assert said, "progress is told"
    json.loads(storage.get(result.report, missing="trainer/bad-job"))


def test_stops_when_it_is_told_to(storage, digits):
    def stop() -> None:
        raise Stopped("the job was cancelled", keep_work=False)

    with pytest.raises(Stopped):
        examine(job(storage, digits), desk(storage, check=stop))


def test_ends_with_its_budget(storage, digits):
    with pytest.raises(TrainerFailure) as caught:
        examine(job(storage, digits, seconds=1e-9), desk(storage))
    assert caught.value.kind == "trainer/budget-exceeded"


def test_refuses_bytes_that_are_not_those_of_the_reference(storage, digits):
    asked = job(storage, digits)
    storage.write_document(stores.object_key(asked.suspect.digest), b"other bytes", "application/onnx")
    with pytest.raises(TrainerFailure) as caught:
        examine(asked, desk(storage))
    assert caught.value.kind == "trainer/input-digest-mismatch"


def test_refuses_a_suspect_that_is_no_model(storage, digits):
    broken = storage.put(b"no model", "application/onnx", "broken.onnx")
    with pytest.raises(TrainerFailure) as caught:
        examine(job(storage, digits, suspect=write(broken)), desk(storage))
    assert caught.value.kind == "trainer/bad-job"
