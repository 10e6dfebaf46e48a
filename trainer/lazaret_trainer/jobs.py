"""One training job from its references to its result. Knows neither Temporal nor S3."""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from . import provenance
from .checkpoints import Checkpoint, Checkpoints
from .contract import ObjectRef, TrainBudget, TrainJob, TrainProgress, TrainResult
from .curves import Curves
from .failures import Stopped, TrainerFailure
from .objectives import Course, Material, State, course
from .storage import Storage

LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Desk:
    """What a job needs of the world."""

    storage: Storage
    worker: str
    report: Callable[[TrainProgress], None]
    """Takes the newest progress; MUST return at once."""
    check: Callable[[], None]
    """Raises Stopped when the job was cancelled or the worker is going down; called between steps."""
    now: Callable[[], datetime]
    clock: Callable[[], float]
    """Seconds, monotonic."""


def train(job: TrainJob, desk: Desk) -> TrainResult:
    """Runs the job, or goes on with it, or answers at once where it is done. Raises TrainerFailure, Stopped."""
    if set(job.job_id) == {"."}:
        raise TrainerFailure("trainer/bad-job", "the jobId is part of a key: it must not be . or ..")
    checkpoints = Checkpoints(job, provenance.code_digest(), desk.storage)
    finished = checkpoints.finished()
    if finished is not None:
        return finished

    began = desk.clock()
    # Everything that can be refused is refused here, before the first step.
    training = course(Material(job, desk.storage, checkpoints.secret))
    if training.steps > job.budget.steps and not training.held:
        raise TrainerFailure("trainer/budget-exceeded", f"the job takes {training.steps} steps, its budget is {job.budget.steps}")
    run = _Run(job, desk, training, checkpoints, began)
    state = training.run(run.first, run.between_steps)
    stopped = training.ended(state) or "budget"
    if stopped == "budget":
        state = training.judged(state)

    figures = {**training.figures(state), **({"heldBackScore": state.best.score, "bestStep": float(state.best.step)} if state.best else {})}
    result = TrainResult(
        schema="lazaret.train-result/v1",
        job_id=job.job_id,
        artifact=desk.storage.put(training.weights(state), job.base.media_type, job.base.name),
        curve=_put_curve(state, desk.storage),
        steps=state.step,
        records=len(training.records.labels),
        final_loss=state.curve[-1].loss,
        figures=figures or None,
        stopped=None if stopped == "done" else stopped,
        resumed_at_steps=run.resumed_at_steps,
        started_at=run.started_at,
        finished_at=desk.now().isoformat(),
        environment=provenance.environment(),
    )
    checkpoints.finish(result)
    return result


def seconds_of(budget: TrainBudget) -> float:
    """Seconds of one device that seconds and money allow. The money of an hour of a device is the owner's to know."""
    money = budget.money
    return min(budget.seconds, 3600 * money.most / money.per_device_hour) if money else budget.seconds


def _put_curve(state: State, storage: Storage) -> ObjectRef:
    points = [{"step": point.step, "epoch": point.epoch, "loss": point.loss} for point in state.curve]
    return storage.put(json.dumps(points, separators=(",", ":")).encode(), "application/json", "curve.json")


class _Run:
    """What happens between the steps: progress, budget, checkpoints, stopping. Starts from the newest checkpoint."""

    def __init__(self, job: TrainJob, desk: Desk, course: Course, checkpoints: Checkpoints, began: float):
        self._job, self._desk, self._course, self._checkpoints, self._began = job, desk, course, checkpoints, began
        start = course.start()
        found = checkpoints.newest(start)
        self.first = found.state if found else start
        self.started_at = found.started_at if found else desk.now().isoformat()
        self.resumed_at_steps = (*found.resumed_at_steps, found.state.step) if found else ()
        self._spent_before = found.spent_seconds if found else 0.0
        self._saved = self.first.step
        self._curves = Curves(self.first.curve)
        if found:
            LOG.info("resumed", extra={"job": job.job_id, "step": found.state.step})

    def between_steps(self, state: State) -> bool:
        """Whether to go on. Fails with trainer/budget-exceeded where there are no best weights to end with."""
        ended = self._course.ended(state) is not None
        if not ended and state.step - self._saved >= self._job.checkpoint_every_steps:
            self._save(state)
        self._report(state)
        try:
            self._desk.check()
        except Stopped as stopped:
            if stopped.keep_work and state.step > self._saved:
                self._save(state)
            raise
        late = self._spent > seconds_of(self._job.budget)
        if ended or not (late or state.step >= self._job.budget.steps):
            return True
        if self._course.held and state.step > 0:
            return False
        raise TrainerFailure(
            "trainer/budget-exceeded",
            f"{self._spent:.0f} s are spent at step {state.step} of {self._course.steps}; the budget is {seconds_of(self._job.budget):g} s",
        )

    @property
    def _spent(self) -> float:
        return self._spent_before + self._desk.clock() - self._began

    def _save(self, state: State) -> None:
        """A checkpoint that cannot be written is no reason to lose the work: the next one is tried in its turn."""
        try:
            self._checkpoints.save(Checkpoint(state, self.started_at, self._spent, self.resumed_at_steps))
            self._saved = state.step
        except TrainerFailure as failure:
            LOG.warning("no checkpoint: %s", failure, extra={"job": self._job.job_id, "step": state.step})

    def _report(self, state: State) -> None:
        self._curves.take(state)
        self._desk.report(
            TrainProgress(
                job_id=self._job.job_id,
                step=state.step,
                steps=self._course.steps,
                epoch=min(state.step, self._course.steps - 1) // self._course.steps_per_epoch,
                loss=state.loss,
                checkpoint_step=self._saved,
                worker=self._desk.worker,
                accuracy=state.seen.accuracy if state.seen else None,
                attack_success=state.seen.attack_success if state.seen else None,
                epsilon=self._course.epsilon(state),
                curve=self._curves.points or None,
            )
        )
