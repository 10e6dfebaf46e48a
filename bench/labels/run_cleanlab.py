"""What cleanlab's filters flag, for every case of a manifest: FOLDER/CASE/cleanlab.json, by filter the flagged records.

    $LAZARET_CLEANLAB_PYTHON run_cleanlab.py FOLDER

Runs on a Python of its own, where cleanlab 2.x is installed. Every filter with its own default thresholds.
"""

from __future__ import annotations

import json
import sys
import warnings
from pathlib import Path

import numpy as np
from cleanlab import __version__
from cleanlab.filter import find_label_issues

FILTERS = (
    "prune_by_noise_rate",
    "prune_by_class",
    "both",
    "confident_learning",
    "predicted_neq_given",
    "low_normalized_margin",
    "low_self_confidence",
)


def flagged(labels: np.ndarray, p: np.ndarray, by: str) -> list[int] | None:
    """Indices of the records that one filter flags; None where it fails on these arrays."""
    try:
        return np.flatnonzero(find_label_issues(labels, p, filter_by=by, n_jobs=1)).tolist()
    except Exception as error:  # whatever it stumbles over, the other filters still answer
        print(f"{by}: {error}", file=sys.stderr)
        return None


def main() -> None:
    warnings.filterwarnings("ignore")
    folder = Path(sys.argv[1])
    for case in json.loads((folder / "manifest.json").read_text()):
        place = folder / case["case"]
        labels, p = np.load(place / "labels.npy"), np.load(place / "p.npy").astype(np.float64)
        p /= p.sum(axis=1, keepdims=True)
        answers = {by: flagged(labels, p, by) for by in FILTERS}
        (place / "cleanlab.json").write_text(json.dumps({"version": __version__, "flagged": answers}))


if __name__ == "__main__":
    main()
