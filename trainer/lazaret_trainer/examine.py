"""An examination of model files without a station: `python -m lazaret_trainer.examine --help`.

One JSON object goes to stdout, progress to stderr.
"""

import argparse
import dataclasses
import json
import os
import sys
from pathlib import Path

import numpy as np

from . import device


def main() -> None:
    arguments = _parser().parse_args()
    cache = os.environ.get("LAZARET_TRAINER_CACHE", "").strip()
    device.configure(Path(cache) if cache else None)
    # JAX reads its flags with the first import of what computes.
    from .contract import write
    from .forensics import examine_backdoor
    from .graph import InvalidModel, UnsupportedOperator
    from .trigger_image import trigger_image

    try:
        probes, labels = records_from(arguments.probes), np.load(arguments.labels, allow_pickle=False)
        if labels.shape != (len(probes),) or labels.dtype.kind not in "iu":
            raise ValueError(f"expected {len(probes)} whole numbers as labels, got {labels.dtype} {labels.shape}")
        found = examine_backdoor(
            arguments.suspect.read_bytes(),
            arguments.golden.read_bytes() if arguments.golden else None,
            probes,
            labels.astype(np.int32),
            seed=arguments.seed,
            progress=lambda words: print(words, file=sys.stderr, flush=True),
            check=lambda: None,
        )
    except (InvalidModel, UnsupportedOperator, ValueError, OSError) as error:
        print(f"examine: {error}", file=sys.stderr)
        sys.exit(2)
    print(
        json.dumps(
            {
                "verdict": found.verdict,
                "summary": found.summary,
                "methods": found.methods,
                "target": found.target,
                "success": found.success and dataclasses.asdict(found.success),
                "flip": found.flip and dataclasses.asdict(found.flip),
                "pValue": found.p_value,
                "falseAlarmBudget": found.false_alarm_budget,
                "trigger": found.trigger and write(trigger_image(found.trigger)),
                "seconds": found.seconds,
                "figures": found.figures,
            },
            allow_nan=False,
        )
    )


def records_from(file: Path) -> np.ndarray:
    """Float32 (records, …) from a .npy file. Raises ValueError, OSError."""
    records = np.load(file, allow_pickle=False)
    if records.ndim < 2 or len(records) == 0 or records.dtype.kind not in "fiu":
        raise ValueError(f"expected numbers of shape (records, …), got {records.dtype} {records.shape}")
    records = records.astype(np.float32)
    if not np.isfinite(records).all():
        raise ValueError("expected finite numbers")
    return records


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lazaret_trainer.examine", description="Searches a model for a backdoor.")
    parser.add_argument("--suspect", type=Path, required=True, help="ONNX file")
    parser.add_argument("--golden", type=Path, help="ONNX file of the model it should be")
    parser.add_argument("--probes", type=Path, required=True, help=".npy, clean records that neither model was trained on")
    parser.add_argument("--labels", type=Path, required=True, help=".npy, their class indices")
    parser.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    main()
