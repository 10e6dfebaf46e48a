"""Questions that a trainer answers beside `train`: the same manners, without checkpoints, because they take minutes and not hours."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from temporalio import activity
from temporalio.exceptions import CancelledError

from . import examinations, explanations
from .activity import check, told, wait
from .contract import ContractError, ExamineJob, ExplainJob, RobustnessJob, read, write
from .examinations import ExaminationDesk
from .failures import Stopped, TrainerFailure
from .pulse import Pulse
from .robustness import measuring
from .storage import S3Storage

LOG = logging.getLogger(__name__)

Activity = Callable[[dict[str, Any]], dict[str, Any]]


def question_activities(storage: S3Storage) -> list[Activity]:
    """The activities `examine`, `explain` and `attack` of the contract for one worker."""
    return [
        _question("examine", ExamineJob, examinations.examine, storage),
        _question("explain", ExplainJob, explanations.explained, storage),
        _question("attack", RobustnessJob, measuring.measure, storage),
    ]


def _question(name: str, kind: type[Any], answer: Callable[[Any, ExaminationDesk], Any], storage: S3Storage) -> Activity:
    """An activity that blocks its thread, and computes one job at a time."""

    @activity.defn(name=name, no_thread_cancel_exception=True)
    def question(value: dict[str, Any]) -> dict[str, Any]:
        try:
            job = read(kind, value)
        except ContractError as error:
            raise told(TrainerFailure("trainer/bad-job", str(error))) from None
        about = {"question": name, "job": job.job_id, "attempt": activity.info().attempt}
        LOG.info("took a question", extra=about)
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
                result = answer(job, desk)
            except TrainerFailure as failure:
                LOG.error("%s: %s", failure.kind, failure, extra=about)
                raise told(failure) from None
            except Stopped as stopped:
                LOG.warning("stopped: %s", stopped, extra=about)
                if stopped.keep_work:
                    raise told(TrainerFailure("trainer/worker-stopped", str(stopped))) from None
                raise CancelledError(str(stopped)) from None
        LOG.info("answered", extra=about)
        return write(result)

    return question
