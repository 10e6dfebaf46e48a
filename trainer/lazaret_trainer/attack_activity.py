"""The activity `attack` of the contract: the manners of `examine`."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from temporalio import activity
from temporalio.exceptions import CancelledError

from .activity import check, told, wait
from .contract import ContractError, RobustnessJob, read, write
from .failures import Stopped, TrainerFailure
from .pulse import Pulse
from .robustness.measuring import MeasuringDesk, measure
from .storage import S3Storage

LOG = logging.getLogger(__name__)


def attack_activity(storage: S3Storage) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Makes the activity for one worker. It blocks its thread, and computes one job at a time."""

    @activity.defn(name="attack", no_thread_cancel_exception=True)
    def attack(value: dict[str, Any]) -> dict[str, Any]:
        try:
            job = read(RobustnessJob, value)
        except ContractError as error:
            raise told(TrainerFailure("trainer/bad-job", str(error))) from None
        about = {"job": job.job_id, "attempt": activity.info().attempt}
        LOG.info("took the attack", extra=about)
        pulse = Pulse("starting", job.seconds)
        with pulse:
            desk = MeasuringDesk(
                storage=storage.waiting_with(wait), report=pulse.take, check=check, now=lambda: datetime.now(UTC), clock=time.monotonic
            )
            try:
                result = measure(job, desk)
            except TrainerFailure as failure:
                LOG.error("%s: %s", failure.kind, failure, extra=about)
                raise told(failure) from None
            except Stopped as stopped:
                LOG.warning("stopped the attack: %s", stopped, extra=about)
                if stopped.keep_work:
                    raise told(TrainerFailure("trainer/worker-stopped", str(stopped))) from None
                raise CancelledError(str(stopped)) from None
        LOG.info("finished the attack", extra={**about, "restarts": result.restarts})
        return write(result)

    return attack
