"""The data sets of the lab: real ones, each cut into records to train on, clean probes for the examination, and records to measure on."""

import gzip
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

SHARED = Path(os.environ.get("LAZARET_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
"""Where the larger sets lie. A set that is not there is left out by name."""


@dataclass(frozen=True, slots=True)
class Task:
    """x float32 [N, C, H, W] in [0, 1], y int32 [N]. No record (and no physical sign) is in two of the parts."""

    name: str
    train: tuple[np.ndarray, np.ndarray]
    probes: tuple[np.ndarray, np.ndarray]
    test: tuple[np.ndarray, np.ndarray]
    classes: int
    epochs: int


def digits() -> Task:
    """scikit-learn's 1797 digits of 8×8 (UCI)."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    from sklearn.datasets import load_digits

    found = load_digits()
    x = (found.images / 16).astype(np.float32)[:, None]
    return _cut("digits", x, found.target.astype(np.int32), (1000, 450, 347), classes=10, epochs=40)


def mnist() -> Task | None:
    folder = SHARED / "mnist-train"
    if not folder.exists():
        return None
    with gzip.open(folder / "train-images-idx3-ubyte.gz") as file:
        x = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)[:8000]
    with gzip.open(folder / "train-labels-idx1-ubyte.gz") as file:
        y = np.frombuffer(file.read(), np.uint8, offset=8)[:8000].astype(np.int32)
    return _cut("mnist", x.astype(np.float32) / 255, y, (5000, 1500, 1500), classes=10, epochs=8)


def signs() -> Task | None:
    """The ten most frequent traffic signs of GTSRB at 16×16, split by track: frames of a track show one physical sign."""
    file = SHARED / "gtsrb-cs50-32x32" / "gtsrb32.npz"
    if not file.exists():
        return None
    with np.load(file) as held:
        x, y, track = held["X"], held["y"], held["track"]
    common = np.sort(np.argsort(-np.bincount(y), kind="stable")[:10])
    keep = np.isin(y, common)
    x, y, track = x[keep], np.searchsorted(common, y[keep]).astype(np.int32), track[keep]
    small = x.reshape(len(x), 16, 2, 16, 2, 3).mean((2, 4)).transpose(0, 3, 1, 2).astype(np.float32) / 255
    _, sign = np.unique(np.stack([y, track]), axis=1, return_inverse=True)
    order = np.random.RandomState(0).permutation(sign.max() + 1)
    share = order[sign] / len(order)
    parts = [share < 0.6, (share >= 0.6) & (share < 0.8), share >= 0.8]
    train, probes, test = ((small[part], y[part]) for part in parts)
    return Task("gtsrb", train, probes, test, classes=10, epochs=25)


def _cut(name: str, x: np.ndarray, y: np.ndarray, sizes: tuple[int, int, int], classes: int, epochs: int) -> Task:
    order = np.random.RandomState(0).permutation(len(x))
    ends = np.cumsum(sizes)
    train, probes, test, *_ = ((x[part], y[part]) for part in np.split(order, ends))
    return Task(name, train, probes, test, classes, epochs)


TASKS = {"digits": digits, "mnist": mnist, "gtsrb": signs}
