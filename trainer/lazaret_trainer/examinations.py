"""One examination from its references to its result. Knows neither Temporal nor S3."""

import dataclasses
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from . import dataset
from .contract import ExamineJob, ExamineResult, ExamineResultFlip, MeasuredShare, ObjectRef, write
from .failures import TrainerFailure
from .forensics import BackdoorReport, examine_backdoor
from .graph import InvalidModel, UnsupportedOperator
from .storage import Storage
from .trigger_image import trigger_image

MAX_PROBES = 2_000
"""Records the search works with: more make it slower, and the intervals hardly narrower."""


@dataclass(frozen=True, slots=True)
class ExaminationDesk:
    """What an examination needs of the world."""

    storage: Storage
    report: Callable[[str], None]
    """Takes what is being done now, in a few words; MUST return at once."""
    check: Callable[[], None]
    """Raises Stopped when the job was cancelled or the worker is going down."""
    now: Callable[[], datetime]
    clock: Callable[[], float]
    """Seconds, monotonic."""


def examine(job: ExamineJob, desk: ExaminationDesk) -> ExamineResult:
    """Searches the suspect for a backdoor. Raises TrainerFailure, Stopped. The same job gives the same report."""
    started = desk.now().isoformat()
    ends = desk.clock() + job.seconds

    def check() -> None:
        desk.check()
        if desk.clock() > ends:
            raise TrainerFailure("trainer/budget-exceeded", f"the examination took more than {job.seconds:g} s")

    desk.report("reading the models and the probes")
    suspect = desk.storage.get(job.suspect, missing="trainer/bad-job")
    golden = None if job.golden is None else desk.storage.get(job.golden, missing="trainer/bad-job")
    probes = dataset.load(job.probes, desk.storage)
    chosen = np.random.default_rng(job.seed).permutation(len(probes.labels))[:MAX_PROBES]
    try:
        found = examine_backdoor(
            suspect, golden, probes.features[chosen], probes.labels[chosen], seed=job.seed, progress=desk.report, check=check
        )
    except UnsupportedOperator as error:
        raise TrainerFailure("trainer/unsupported-operator", str(error)) from error
    except InvalidModel as error:
        raise TrainerFailure("trainer/bad-job", str(error)) from error
    return _result(job, found, desk, started)


def _result(job: ExamineJob, found: BackdoorReport, desk: ExaminationDesk, started: str) -> ExamineResult:
    return ExamineResult(
        schema="lazaret.examine-result/v1",
        job_id=job.job_id,
        verdict=found.verdict,
        summary=found.summary[:2000],
        methods=tuple(found.methods),
        target=found.target,
        success=None if found.success is None else MeasuredShare(**dataclasses.asdict(found.success)),
        flip=None if found.flip is None else ExamineResultFlip(**dataclasses.asdict(found.flip)),
        p_value=found.p_value,
        false_alarm_budget=found.false_alarm_budget,
        trigger=_put_trigger(found, desk.storage),
        report=desk.storage.put(_json(found.figures), "application/json", "examination.json"),
        started_at=started,
        finished_at=desk.now().isoformat(),
    )


def _put_trigger(found: BackdoorReport, storage: Storage) -> ObjectRef | None:
    if found.trigger is None:
        return None
    return storage.put(_json(write(trigger_image(found.trigger))), "application/json", "trigger.json")


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
