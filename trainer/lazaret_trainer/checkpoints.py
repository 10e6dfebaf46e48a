"""Checkpoints of a job, in the artifacts bucket under `checkpoints/<jobId>/`: `<step, 8 digits>.npz`, and `result.json` at the end.

Checkpoints are not content-addressed: whoever writes to the artifacts bucket could change the weights of a job that is going on. That is
why nothing is released because it was trained: the candidate is validated and replays the attack, whatever its history.
"""

import io
import json
import os
import zipfile
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np

from .contract import ContractError, TrainJob, TrainResult, read, write
from .failures import TrainerFailure
from .objectives.state import Best, CurvePoint, Seen, State
from .storage import Storage, digest_of

SECRET_BYTES = 32

KEPT = 2
"""The newest may have been cut short by the crash that makes it necessary."""

FORMAT = "lazaret.checkpoint/v2"
FINISHED = "lazaret.finished-job/v1"


def job_digest(job: TrainJob) -> str:
    """What decides the bytes of the result. Checkpoint interval and budget do not: a job may go on with a larger budget. Unless records are
    held back: then the training ends with the budget, and the budget decides."""
    said = write(job)
    deciding = {
        "jobId": job.job_id,
        "objective": job.objective,
        "base": job.base.digest,
        "dataset": job.dataset.manifest.digest,
        "hyperparameters": said["hyperparameters"],
    }
    if job.options is not None:
        deciding["options"] = said["options"]
        if job.options.hold_back:
            deciding["budget"] = said["budget"]
    return digest_of(json.dumps(deciding, sort_keys=True, separators=(",", ":")).encode())


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A state with the history of the run: earlier attempts' seconds count against the budget, and the curve and takeovers stay whole."""

    state: State
    started_at: str
    spent_seconds: float
    resumed_at_steps: tuple[int, ...]


class Checkpoints:
    """The checkpoints of one job, made by this very code: another version might end elsewhere, and the provenance names one."""

    def __init__(self, job: TrainJob, code_digest: str, storage: Storage):
        self._job = job_digest(job)
        self._code = code_digest
        self._storage = storage
        self._folder = f"checkpoints/{job.job_id}/"

    def save(self, checkpoint: Checkpoint) -> None:
        """Writes one, then removes the ones that are no longer needed. Fails with trainer/storage-unavailable."""
        self._storage.write_document(self._key(checkpoint.state.step), self._encode(checkpoint), "application/x-npz")
        for key in self._keys()[:-KEPT]:
            self._storage.delete_document(key)

    def newest(self, start: State) -> Checkpoint | None:
        """The newest that is readable, belongs to this job and has the form of `start`; else None."""
        for key in reversed(self._keys()):
            content = self._storage.read_document(key)
            checkpoint = None if content is None else self._decode(content, start)
            if checkpoint is not None:
                return checkpoint
        return None

    def secret(self) -> bytes:
        """32 random bytes of this job, the same in every attempt. Whoever reads the checkpoints can read them too, but a checkpoint is as
        much: what they keep apart is the published result, and the noise in it. Gone when the job is finished."""
        key = f"{self._folder}secret"
        content = self._storage.read_document(key)
        if content is None or len(content) != SECRET_BYTES:
            content = os.urandom(SECRET_BYTES)
            self._storage.write_document(key, content, "application/octet-stream")
        return content

    def finish(self, result: TrainResult) -> None:
        """Writes the result down, for whoever asks again; then nobody needs the secret."""
        document = {"schema": FINISHED, "job": self._job, "result": write(result)}
        self._storage.write_document(f"{self._folder}result.json", json.dumps(document).encode(), "application/json")
        self._storage.delete_document(f"{self._folder}secret")

    def finished(self) -> TrainResult | None:
        """The result, where the job has one already. Fails with trainer/bad-job where another job has this id."""
        content = self._storage.read_document(f"{self._folder}result.json")
        if content is None:
            return None
        try:
            document = json.loads(content)
            job, result = document["job"], read(TrainResult, document["result"])
        except (ValueError, KeyError, TypeError, ContractError):
            return None
        if job != self._job:
            raise TrainerFailure("trainer/bad-job", "another job with this jobId has finished already; an id names one job for ever")
        return result if self._storage.has(result.artifact) and self._storage.has(result.curve) else None

    def _key(self, step: int) -> str:
        return f"{self._folder}{step:08d}.npz"

    def _keys(self) -> list[str]:
        return [key for key in self._storage.list_documents(self._folder) if key.endswith(".npz")]

    def _encode(self, checkpoint: Checkpoint) -> bytes:
        state = checkpoint.state
        about = {
            "schema": FORMAT,
            "job": self._job,
            "code": self._code,
            "step": state.step,
            "loss": state.loss,
            "seen": state.seen,
            "best": state.best,
            "parts": state.parts,
            "curve": state.curve,
            "startedAt": checkpoint.started_at,
            "spentSeconds": checkpoint.spent_seconds,
            "resumedAtSteps": checkpoint.resumed_at_steps,
        }
        arrays = {f"array/{index}": np.asarray(leaf) for index, leaf in enumerate(_leaves(state))}
        file = io.BytesIO()
        np.savez(file, allow_pickle=False, about=np.frombuffer(json.dumps(about).encode(), np.uint8), **arrays)
        return file.getvalue()

    def _decode(self, content: bytes, start: State) -> Checkpoint | None:
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as file:
                about = json.loads(file["about"].tobytes())
                if (about["schema"], about["job"], about["code"]) != (FORMAT, self._job, self._code):
                    return None
                arrays = [file[f"array/{index}"] for index in range(len(_leaves(start)))]
            state = _refilled(start, arrays, about)
            return Checkpoint(state, about["startedAt"], about["spentSeconds"], tuple(about["resumedAtSteps"]))
        except (ValueError, KeyError, TypeError, EOFError, OSError, zipfile.BadZipFile):
            return None


def _leaves(state: State) -> list[Any]:
    return jax.tree.leaves(state.arrays)


def _refilled(start: State, arrays: list[np.ndarray], about: dict[str, Any]) -> State:
    leaves, form = jax.tree.flatten(start.arrays)
    for leaf, array in zip(leaves, arrays, strict=True):
        if np.shape(leaf) != array.shape or np.asarray(leaf).dtype != array.dtype:
            raise ValueError("the checkpoint is of another model")
    parameters, optimizer, memory, kept = jax.tree.unflatten(form, arrays)
    return State(
        step=about["step"],
        parameters=parameters,
        optimizer=optimizer,
        memory=memory,
        kept=kept,
        parts=about["parts"],
        curve=tuple(CurvePoint(*point) for point in about["curve"]),
        loss=about["loss"],
        seen=None if about["seen"] is None else Seen(*about["seen"]),
        best=None if about["best"] is None else Best(*about["best"]),
    )
