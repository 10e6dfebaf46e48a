"""The data sets of the bench as features and labels.

The digits and the synthetic ones come with scikit-learn; all others are looked for below LAZARET_DATA and left out where absent.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_breast_cancer, load_digits, load_wine, make_classification
from sklearn.decomposition import PCA
from sklearn.preprocessing import OneHotEncoder, StandardScaler

Array = NDArray[np.float64]
Labels = NDArray[np.int64]


@dataclass(frozen=True)
class DataSet:
    """Features `x` (N, d), centred and scaled; true labels `y` (N,) in 0..K-1; `groups` (N,): records of one group stay in one fold."""

    x: Array
    y: Labels
    groups: Labels


Loader = Callable[[np.random.Generator], DataSet]


def folder() -> Path:
    """Where the data sets are; each in a folder of its own name."""
    return Path(os.environ.get("LAZARET_DATA", "data"))


def load(loaders: Mapping[str, Loader], name: str, rng: np.random.Generator) -> DataSet | None:
    """One data set by name, at most the stated number of records; None where its files are absent."""
    try:
        return loaders[name](rng)
    except FileNotFoundError:
        return None


def digits(_: np.random.Generator) -> DataSet:
    x, y = load_digits(return_X_y=True)
    return whole(x / 16.0, y)


def breast_cancer(_: np.random.Generator) -> DataSet:
    x, y = load_breast_cancer(return_X_y=True)
    return whole(StandardScaler().fit_transform(x), y)


def wine(_: np.random.Generator) -> DataSet:
    x, y = load_wine(return_X_y=True)
    return whole(StandardScaler().fit_transform(x), y)


def synthetic(rng: np.random.Generator) -> DataSet:
    """Gaussian clusters that overlap, with 2 to 20 classes: shapes of arrays that the real sets do not have."""
    classes = int(rng.choice([2, 3, 5, 8, 20]))
    x, y = make_classification(
        n_samples=3000,
        n_features=24,
        n_informative=12,
        n_redundant=4,
        n_classes=classes,
        class_sep=float(rng.uniform(0.6, 2.2)),
        flip_y=0.0,
        weights=list(rng.dirichlet(np.full(classes, 8.0))),
        random_state=int(rng.integers(2**31)),
    )
    return whole(StandardScaler().fit_transform(x), y)


def mnist_images() -> tuple[NDArray[np.uint8], Labels]:
    """All 60,000 images (N, 784), 0..255, and their digits."""
    with gzip.open(folder() / "mnist-train" / "train-images-idx3-ubyte.gz") as file:
        images = np.frombuffer(file.read()[16:], np.uint8).reshape(-1, 784)
    with gzip.open(folder() / "mnist-train" / "train-labels-idx1-ubyte.gz") as file:
        labels = np.frombuffer(file.read()[8:], np.uint8).astype(np.int64)
    return images, labels


def mnist_half(rng: np.random.Generator, first: bool) -> DataSet:
    """3000 of the first or of the last 30,000 images, as 60 principal components."""
    images, labels = mnist_images()
    rows = rng.choice(30_000, 3000, replace=False) + (0 if first else 30_000)
    return whole(components(images[rows] / 255.0, 60), labels[rows])


def gtsrb(rng: np.random.Generator) -> DataSet:
    """Traffic signs, 43 classes: 3000 images as 80 principal components of the grey picture; the frames of a track stay together."""
    with np.load(folder() / "gtsrb-cs50-32x32" / "gtsrb32.npz") as file:
        images, y, track = file["X"], file["y"].astype(np.int64), file["track"].astype(np.int64)
    rows = rng.choice(len(y), 3000, replace=False)
    grey = images[rows].astype(np.float64).mean(axis=3)
    grey = (grey - grey.mean(axis=(1, 2), keepdims=True)) / (grey.std(axis=(1, 2), keepdims=True) + 1e-6)
    return DataSet(components(grey.reshape(len(rows), -1), 80), y[rows], y[rows] * 10_000 + track[rows])


def adult(rng: np.random.Generator) -> DataSet:
    rows = table(folder() / "uci-adult" / "adult.data.gz", skip=0, strip=True)
    rows = [row for row in rows if len(row) == 15]
    return tabular(rows, 14, [1, 3, 5, 6, 7, 8, 9, 13], [], lambda value: int(value.startswith(">")), rng)


def credit_default(rng: np.random.Generator) -> DataSet:
    rows = table(folder() / "uci-credit-default" / "UCI_Credit_Card.csv.gz", skip=1)
    return tabular(rows, 24, [2, 3, 4], [0], lambda value: int(float(value)), rng)


def german_credit(rng: np.random.Generator) -> DataSet:
    path = folder() / "uci-german-credit" / "germancredit.csv"
    rows = list(csv.reader(io.StringIO(path.read_text())))
    header, rows = rows[0], rows[1:]
    target = header.index("creditability")
    words = [at for at in range(len(header)) if at != target and not numeric(rows[0][at])]
    return tabular(rows, target, words, [], lambda value: int(value in {"bad", "0"}), rng)


def nsl_kdd(rng: np.random.Generator) -> DataSet:
    """Intrusion detection, four classes: normal, denial of service, probe, and remote-to-local with user-to-root."""
    rows = table(folder() / "nsl-kdd-train20" / "KDDTrain+_20Percent.txt.gz", skip=0)
    return tabular(rows, 41, [1, 2, 3], [42], lambda value: next((at for at, names in enumerate(KDD) if value in names), 1), rng)


KDD = (
    {"normal"},
    {"back", "land", "neptune", "pod", "smurf", "teardrop"},
    {"satan", "ipsweep", "nmap", "portsweep"},
    {
        "guess_passwd",
        "ftp_write",
        "imap",
        "phf",
        "multihop",
        "warezmaster",
        "warezclient",
        "spy",
        "buffer_overflow",
        "loadmodule",
        "perl",
        "rootkit",
    },
)


def numeric(value: str) -> bool:
    try:
        float(value)
    except ValueError:
        return False
    return True


def table(path: Path, skip: int, strip: bool = False) -> list[list[str]]:
    with gzip.open(path, "rt") as file:
        rows = [row for row in csv.reader(file, skipinitialspace=strip) if row]
    return rows[skip:]


def tabular(
    rows: list[list[str]], target: int, words: list[int], left_out: list[int], label: Callable[[str], int], rng: np.random.Generator
) -> DataSet:
    """At most 3000 records; words one-hot, numbers as signed logarithms where they are large, all scaled."""
    if len(rows) > 3000:
        rows = [rows[at] for at in rng.choice(len(rows), 3000, replace=False)]
    y = np.array([label(row[target]) for row in rows])
    skipped = {target, *words, *left_out}
    numbers = np.array([[float(value) for at, value in enumerate(row) if at not in skipped] for row in rows])
    numbers = np.sign(numbers) * np.log1p(np.abs(numbers))
    one_hot = OneHotEncoder(sparse_output=False, min_frequency=10, handle_unknown="ignore")
    coded = one_hot.fit_transform([[row[at] for at in words] for row in rows])
    return whole(np.hstack([StandardScaler().fit_transform(numbers), coded]), y)


def components(x: Array, count: int) -> Array:
    reduced = PCA(count, random_state=0, svd_solver="randomized").fit_transform(x)
    return reduced / reduced.std()


def whole(x: Array, y: Labels) -> DataSet:
    return DataSet(np.asarray(x, np.float64), np.asarray(y, np.int64), np.arange(len(y)))


LOADERS: dict[str, Loader] = {
    "digits": digits,
    "breast-cancer": breast_cancer,
    "wine": wine,
    "synthetic": synthetic,
    "mnist-a": lambda rng: mnist_half(rng, first=True),
    "mnist-b": lambda rng: mnist_half(rng, first=False),
    "gtsrb": gtsrb,
    "adult": adult,
    "credit-default": credit_default,
    "german-credit": german_credit,
    "nsl-kdd": nsl_kdd,
}
