"""The activity `train` of the contract: JSON in, JSON out, heartbeats, cancellation, and failures by their types."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from temporalio import activity
from temporalio.exceptions import ApplicationError, CancelledError

from . import jobs
from .contract import ContractError, TrainJob, TrainProgress, read, write
from .failures import Stopped, TrainerFailure
from .pulse import Pulse
from .storage import S3Storage

LOG = logging.getLogger(__name__)


def train_activity(storage: S3Storage, worker: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Makes the activity for one worker. It blocks its thread, and computes one job at a time."""

    # Cancellation MUST NOT be thrown into the thread at any line: a half-written checkpoint would be worse than half a second more.
    @activity.defn(name="train", no_thread_cancel_exception=True)
    def train(value: dict[str, Any]) -> dict[str, Any]:
        job = _job(value)
        about = {"job": job.job_id, "attempt": activity.info().attempt}
        LOG.info("took the job", extra=about)
        first = TrainProgress(job_id=job.job_id, step=0, steps=job.budget.steps, epoch=0, loss=None, checkpoint_step=0, worker=worker)
        pulse = Pulse(write(first), jobs.seconds_of(job.budget))
        desk = jobs.Desk(
            storage=storage.waiting_with(wait),
            worker=worker,
            report=lambda progress: pulse.take(write(progress)),
            check=check,
            now=lambda: datetime.now(UTC),
            clock=time.monotonic,
        )
        try:
            with pulse:
                result = jobs.train(job, desk)
            LOG.info("finished the job", extra={**about, "artifact": result.artifact.digest})
            return write(result)
        except TrainerFailure as failure:
            LOG.error("%s: %s", failure.kind, failure, extra=about)
            raise told(failure) from None
        except Stopped as stopped:
            LOG.warning("stopped the job: %s", stopped, extra=about)
            if stopped.keep_work:
                raise told(TrainerFailure("trainer/worker-stopped", str(stopped))) from None
            raise CancelledError(str(stopped)) from None

    return train


def _job(value: object) -> TrainJob:
    try:
        return read(TrainJob, value)
    except ContractError as error:
        raise told(TrainerFailure("trainer/bad-job", str(error))) from None


def told(failure: TrainerFailure) -> ApplicationError:
    return ApplicationError(str(failure), type=failure.kind, non_retryable=not failure.retryable)


def check() -> None:
    if activity.is_cancelled():
        raise Stopped("the job was cancelled", keep_work=activity.is_worker_shutdown())
    if activity.is_worker_shutdown():
        raise Stopped("this worker is going down; the job goes on from its last checkpoint", keep_work=True)


def wait(seconds: float) -> None:
    """Sleeps, but not through a cancellation."""
    activity.wait_for_cancelled_sync(seconds)
    check()
