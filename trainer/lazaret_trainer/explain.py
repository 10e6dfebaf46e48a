"""A look into model files without a station: `python -m lazaret_trainer.explain --help`.

One JSON object goes to stdout, progress to stderr.
"""

import argparse
import json
import os
import sys
from pathlib import Path

import numpy as np

from . import device
from .examine import records_from


def main() -> None:
    arguments = _parser().parse_args()
    cache = os.environ.get("LAZARET_TRAINER_CACHE", "").strip()
    device.configure(Path(cache) if cache else None)
    # JAX reads its flags with the first import of what computes.
    from .attribution import Labelled, explain
    from .contract import write
    from .explanations import figures, influences_of, report, saliency_map
    from .graph import InvalidModel, UnsupportedOperator

    def labelled(records: Path, labels: Path) -> Labelled:
        x, y = records_from(records), np.load(labels, allow_pickle=False)
        if y.shape != (len(x),) or y.dtype.kind not in "iu" or (y < 0).any():
            raise ValueError(f"expected {len(x)} whole numbers as labels, got {y.dtype} {y.shape}")
        return Labelled(x, y.astype(np.int32))

    try:
        probes = labelled(arguments.probes, arguments.labels)
        records = labelled(arguments.records, arguments.record_labels) if arguments.records else None
        requests = records_from(arguments.requests)
        for each in (requests, *([] if records is None else [records.x])):
            if each.shape[1:] != probes.x.shape[1:]:
                raise ValueError(f"records of shape {list(each.shape[1:])} beside probes of {list(probes.x.shape[1:])}")
        found = explain(
            arguments.suspect.read_bytes(),
            arguments.golden.read_bytes(),
            probes,
            records,
            requests,
            seed=arguments.seed,
            progress=lambda words: print(words, file=sys.stderr, flush=True),
            check=lambda: None,
        )
    except (InvalidModel, UnsupportedOperator, ValueError, OSError) as error:
        print(f"explain: {error}", file=sys.stderr)
        sys.exit(2)
    map_ = saliency_map(found)
    influences = influences_of(found, tuple(str(row) for row in range(0 if records is None else len(records.y))))
    made = figures(found, len(requests))
    print(
        json.dumps(
            {
                **{key: made[key] for key in ("requests", "suspects")},
                "layers": [write(each) for each in made["layers"]],
                "dormant": made["dormant"] and write(made["dormant"]),
                "patterns": made["patterns"] and write(made["patterns"]),
                "saliency": map_ and write(map_),
                "influence": influences and write(influences),
                "report": report(found),
            },
            allow_nan=False,
        )
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="lazaret_trainer.explain", description="Looks into a suspect model beside its golden one.")
    parser.add_argument("--suspect", type=Path, required=True, help="ONNX file")
    parser.add_argument("--golden", type=Path, required=True, help="ONNX file of the model it should be")
    parser.add_argument("--probes", type=Path, required=True, help=".npy, clean records that neither model was trained on")
    parser.add_argument("--labels", type=Path, required=True, help=".npy, their class indices")
    parser.add_argument("--requests", type=Path, required=True, help=".npy, what clients sent")
    parser.add_argument("--records", type=Path, help=".npy, what the suspect was trained on")
    parser.add_argument("--record-labels", type=Path, help=".npy, their class indices")
    parser.add_argument("--seed", type=int, default=0)
    return parser


if __name__ == "__main__":
    main()
