"""Writes honest models into a folder: `python benign.py FOLDER [--check] [--node-tests]`.

`--check` loads each of them into ONNX Runtime. `--node-tests` adds the models of the package's own operator tests.
"""

from __future__ import annotations

import sys
from pathlib import Path

import benign_other
import benign_vision


def node_tests(folder: Path) -> None:
    from onnx.backend.test.case.node import collect_testcases

    for case in collect_testcases(""):
        if case.model is not None:
            (folder / f"{case.name}.onnx").write_bytes(case.model.SerializeToString())


def main(folder: Path, check: bool) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    for name, model in [*benign_vision.models(), *benign_other.models()]:
        if check and not name.startswith("outside"):
            import onnxruntime

            onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        (folder / f"{name}.onnx").write_bytes(model.SerializeToString())
        count += 1
    print(count)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    main(target, "--check" in sys.argv)
    if "--node-tests" in sys.argv:
        (target / "node-tests").mkdir(exist_ok=True)
        node_tests(target / "node-tests")
