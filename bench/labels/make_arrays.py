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
from itertools import product
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from datasets import DataSet, load
from noise import corrupt
from sklearn.base import ClassifierMixin
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.neural_network import MLPClassifier

# The method was developed on the first part alone. The other parts have other data sets, or other records of a set, and other seeds.
PARTS = {
    "development": {
        "sets": ("digits", "mnist-a", "adult", "breast-cancer", "wine", "synthetic"),
        "kinds": ("symmetric", "asymmetric", "sparse", "instance", "ambiguous"),
        "rates": (0.05, 0.1, 0.2, 0.4),
        "seeds": (1, 2),
    },
    "report": {
        "sets": ("mnist-b", "gtsrb", "credit-default", "german-credit", "nsl-kdd"),
        "kinds": ("symmetric", "asymmetric", "sparse", "instance", "ambiguous"),
        "rates": (0.05, 0.1, 0.2, 0.3, 0.4),
        "seeds": (101,),
    },
    "quick": {
        "sets": ("digits",),
        "kinds": ("symmetric", "asymmetric", "instance"),
        "rates": (0.1, 0.3),
        "seeds": (901,),
    },
}
MODELS = ("logistic", "trees", "network")


def model(name: str, classes: int, seed: int) -> ClassifierMixin:
    if name == "logistic":
        return LogisticRegression(max_iter=60, C=1.0)
    if name == "trees":
        if classes == 2:
            return HistGradientBoostingClassifier(max_iter=60, random_state=seed)
        return ExtraTreesClassifier(100, min_samples_leaf=2, random_state=seed)
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
    wish = arguments.parse_args()
    warnings.filterwarnings("ignore")
    part = PARTS[wish.part]
    sets = wish.sets.split(",") if wish.sets else part["sets"]
    seeds = [int(seed) for seed in wish.seeds.split(",")] if wish.seeds else part["seeds"]
    cases = []
    for at, (name, seed) in enumerate(product(sets, seeds)):
        data = load(name, np.random.default_rng([seed, zlib.crc32(name.encode())]))
        if data is None:
            print(f"{name}: its files are absent, left out", file=sys.stderr)
            continue
        print(f"{name}, seed {seed} ({at + 1} of {len(sets) * len(seeds)})", file=sys.stderr, flush=True)
        cases += make(name, data, seed, part, wish.out)
    wish.out.mkdir(parents=True, exist_ok=True)
    (wish.out / "manifest.json").write_text(json.dumps(cases, indent=1))


def make(name: str, data: DataSet, seed: int, part: dict, out: Path) -> list[dict]:
    cases = []
    for kind, rate in product(part["kinds"], part["rates"]):
        rng = np.random.default_rng([seed, zlib.crc32(f"{name} {kind}".encode()), int(rate * 100)])
        given = corrupt(kind, rate, data.x, data.y, rng)
        for judge in MODELS:
            case = f"{name}-{kind}-{round(rate * 100)}-{judge}-{seed}"
            (out / case).mkdir(parents=True, exist_ok=True)
            np.save(out / case / "p.npy", out_of_sample(judge, data, given, seed).astype(np.float32))
            np.save(out / case / "labels.npy", given.astype(np.int64))
            np.save(out / case / "truth.npy", data.y)
            cases.append({"case": case, "set": name, "kind": kind, "rate": rate, "model": judge, "seed": seed})
    return cases


if __name__ == "__main__":
    main()
