"""The worker against the real Temporal and S3: killed, told to stop, cancelled, cut off from S3, and fed with lies."""

import asyncio
import dataclasses
import json
import signal
import time
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import engines
import numpy as np
import pytest
import stores
from recovery_workflow import Recovery
from temporalio.client import Client, WorkflowFailureError, WorkflowHandle
from temporalio.exceptions import ActivityError, ApplicationError
from temporalio.worker import Worker

from lazaret_trainer import samples, settings
from lazaret_trainer import storage as storage_module
from lazaret_trainer.contract import ObjectRef, TrainResult, read
from lazaret_trainer.failures import TrainerFailure
from lazaret_trainer.storage import S3Storage, object_key

pytestmark = [
    pytest.mark.engines,
    pytest.mark.xdist_group("engines"),
    pytest.mark.skipif(bool(engines.missing()), reason=f"engines are not installed: {', '.join(engines.missing())}"),
]

RECORDS = 1400
MODEL = samples.digits_cnn(5).SerializeToString(deterministic=True)
EPOCHS = 100
"""Long enough to be killed in the middle: 100 · 21 steps."""


@pytest.fixture(scope="module")
def station(tmp_path_factory):
    with engines.station(tmp_path_factory.mktemp("station")) as running:
        yield running


@pytest.fixture(scope="module")
def storage(station):
    return S3Storage(settings.load(station.environment).s3)


@pytest.fixture(scope="module")
def dataset(storage):
    drawn = samples.digits()
    features = np.array(drawn["images"][:RECORDS], np.float32)
    return stores.stored_dataset(storage, features, np.array(drawn["labels"][:RECORDS]), [1, 8, 8], batches=7)


def job_json(storage, dataset, job_id: str, epochs: int = EPOCHS, **changes: Any) -> dict[str, Any]:
    hyperparameters = {"epochs": epochs, "batchSize": 64, "learningRate": 0.002, "seed": 7}
    return stores.job_json(
        storage, MODEL, dataset, **{"jobId": job_id, "hyperparameters": hyperparameters, "checkpointEverySteps": 200, **changes}
    )


@asynccontextmanager
async def recoveries(station) -> AsyncIterator[Client]:
    client = await Client.connect(station.environment["LAZARET_TEMPORAL_ADDRESS"])
    async with Worker(client, task_queue="recovery", workflows=[Recovery]):
        yield client


async def start(client: Client, job: dict[str, Any]) -> WorkflowHandle[Any, dict[str, Any]]:
    return await client.start_workflow(Recovery.run, job, id=f"recovery-{uuid.uuid4()}", task_queue="recovery")


