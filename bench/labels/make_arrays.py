"""Noisy labels and the out-of-sample probabilities of ordinary models: the arrays that `bench:labels` examines.

    python make_arrays.py --out FOLDER --part development|report|quick

Writes per case p.npy (N, K) float32, labels.npy and truth.npy (N,) int64, and one manifest.json for all. Out of sample means stratified
cross-validation (by group where records belong together): no record was seen by the model that judges it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
import zlib
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from datasets import LOADERS, DataSet, load
from development_sets import DEVELOPMENT_LOADERS
from noise import KINDS, corrupt
from sklearn.base import ClassifierMixin
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier

MODELS = ("logistic", "trees", "network")
# Also learned from, and not reported on: probabilities that are all zeros and ones, coarse, or far too sure of themselves.
OTHER_MODELS = ("forest", "neighbours", "bayes")


@dataclass(frozen=True)
class Part:
    """Data sets, noise and seeds. Where `drawn` is set, so many of the rates are drawn per kind of noise; where `others` is, so often
    a model is one of OTHER_MODELS. Each noise is judged by one model of its own, or by `all_models`."""

    sets: tuple[str, ...]
    kinds: tuple[str, ...]
    rates: tuple[float, ...]
    seeds: tuple[int, ...]
    drawn: int | None = None
    others: float = 0.0
    all_models: bool = False


# The method was developed on the first part alone. The other parts have other data sets, or other records of a set, and other seeds.
PARTS = {
    "development": Part(
        ("digits", "mnist-a", "adult", "breast-cancer", "wine", "synthetic", *DEVELOPMENT_LOADERS),
        KINDS,
        (0.02, 0.05, 0.1, 0.15, 0.2, 0.3, 0.4),
        (1, 2),
        drawn=2,
        others=0.2,
    ),
    "report": Part(
        ("mnist-b", "gtsrb", "credit-default", "german-credit", "nsl-kdd"),
        KINDS,
        (0.05, 0.1, 0.2, 0.3, 0.4),
        (211, 212),
    ),
    "quick": Part(("digits",), ("symmetric", "asymmetric", "instance"), (0.1, 0.3), (911,), all_models=True),
}


def model(name: str, classes: int, seed: int) -> ClassifierMixin:
    if name == "logistic":
        return LogisticRegression(max_iter=60, C=1.0)
    if name == "trees":
        if classes == 2:
            return HistGradientBoostingClassifier(max_iter=60, random_state=seed)
        return ExtraTreesClassifier(100, min_samples_leaf=2, random_state=seed)
    if name == "forest":
        return RandomForestClassifier(100, random_state=seed)
    if name == "neighbours":
        return KNeighborsClassifier(15)
    if name == "bayes":
        return GaussianNB(var_smoothing=1e-3)
    return MLPClassifier((64,), max_iter=20, alpha=1e-3, random_state=seed)


def out_of_sample(name: str, data: DataSet, given: np.ndarray, seed: int, folds: int = 4) -> np.ndarray:
    """(N, K) probabilities, each row by a model that was trained without that record."""
    classes = int(data.y.max()) + 1
    grouped = len(np.unique(data.groups)) < len(given)
    split = (StratifiedGroupKFold if grouped else StratifiedKFold)(folds, shuffle=True, random_state=seed)
    p = np.zeros((len(given), classes))
    for train, test in split.split(data.x, given, data.groups):
        fitted = model(name, classes, seed).fit(data.x[train], given[train])
        p[np.ix_(test, fitted.classes_)] = fitted.predict_proba(data.x[test])
    return p / p.sum(axis=1, keepdims=True)


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--out", type=Path, required=True)
    arguments.add_argument("--part", choices=PARTS, required=True)
    arguments.add_argument("--sets", help="only these, by comma")
    arguments.add_argument("--seeds", help="only these, by comma")
    arguments.add_argument("--processes", type=int, default=1)
    wish = arguments.parse_args()
    part = PARTS[wish.part]
    sets = wish.sets.split(",") if wish.sets else part.sets
    seeds = [int(seed) for seed in wish.seeds.split(",")] if wish.seeds else part.seeds
    wish.out.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(wish.processes) as pool:
        made = pool.map(make, *zip(*((part, name, seed, wish.out) for name, seed in product(sets, seeds)), strict=True))
        cases = [case for cases in made for case in cases]
    (wish.out / "manifest.json").write_text(json.dumps(cases, indent=1))


def make(part: Part, name: str, seed: int, out: Path) -> list[dict]:
    """Writes the cases of one data set and seed; answers what the manifest says of them."""
    warnings.filterwarnings("ignore")
    data = load(LOADERS | DEVELOPMENT_LOADERS, name, np.random.default_rng([seed, zlib.crc32(name.encode())]))
    if data is None:
        print(f"{name}: its files are absent, left out", file=sys.stderr, flush=True)
        return []
    print(f"{name}, seed {seed}", file=sys.stderr, flush=True)
    cases = []
    for kind, rate, judges in plan(part, np.random.default_rng([seed, zlib.crc32(f"{name} plan".encode())])):
        rng = np.random.default_rng([seed, zlib.crc32(f"{name} {kind}".encode()), int(rate * 100)])
        given = corrupt(kind, rate, data.x, data.y, rng)
        for judge in judges:
            case = f"{name}-{kind}-{round(rate * 100)}-{judge}-{seed}"
            (out / case).mkdir(parents=True, exist_ok=True)
            np.save(out / case / "p.npy", out_of_sample(judge, data, given, seed).astype(np.float32))
            np.save(out / case / "labels.npy", given.astype(np.int64))
            np.save(out / case / "truth.npy", data.y)
            cases.append({"case": case, "set": name, "kind": kind, "rate": rate, "model": judge, "seed": seed})
    return cases


def plan(part: Part, rng: np.random.Generator) -> Iterator[tuple[str, float, tuple[str, ...]]]:
    """Kinds and rates of noise, each with the models that judge it."""
    for kind in part.kinds:
        for rate in part.rates if part.drawn is None else rng.choice(part.rates, part.drawn, replace=False):
            one = str(rng.choice(OTHER_MODELS if rng.random() < part.others else MODELS))
            yield kind, float(rate), MODELS if part.all_models else (one,)


if __name__ == "__main__":
    main()
