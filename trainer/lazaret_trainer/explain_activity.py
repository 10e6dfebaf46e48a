"""The activity `explain` of the contract: the manners of `examine`."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from temporalio import activity
from temporalio.exceptions import CancelledError

from . import explanations
from .activity import check, told, wait
from .contract import ContractError, ExplainJob, read, write
from .examinations import ExaminationDesk
from .failures import Stopped, TrainerFailure
from .pulse import Pulse
from .storage import S3Storage

LOG = logging.getLogger(__name__)


def explain_activity(storage: S3Storage) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Makes the activity for one worker. It blocks its thread, and computes one job at a time."""

    @activity.defn(name="explain", no_thread_cancel_exception=True)
    def explain(value: dict[str, Any]) -> dict[str, Any]:
        try:
            job = read(ExplainJob, value)
        except ContractError as error:
            raise told(TrainerFailure("trainer/bad-job", str(error))) from None
        about = {"job": job.job_id, "attempt": activity.info().attempt}
        LOG.info("took the explanation", extra=about)
        pulse = Pulse("starting", job.seconds)
        with pulse:
            desk = ExaminationDesk(
                storage=storage.waiting_with(wait),
                report=pulse.take,
                check=check,
                now=lambda: datetime.now(UTC),
                clock=time.monotonic,
            )
            try:
                result = explanations.explained(job, desk)
            except TrainerFailure as failure:
                LOG.error("%s: %s", failure.kind, failure, extra=about)
                raise told(failure) from None
            except Stopped as stopped:
                LOG.warning("stopped the explanation: %s", stopped, extra=about)
                if stopped.keep_work:
                    raise told(TrainerFailure("trainer/worker-stopped", str(stopped))) from None
                raise CancelledError(str(stopped)) from None
        LOG.info("finished the explanation", extra={**about, "suspects": result.suspects})
        return write(result)

    return explain
