"""One explanation from its references to its result. Knows neither Temporal nor S3."""

import dataclasses
import json
from typing import Any

import numpy as np

from . import dataset
from .attribution import Explanation, Labelled, explain
from .attribution.dormant import Dormancy
from .contract import (
    ExplainJob,
    ExplainResult,
    ExplainResultDormant,
    ExplainResultDormantGolden,
    ExplainResultDormantSuspect,
    ExplainResultLayers,
    ExplainResultLayersParted,
    ExplainResultPatterns,
    ExplainResultPatternsClasses,
    ExplainResultPatternsClean,
    Influences,
    ObjectRef,
    SaliencyMap,
    write,
)
from .examinations import ExaminationDesk
from .failures import TrainerFailure
from .graph import InvalidModel, UnsupportedOperator

LONGEST_NAME = 500


def explained(job: ExplainJob, desk: ExaminationDesk) -> ExplainResult:
    """Looks into both models. Raises TrainerFailure, Stopped. The same job gives the same figures."""
    started = desk.now().isoformat()
    ends = desk.clock() + job.seconds

    def check() -> None:
        desk.check()
        if desk.clock() > ends:
            raise TrainerFailure("trainer/budget-exceeded", f"the explanation took more than {job.seconds:g} s")

    desk.report("reading the models and the records")
    suspect, golden = (desk.storage.get(each, missing="trainer/bad-job") for each in (job.suspect, job.golden))
    probes = dataset.load(job.probes, desk.storage)
    records = None if job.records is None else dataset.load(job.records, desk.storage)
    shape = probes.features.shape[1:]
    if records is not None and records.features.shape[1:] != shape:
        raise TrainerFailure("trainer/bad-job", f"training records of shape {list(records.features.shape[1:])}, probes of {list(shape)}")
    requests = _requests(desk.storage.get(job.requests.object, missing="trainer/bad-job"), (job.requests.count, *shape))
    try:
        found = explain(
            suspect,
            golden,
            Labelled(probes.features, probes.labels),
            None if records is None else Labelled(records.features, records.labels),
            requests,
            seed=job.seed,
            progress=desk.report,
            check=check,
        )
    except UnsupportedOperator as error:
        raise TrainerFailure("trainer/unsupported-operator", str(error)) from error
    except InvalidModel as error:
        raise TrainerFailure("trainer/bad-job", str(error)) from error

    def put(value: Any, name: str) -> ObjectRef:
        return desk.storage.put(json.dumps(value, separators=(",", ":"), allow_nan=False).encode(), "application/json", name)

    ids = () if records is None else records.ids
    map_, influences = saliency_map(found), influences_of(found, ids)
    return ExplainResult(
        schema="lazaret.explain-result/v1",
        job_id=job.job_id,
        **figures(found, len(requests)),
        saliency=None if map_ is None else put(write(map_), "saliency.json"),
        influence=None if influences is None else put(write(influences), "influences.json"),
        report=put(report(found), "explanation.json"),
        started_at=started,
        finished_at=desk.now().isoformat(),
    )


def figures(found: Explanation, requests: int) -> dict[str, Any]:
    """What stands in the result itself, as its fields."""
    lit = {} if found.dormancy is None else {each.layer: each for each in found.dormancy[0].layers}
    return {
        "requests": requests,
        "suspects": len(found.suspects),
        "layers": tuple(
            ExplainResultLayers(
                name=each.suspect[:LONGEST_NAME],
                units=each.units,
                clean=each.clean,
                requests=each.requests,
                p_value=each.p_value,
                silent=lit[each.suspect].silent if each.suspect in lit else 0,
                lit=lit[each.suspect].lit if each.suspect in lit else 0,
                parted=each.departure and ExplainResultLayersParted(**dataclasses.asdict(each.departure)),
            )
            for each in found.layers
        ),
        "dormant": found.dormancy
        and ExplainResultDormant(
            suspect=ExplainResultDormantSuspect(**_loudest(found.dormancy[0])),
            golden=ExplainResultDormantGolden(**_loudest(found.dormancy[1])),
        ),
        "patterns": found.patterns
        and ExplainResultPatterns(
            outside=found.patterns.outside,
            of=found.patterns.of,
            clean=ExplainResultPatternsClean(outside=found.patterns.clean_outside, n=found.patterns.clean),
            classes=tuple(ExplainResultPatternsClasses(**dataclasses.asdict(each)) for each in found.patterns.classes),
        ),
    }


def _loudest(of: Dormancy) -> dict[str, Any]:
    return {"layer": of.layer[:LONGEST_NAME], "unit": of.unit, "silent": of.silent, "lit": of.lit, "p_value": of.p_value}


def saliency_map(found: Explanation) -> SaliencyMap | None:
    if found.saliency is None:
        return None
    values = found.saliency.values
    return SaliencyMap(
        schema="lazaret.saliency/v1",
        shape=tuple(values.shape),
        values=tuple(np.clip(values, 0, 1).ravel().tolist()),
        mean=tuple(found.saliency.mean.astype(float).ravel().tolist()),
        requests=found.saliency.requests,
        missed=found.saliency.missed,
    )


def influences_of(found: Explanation, ids: tuple[str, ...]) -> Influences | None:
    if len(found.influence) == 0:
        return None
    return Influences(
        schema="lazaret.influences/v1",
        ids=tuple(ids[row] for row in found.weighed),
        scores=tuple(found.influence.tolist()),
        clean=tuple(found.clean_influence.tolist()),
    )


def report(found: Explanation) -> dict[str, Any]:
    """All figures that are no map of their own."""
    return {
        "suspects": found.suspects.tolist(),
        "layers": [dataclasses.asdict(each) for each in found.layers],
        "dormancy": found.dormancy and [dataclasses.asdict(each) for each in found.dormancy],
        "patterns": found.patterns and dataclasses.asdict(found.patterns),
        "saliency": found.saliency and {"requests": found.saliency.requests, "missed": found.saliency.missed},
        "records": len(found.weighed),
    }


def _requests(content: bytes, shape: tuple[int, ...]) -> np.ndarray:
    if len(content) != 4 * int(np.prod(shape)):
        raise TrainerFailure(
            "trainer/bad-job", f"the requests are {len(content)} bytes, not those of {shape[0]} records of {list(shape[1:])}"
        )
    numbers = np.frombuffer(content, "<f4").reshape(shape).astype(np.float32)
    if not np.isfinite(numbers).all():
        raise TrainerFailure("trainer/bad-job", "the requests hold numbers that are not finite")
    return numbers
