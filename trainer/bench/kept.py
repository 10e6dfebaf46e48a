"""What a long bench has done, in a folder: a later run takes it up there. Without a folder nothing is kept.

What is kept counts for the code it was measured with: its names bear a digest of the sources.
"""

import functools
import hashlib
import json
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

from figures import Figures, Goal

TRAINER = Path(__file__).parent.parent
MEASURED = ("lazaret_trainer/graph", "lazaret_trainer/objectives", "bench")

Found = list[tuple[Goal, float]]


@functools.cache
def sources() -> str:
    digest = hashlib.sha256()
    for folder in MEASURED:
        for file in sorted((TRAINER / folder).glob("*.py")):
            digest.update(f"{file.name}\n".encode() + file.read_bytes())
    return digest.hexdigest()[:12]


class Kept:
    def __init__(self, folder: Path | None, figures: Figures):
        self._folder, self._figures = folder, figures
        if folder is not None:
            folder.mkdir(parents=True, exist_ok=True)

    def model(self, name: str, train: Callable[[], bytes]) -> bytes:
        """A trained model that further pieces start from."""
        file = self._file(name, "onnx")
        if file is not None and file.exists():
            return file.read_bytes()
        model = train()
        if file is not None:
            _write(file, model)
        return model

    def piece(self, name: str, measure: Callable[[], tuple[str, Found]]) -> None:
        """One measurement: the line that it tells, and its values for the table."""
        file = self._file(name, "json")
        if file is not None and file.exists():
            document = json.loads(file.read_text())
            line, found = document["line"], [(Goal(**goal), value) for goal, value in document["found"]]
        else:
            line, found = measure()
            if file is not None:
                _write(file, json.dumps({"line": line, "found": [(asdict(goal), value) for goal, value in found]}).encode())
        print(line, flush=True)
        for goal, value in found:
            self._figures.add(goal, value)

    def _file(self, name: str, kind: str) -> Path | None:
        return self._folder / f"{name}-{sources()}.{kind}" if self._folder is not None else None


def _write(file: Path, content: bytes) -> None:
    """Whole or not at all: a bench may be killed at any moment."""
    part = file.with_suffix(".part")
    part.write_bytes(content)
    part.replace(file)
