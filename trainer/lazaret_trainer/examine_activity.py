"""The activity `examine` of the contract: the same manners as `train`, without checkpoints, because it takes a minute and not hours."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from temporalio import activity
from temporalio.exceptions import CancelledError

from . import examinations
from .activity import check, told, wait
from .contract import ContractError, ExamineJob, read, write
from .failures import Stopped, TrainerFailure
from .pulse import Pulse
from .storage import S3Storage

LOG = logging.getLogger(__name__)


def examine_activity(storage: S3Storage) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Makes the activity for one worker. It blocks its thread, and computes one job at a time."""

    @activity.defn(name="examine", no_thread_cancel_exception=True)
    def examine(value: dict[str, Any]) -> dict[str, Any]:
        try:
            job = read(ExamineJob, value)
        except ContractError as error:
            raise told(TrainerFailure("trainer/bad-job", str(error))) from None
        about = {"job": job.job_id, "attempt": activity.info().attempt}
        LOG.info("took the examination", extra=about)
        pulse = Pulse("starting", job.seconds)
        with pulse:
            desk = examinations.ExaminationDesk(
                storage=storage.waiting_with(wait),
                report=pulse.take,
                check=check,
                now=lambda: datetime.now(UTC),
                clock=time.monotonic,
            )
            try:
                result = examinations.examine(job, desk)
            except TrainerFailure as failure:
                LOG.error("%s: %s", failure.kind, failure, extra=about)
                raise told(failure) from None
            except Stopped as stopped:
                LOG.warning("stopped the examination: %s", stopped, extra=about)
                if stopped.keep_work:
                    raise told(TrainerFailure("trainer/worker-stopped", str(stopped))) from None
                raise CancelledError(str(stopped)) from None
        LOG.info("finished the examination", extra={**about, "verdict": result.verdict})
        return write(result)

    return examine
