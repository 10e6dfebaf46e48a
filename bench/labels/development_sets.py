"""Tasks that are developed on alone: other questions put to Adult, the digits and the first half of MNIST; the rest is drawn.

The classes of the reported sets overlap or are unequal, so some of these do too. Every seed draws another size and shape.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from datasets import Array, DataSet, Labels, Loader, adult, components, folder, mnist_images, table, tabular, whole
from sklearn.cluster import KMeans
from sklearn.datasets import load_breast_cancer, load_diabetes, load_digits
from sklearn.preprocessing import StandardScaler

ADULT_WORDS = (1, 3, 5, 6, 7, 8, 9, 13)
# What is asked of a person in Adult: the column and its answer as a class; the column itself is left out of the features.
ADULT_QUESTIONS: dict[str, tuple[int, Callable[[str], int], tuple[int, ...]]] = {
    "sex": (9, lambda value: int(value == "Female"), (7,)),
    "hours": (12, lambda value: int(float(value) > 40), ()),
    "marital": (5, lambda value: {"Married-civ-spouse": 0, "Never-married": 1, "Divorced": 2}.get(value, 3), (7,)),
    "education": (4, lambda value: int(np.digitize(float(value), [8.5, 9.5, 12.5])), (3,)),
    "occupation": (6, lambda value: sum(ord(letter) for letter in value[:6]) % 7, ()),
    "employer": (1, lambda value: {"Private": 0, "?": 1}.get(value, 2 if value.startswith("Self") else 3), (6,)),
    "gain": (10, lambda value: int(float(value) > 0), ()),
}


def adult_question(name: str) -> Loader:
    def loader(rng: np.random.Generator) -> DataSet:
        rows = [row for row in table(folder() / "uci-adult" / "adult.data.gz", skip=0, strip=True) if len(row) == 15]
        target, label, left_out = ADULT_QUESTIONS[name]
        income = [[*row[:14], str(int(row[14].startswith(">")))] for row in rows]
        words = [at for at in ADULT_WORDS if at != target and at not in left_out]
        return some(tabular(income, target, words, list(left_out), label, rng), rng, 700)

    return loader


def adult_some(rng: np.random.Generator) -> DataSet:
    """Income, of as few people as German credit has or more."""
    return some(adult(rng), rng, 600)


def diabetes(rng: np.random.Generator) -> DataSet:
    """Progression above a bound: 442 patients, classes that overlap."""
    x, progress = load_diabetes(return_X_y=True)
    return whole(StandardScaler().fit_transform(x), (progress > np.quantile(progress, rng.uniform(0.4, 0.75))).astype(np.int64))


def biopsy_few(rng: np.random.Generator) -> DataSet:
    """Breast cancer from three measurements, so that the classes overlap."""
    x, y = load_breast_cancer(return_X_y=True)
    return whole(StandardScaler().fit_transform(x[:, rng.choice(x.shape[1], 3, replace=False)]), y)


def digits_few(rng: np.random.Generator) -> DataSet:
    """Digits from a few components."""
    x, y = load_digits(return_X_y=True)
    return whole(components(x / 16.0, int(rng.integers(4, 12))), y)


def mnist_parity(rng: np.random.Generator) -> DataSet:
    x, y = mnist_some(rng, int(rng.integers(1000, 3000)), int(rng.integers(8, 40)))
    return whole(x, y % 2)


def mnist_coarse(rng: np.random.Generator) -> DataSet:
    """Digits joined to classes of unequal size, one of them rare."""
    x, y = mnist_some(rng, 3000, int(rng.integers(15, 50)))
    joined = rng.permutation([0, 0, 0, 0, 0, 1, 1, 1, 2, 3])[y]
    rare = (joined == 3) & (rng.random(len(y)) < 0.85)
    return whole(x[~rare], joined[~rare])


def mnist_styles(rng: np.random.Generator) -> DataSet:
    """About 40 classes: each digit in four styles, which border on each other."""
    x, y = mnist_some(rng, 3000, 60)
    return whole(x, styles(x, y, 4))


def mnist_tracks(rng: np.random.Generator) -> DataSet:
    """About 40 classes in tracks: eight jittered views of each of 350 images; the views of one image stay together."""
    x, y = mnist_some(rng, 350, 60)
    y = styles(x, y, 4)
    views = np.repeat(np.arange(len(y)), 8)
    return DataSet(x[views] + rng.normal(0, 0.35 * x.std(axis=0), (len(views), x.shape[1])), y[views], views.astype(np.int64))


def credit_like(rng: np.random.Generator) -> DataSet:
    """Two classes that overlap as repayment does: the label itself is drawn from a smooth probability of some of the features."""
    count, width = int(rng.integers(800, 3000)), int(rng.integers(10, 40))
    x = rng.standard_t(4, (count, width)) @ (np.eye(width) + rng.normal(0, 0.3, (width, width)))
    x = np.sign(x) * np.log1p(np.abs(x))
    risk = x @ (rng.normal(size=width) * (rng.random(width) < 0.5)) + 0.7 * np.abs(x[:, 0]) * x[:, 1] + np.tanh(2 * x[:, 2])
    risk = rng.uniform(0.8, 3.0) * (risk - risk.mean()) / risk.std()
    share = rng.uniform(0.15, 0.5)
    bound = np.quantile(risk, 1 - share)
    return whole(StandardScaler().fit_transform(x), (rng.random(count) < 1 / (1 + np.exp(bound - risk))).astype(np.int64))


def ordered(rng: np.random.Generator) -> DataSet:
    """A quantity cut into grades: each class overlaps with its neighbours."""
    classes = int(rng.integers(3, 8))
    x = rng.normal(size=(int(rng.integers(1000, 3000)), 15))
    quantity = x @ rng.normal(size=15) / 4 + np.sin(2 * x[:, 0]) + rng.uniform(0.1, 0.8) * rng.normal(size=len(x))
    bounds = np.quantile(quantity, np.cumsum(rng.dirichlet(np.full(classes, 4.0)))[:-1])
    return whole(x, np.digitize(quantity, bounds).astype(np.int64))


def intrusion_like(rng: np.random.Generator) -> DataSet:
    """Unequal classes, each of a few tight clusters far apart, as recorded traffic has; the rarest has about one record in a hundred."""
    classes = int(rng.integers(3, 6))
    shares = 0.35 ** np.arange(classes)
    y = rng.choice(classes, int(rng.integers(1500, 3000)), p=shares / shares.sum())
    kinds = rng.integers(0, 6, len(y))
    centres = rng.normal(size=(classes, 6, 30)) * (rng.random((classes, 6, 30)) < 0.3) * rng.uniform(1.5, 4)
    x = centres[y, kinds] + rng.normal(size=(len(y), 30)) * rng.uniform(0.2, 1.0, (classes, 6, 1))[y, kinds]
    return whole(np.hstack([x, rng.normal(size=(len(y), 10))]), y.astype(np.int64))


def mnist_some(rng: np.random.Generator, count: int, width: int) -> tuple[Array, Labels]:
    images, labels = mnist_images()
    rows = rng.choice(30_000, count, replace=False)
    return components(images[rows] / 255.0, width), labels[rows]


def styles(x: Array, y: Labels, each: int) -> Labels:
    out = np.zeros(len(y), np.int64)
    for digit in range(10):
        mine = y == digit
        out[mine] = digit * each + KMeans(each, n_init=1, random_state=0).fit_predict(x[mine])
    return out


def some(data: DataSet, rng: np.random.Generator, fewest: int) -> DataSet:
    """A part of drawn size, with every class that it has numbered from 0."""
    rows = rng.choice(len(data.y), int(rng.integers(fewest, len(data.y))), replace=False)
    return DataSet(data.x[rows], np.unique(data.y[rows], return_inverse=True)[1], data.groups[rows])


DEVELOPMENT_LOADERS: dict[str, Loader] = {
    **{f"adult-{name}": adult_question(name) for name in ADULT_QUESTIONS},
    "adult-some": adult_some,
    "diabetes": diabetes,
    "biopsy-few": biopsy_few,
    "digits-few": digits_few,
    "mnist-parity": mnist_parity,
    "mnist-coarse": mnist_coarse,
    "mnist-styles": mnist_styles,
    "mnist-tracks": mnist_tracks,
    "credit-like": credit_like,
    "ordered": ordered,
    "intrusion-like": intrusion_like,
}
