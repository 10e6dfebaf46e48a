"""How the requests that suspect and golden model answer differently went through both."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..graph import InvalidModel
from .divergence import LayerDivergence, divergence
from .dormant import Dormancy, dormancy
from .influence import influence
from .layers import Activations, Anatomy, anatomy
from .patterns import OUTSIDE, fitted
from .saliency import Saliency, saliency

FEWEST_SUSPECTS = 5
"""Fewer requests that the models answer differently are an anecdote: honest models differ on some."""
MOST_SUSPECTS = 500
MOST_PROBES = 500
MOST_RECORDS = 20_000
"""Training records that are weighed; more are drawn by lot."""


@dataclass(frozen=True, slots=True)
class AnsweredClass:
    answered: int
    requests: int
    outside: int
    nearest: int
    """The class whose pattern in the golden model most of these requests are nearest to."""
    near: int
    """How many are."""


@dataclass(frozen=True, slots=True)
class PatternFigures:
    outside: int
    of: int
    """Suspect requests that were answered a class whose pattern is known."""
    clean_outside: int
    clean: int
    classes: list[AnsweredClass]


@dataclass(frozen=True, slots=True)
class Explanation:
    suspects: np.ndarray
    """Rows of the requests that are explained, int."""
    layers: list[LayerDivergence]
    dormancy: tuple[Dormancy, Dormancy] | None
    """Of the suspect and of the golden model; None where there is too little to explain, as below."""
    patterns: PatternFigures | None
    saliency: Saliency | None
    weighed: np.ndarray
    """Rows of the training records that have an influence, int."""
    influence: np.ndarray
    """Of those; empty where there is nothing to explain or the records are not known."""
    clean_influence: np.ndarray
    """Of the clean records, as if they had been trained on."""


@dataclass(frozen=True, slots=True)
class Labelled:
    """x float32 [N, …record], y int32 [N]."""

    x: np.ndarray
    y: np.ndarray

    def of(self, rows: np.ndarray) -> "Labelled":
        return Labelled(self.x[rows], self.y[rows])


def explain(
    suspect: bytes,
    golden: bytes,
    probes: Labelled,
    records: Labelled | None,
    requests: np.ndarray,
    *,
    seed: int,
    progress: Callable[[str], None],
    check: Callable[[], None],
) -> Explanation:
    """probes clean and unseen by the suspect, records what it was trained on, requests float32 [N, …record], N ≥ 1; `check` raises to stop.

    Deterministic in its arguments on one kind of machine. Raises InvalidModel and UnsupportedOperator where a model cannot be read.
    """
    progress("reading the layers")
    models = [anatomy(content, probes.x.shape[1:], int(probes.y.max()) + 1) for content in (suspect, golden)]
    if models[0].classes != models[1].classes:
        raise InvalidModel(f"the suspect tells {models[0].classes} classes apart, the golden model {models[1].classes}")
    random = np.random.default_rng(seed)
    probes = probes.of(random.permutation(len(probes.y))[:MOST_PROBES])
    clean = [_read(model, probes.x, check) for model in models]
    asked = [_read(model, requests, check) for model in models]
    rows = np.flatnonzero(asked[0].answers != asked[1].answers)[-MOST_SUSPECTS:]
    asked = [each.of(rows) for each in asked]
    progress(f"{len(rows)} of {len(requests)} requests are answered differently")
    layers = divergence((clean[0], clean[1]), (asked[0], asked[1]), seed)
    none = np.empty(0)
    if len(rows) < FEWEST_SUSPECTS:
        return Explanation(rows, layers, None, None, None, none.astype(int), none, none)

    dormant = dormancy(clean[0], asked[0]), dormancy(clean[1], asked[1])
    patterns = _patterns(clean, asked, seed)
    check()
    progress("following the gradients")
    baselines = _baselines(probes.x, clean[1].answers, asked[1].answers)
    shown = saliency(models[0].network, models[1].network, requests[rows], asked[0].answers, asked[1].answers, baselines)
    weighed = none.astype(int)
    scores = [none, none]
    if records is not None:
        progress("weighing the training records")
        weighed = np.sort(random.permutation(len(records.y))[:MOST_RECORDS])
        told = records.of(weighed)
        centres = clean[0].features.mean(0), clean[1].features.mean(0)
        for place, each in enumerate((told, probes)):
            seen = clean if each is probes else [_read(model, each.x, check) for model in models]
            scores[place] = influence((seen[0], asked[0]), (seen[1], asked[1]), centres, each.y, asked[0].answers)
    return Explanation(rows, layers, dormant, patterns, shown, weighed, scores[0], scores[1])


def _read(model: Anatomy, x: np.ndarray, check: Callable[[], None]) -> Activations:
    check()
    return model.read(x)


def _patterns(clean: list[Activations], asked: list[Activations], seed: int) -> PatternFigures | None:
    own, theirs = (fitted(each.features, each.answers, seed) for each in clean)
    if own is None or theirs is None:
        return None
    answers = asked[0].answers
    known = np.isin(answers, own.classes)
    outside = np.nan_to_num(own.p_values(asked[0].features, answers), nan=1.0) <= OUTSIDE
    nearest = theirs.nearest(asked[1].features)
    classes = []
    for answered in np.unique(answers):
        mine = answers == answered
        counts = np.bincount(nearest[mine])
        most = int(counts.argmax())
        classes.append(AnsweredClass(int(answered), int(mine.sum()), int(outside[mine].sum()), most, int(counts[most])))
    return PatternFigures(int(outside.sum()), int(known.sum()), int(OUTSIDE * len(own.clean)), len(own.clean), classes)


def _baselines(x: np.ndarray, answers: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """The mean of the clean records that are answered as wanted; of all where none is."""
    means = {each: x[answers == each].mean(0) for each in np.unique(answers)}
    everything = x.mean(0)
    return np.stack([means.get(each, everything) for each in wanted])
