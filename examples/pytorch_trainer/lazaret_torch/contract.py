"""The trainer contract at its edge: jobs and results are checked against the exported JSON Schema, failures have its types."""

import json
import os
from pathlib import Path
from typing import Any

import jsonschema

SCHEMA_FILE = Path(
    os.environ.get("LAZARET_TRAINER_SCHEMA")
    or Path(__file__).resolve().parents[3] / "trainer" / "lazaret_trainer" / "contract" / "schema.json"
)
"""Copied with this folder to elsewhere, it needs the schema beside it: set LAZARET_TRAINER_SCHEMA."""

SCHEMA: dict[str, Any] = json.loads(SCHEMA_FILE.read_text("utf-8"))


class Failure(Exception):
    """A failure of the contract, e.g. `trainer/bad-dataset`. The message is for people and MUST NOT hold secrets."""

    def __init__(self, kind: str, message: str):
        super().__init__(message)
        self.kind = kind
        self.retryable: bool = SCHEMA["x-failures"][kind]["retryable"]


class Stopped(Exception):
    """Cancelled, or the worker is going down. `keep_work`: someone will go on with the job."""

    def __init__(self, message: str, keep_work: bool):
        super().__init__(message)
        self.keep_work = keep_work


def checked(name: str, value: Any, failure: str = "trainer/bad-job") -> Any:
    """The value, if it is a `name` of the contract."""
    schema = {"$ref": f"#/$defs/{name}", "$defs": SCHEMA["$defs"]}
    problem = jsonschema.exceptions.best_match(jsonschema.Draft202012Validator(schema).iter_errors(value))
    if problem is not None:
        raise Failure(failure, f"{name} {'/'.join(map(str, problem.absolute_path))}: {problem.message[:300]}")
    return value
