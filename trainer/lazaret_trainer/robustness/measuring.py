"""One measurement from its references to its result. Knows neither Temporal nor S3."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .. import dataset
from ..contract import AttackSpace, ContractError, RobustnessJob, RobustnessResult, RobustnessResultAttacks, TrainJobOptions, read
from ..dataset import Records
from ..examinations import ExaminationDesk
from ..failures import TrainerFailure
from ..graph import GraphModel, InvalidModel, UnsupportedOperator
from ..objectives.material import chosen
from ..objectives.model import checked
from ..storage import Storage
from .ascent import Ascent, Ball, Space, l2_radius

BALLS: tuple[Ball, ...] = ("linf", "l2")


@dataclass(slots=True)
class _Attacked:
    """One model under one norm: which records stand, under all restarts and under those of either loss."""

    ascent: Ascent
    parameters: Any
    right: np.ndarray
    by_loss: dict[bool, np.ndarray] = field(default_factory=dict)

    @property
    def standing(self) -> np.ndarray:
        return np.logical_and.reduce([self.right, *self.by_loss.values()])

    def attack(self, records: Records, ball: Ball, radius: float, job: RobustnessJob, number: int, check: Callable[[], None]) -> None:
        on_margin, of = number % 2 == 1, (records.features, records.labels)
        stands = self.ascent.restart(self.parameters, *of, ball, radius, job.steps, job.seed + number, on_margin, check)
        self.by_loss[on_margin] = self.by_loss.get(on_margin, self.right) & stands


def measure(job: RobustnessJob, desk: ExaminationDesk) -> RobustnessResult:
    """Attacks both models with the same starts. Raises TrainerFailure, Stopped. The same job gives the same answer, if time suffices."""
    started, began = desk.now().isoformat(), desk.clock()
    desk.report("reading the models and the records")
    records, space = _space(job, desk.storage)
    subjects = _subjects(job, desk.storage, records, space)
    radii: dict[Ball, float] = {"linf": job.epsilon, "l2": l2_radius(job.epsilon, int(np.prod(records.features.shape[1:])))}
    attacked: dict[Ball, list[_Attacked]] = {
        ball: [_Attacked(ascent, parameters, ascent.right(parameters, records.features, records.labels)) for ascent, parameters in subjects]
        for ball in BALLS
    }
    done = 0
    for number in range(job.restarts):
        # A restart is whole or not at all: what one model was spared, the other is.
        if number > 0 and (desk.clock() - began) * (number + 1) / number > job.seconds:
            break
        desk.report(f"restart {number + 1} of {job.restarts}")
        for ball, models in attacked.items():
            for model in models:
                model.attack(records, ball, radii[ball], job, number, _deadline(job, desk, began))
        done = number + 1
    return RobustnessResult(
        schema="lazaret.robustness-result/v1",
        job_id=job.job_id,
        attacks=tuple(_told(ball, radii[ball], *models) for ball, models in attacked.items()),
        steps=job.steps,
        restarts=done,
        started_at=started,
        finished_at=desk.now().isoformat(),
    )


def _deadline(job: RobustnessJob, desk: ExaminationDesk, began: float) -> Callable[[], None]:
    def check() -> None:
        desk.check()
        if desk.clock() - began > 2 * job.seconds:
            raise TrainerFailure("trainer/budget-exceeded", f"not one restart ended within {job.seconds:g} s")

    return check


def _space(job: RobustnessJob, storage: Storage) -> tuple[Records, Space]:
    """The records to attack, in the order of the job, and their bounds. Fails with trainer/bad-job, trainer/bad-dataset."""
    try:
        document = read(AttackSpace, json.loads(storage.get(job.space, missing="trainer/bad-job")))
    except (ContractError, ValueError) as error:
        raise TrainerFailure("trainer/bad-job", f"the attack space: {error}") from error
    held = dataset.load(job.dataset, storage)
    rows = {each: row for row, each in enumerate(held.ids)}
    missing = [each for each in document.ids if each not in rows]
    if missing:
        raise TrainerFailure("trainer/bad-job", f"{len(missing)} records to attack are not in the data set, e.g. {json.dumps(missing[0])}")
    records = chosen(held, np.array([rows[each] for each in document.ids], np.int64))
    return records, Space(*(_bound(values, records.features.shape[1:]) for values in (document.low, document.high)))


def _bound(values: tuple[float, ...], shape: tuple[int, ...]) -> np.ndarray:
    if len(values) == 1:
        return np.full(shape, values[0], np.float32)
    if len(values) != np.prod(shape):
        raise TrainerFailure("trainer/bad-job", f"the attack space has bounds for {len(values)} features, records have {np.prod(shape)}")
    return np.array(values, np.float32).reshape(shape)


def _subjects(job: RobustnessJob, storage: Storage, records: Records, space: Space) -> list[tuple[Ascent, Any]]:
    """Candidate and golden model. Where only the weights differ, what was compiled for one serves the other."""
    candidate, golden = (_model(storage.get(ref, missing="trainer/bad-job"), records) for ref in (job.candidate, job.golden))
    first = Ascent(candidate, space)
    return [(first, candidate.parameters), (first if _same_graph(candidate, golden) else Ascent(golden, space), golden.parameters)]


def _model(content: bytes, records: Records) -> GraphModel:
    try:
        model = GraphModel(content)
    except UnsupportedOperator as error:
        raise TrainerFailure("trainer/unsupported-operator", str(error)) from error
    except InvalidModel as error:
        raise TrainerFailure("trainer/bad-job", str(error)) from error
    checked(model, records, len(records.labels), TrainJobOptions())
    return model


def _same_graph(one: GraphModel, other: GraphModel) -> bool:
    shapes = [{name: np.shape(value) for name, value in model.parameters.items()} for model in (one, other)]
    return shapes[0] == shapes[1] and one.with_weights(other.parameters) == other.with_weights(other.parameters)


def _told(ball: Ball, radius: float, candidate: _Attacked, golden: _Attacked) -> RobustnessResultAttacks:
    def word(standing: np.ndarray) -> str:
        return "".join("1" if stands else "0" for stands in standing)

    margin = candidate.by_loss.get(True)
    return RobustnessResultAttacks(
        norm=ball,
        radius=radius,
        candidate=word(candidate.standing),
        golden=word(golden.standing),
        cross_entropy=word(candidate.by_loss[False]),
        margin=None if margin is None else word(margin),
    )