async def progress(handle: WorkflowHandle[Any, Any], reached: Callable[[dict[str, Any]], bool], seconds: float = 60) -> dict[str, Any]:
    """The first heartbeat that has got so far."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        pending = (await handle.describe()).raw_description.pending_activities
        if pending and pending[0].HasField("heartbeat_details"):
            payload = pending[0].heartbeat_details.payloads[0]
            details = json.loads(payload.data)
            if reached(details):
                return details
        await asyncio.sleep(0.1)
    raise TimeoutError("the job did not get that far")


async def failure_of(handle: WorkflowHandle[Any, Any]) -> ApplicationError:
    with pytest.raises(WorkflowFailureError) as caught:
        await handle.result()
    assert isinstance(caught.value.cause, ActivityError)
    assert isinstance(caught.value.cause.cause, ApplicationError)
    return caught.value.cause.cause


def stored(storage: S3Storage, ref: ObjectRef) -> bytes:
    return storage.get(ref, missing="trainer/bad-job")


def test_a_killed_worker_and_one_told_to_stop_do_not_change_the_bytes(station, storage, dataset, capsys):
    async def play() -> tuple[TrainResult, TrainResult, float]:
        async with recoveries(station) as client:
            with station.worker("whole.log"):
                whole = read(TrainResult, await (await start(client, job_json(storage, dataset, "whole"))).result())

            handle = await start(client, job_json(storage, dataset, "killed"))
            with station.worker("killed.log") as first:
                seen = await progress(handle, lambda details: details["checkpointStep"] >= 400)
                assert seen["worker"].endswith(f"-{first.pid}")
                first.kill()
            killed_at = time.monotonic()
            with station.worker("stopped.log") as second:
                await progress(handle, lambda details: details["worker"].endswith(f"-{second.pid}") and details["step"] > 600)
                taken_over = time.monotonic() - killed_at
                second.terminate()
                assert await asyncio.to_thread(second.wait, 15) == 0
            with station.worker("last.log"):
                return whole, read(TrainResult, await handle.result()), taken_over

    whole, broken, taken_over = asyncio.run(play())
    with capsys.disabled():
        print(f"\nkilled, stopped, resumed at steps {list(broken.resumed_at_steps)} of {broken.steps}; taken over after {taken_over:.1f} s")
    assert whole.resumed_at_steps == ()
    assert len(broken.resumed_at_steps) == 2
    assert broken.resumed_at_steps[0] >= 400
    assert broken.artifact.digest == whole.artifact.digest
    assert stored(storage, broken.curve) == stored(storage, whole.curve)
    assert "going down" in station.log("stopped.log")


def test_a_cancelled_job_stops_within_two_seconds(station, storage, dataset):
    async def play() -> float:
        async with recoveries(station) as client:
            with station.worker("cancelled.log"):
                handle = await start(client, job_json(storage, dataset, "cancelled", epochs=5000, budget={"seconds": 300, "steps": 10**6}))
                await progress(handle, lambda details: details["step"] > 0)
                asked = time.monotonic()
                await handle.cancel()
                with pytest.raises(WorkflowFailureError):
                    await handle.result()
                return time.monotonic() - asked

    assert asyncio.run(play()) < 2


def test_an_outage_of_s3_is_ridden_out(station, storage, dataset):
    async def play() -> TrainResult:
        async with recoveries(station) as client:
            with station.worker("outage.log"):
                handle = await start(client, job_json(storage, dataset, "outage"))
                await progress(handle, lambda details: details["checkpointStep"] >= 200)
                station.s3.send_signal(signal.SIGSTOP)
                await asyncio.sleep(8)
                station.s3.send_signal(signal.SIGCONT)
                return read(TrainResult, await handle.result())

    assert asyncio.run(play()).steps == EPOCHS * 21


@pytest.mark.parametrize(
    ("change", "kind"),
    [
        ({"jobId": "../escape"}, "trainer/bad-job"),
        ({"budget": {"seconds": 10, "steps": 3}}, "trainer/budget-exceeded"),
        ({"base": {**stores.NO_SIGNATURE, "digest": "sha256:" + "0" * 64}}, "trainer/bad-job"),
    ],
)
def test_a_job_that_cannot_be_done_fails_once_and_by_name(station, storage, dataset, change, kind):
    async def play() -> ApplicationError:
        async with recoveries(station) as client:
            with station.worker("refused.log"):
                return await failure_of(await start(client, job_json(storage, dataset, "refused", **change)))

    error = asyncio.run(play())
    assert (error.type, error.non_retryable) == (kind, True)


def test_a_model_changed_in_the_bucket_is_not_trained(station, storage, dataset):
    job = job_json(storage, dataset, "tampered")
    other = samples.digits_cnn(99).SerializeToString(deterministic=True)
    key = object_key(job["base"]["digest"])
    storage.write_document(key, other, "application/onnx")

    async def play() -> ApplicationError:
        async with recoveries(station) as client:
            with station.worker("tampered.log"):
                return await failure_of(await start(client, job))

    try:
        assert asyncio.run(play()).type == "trainer/input-digest-mismatch"
    finally:
        storage.write_document(key, MODEL, "application/onnx")


def test_an_object_larger_than_memory_should_hold_is_verified_in_a_scratch_file(storage, monkeypatch):
    content = np.random.RandomState(0).bytes(3 * 2**20 + 5)
    ref = storage.put(content, "application/octet-stream", "large")
    monkeypatch.setattr(storage_module, "SPOOL_BYTES", 0)
    with storage.spooled(ref, "trainer/bad-dataset") as file:
        assert file.read() == content
    storage._put(object_key(ref.digest), content[:-1] + b"x", "application/octet-stream")
    with pytest.raises(TrainerFailure, match="are not the") as caught:
        storage.spooled(ref, "trainer/bad-dataset")
    assert caught.value.kind == "trainer/input-digest-mismatch"
    with pytest.raises(TrainerFailure, match="is not in the artifacts bucket"):
        storage.spooled(dataclasses.replace(ref, digest="sha256:" + "0" * 64), "trainer/bad-dataset")
