"""Writes the corpus of hostile files beside this program: `python hostile.py`. Each file with the rule that has to find it."""

from __future__ import annotations

import json
from pathlib import Path

import hostile_files
import hostile_graphs
import missed

HERE = Path(__file__).parent / "hostile"


def main() -> None:
    HERE.mkdir(exist_ok=True)
    for old in HERE.glob("*.onnx"):
        old.unlink()
    expected: dict[str, str] = {}
    for name, rule, model in [*hostile_graphs.cases(), *hostile_files.cases()]:
        data = model if isinstance(model, bytes) else model.SerializeToString(deterministic=True)
        if len(data) > 20_000:
            raise ValueError(f"{name} has {len(data)} bytes")
        if name in expected:
            raise ValueError(f"{name} is there twice")
        (HERE / f"{name}.onnx").write_bytes(data)
        expected[name] = rule
    beyond = HERE.parent / "missed"
    beyond.mkdir(exist_ok=True)
    for name, case in missed.cases():
        (beyond / f"{name}.onnx").write_bytes(case.SerializeToString(deterministic=True))
    (HERE / "expected.json").write_text(json.dumps(dict(sorted(expected.items())), indent=2) + "\n")


if __name__ == "__main__":
    main()
