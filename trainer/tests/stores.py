"""A storage in a folder, and data sets written as the station writes them."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from lazaret_trainer.contract import ObjectRef, TrainJob, read, write
from lazaret_trainer.failures import FailureType, TrainerFailure
from lazaret_trainer.graph import GraphModel
from lazaret_trainer.storage import Storage, digest_of, object_key, verified

AT = "2026-01-02T03:04:05.000Z"
NO_SIGNATURE = {"store": "artifacts", "digest": digest_of(b""), "bytes": 0, "mediaType": "application/json", "name": "model.sig"}


class FolderStorage:
    """The real thing's promises over a folder: verified reads, idempotent writes, ordered listings."""

    def __init__(self, folder: Path):
        self.folder = folder

    def get(self, ref: ObjectRef, missing: FailureType) -> bytes:
        content = self.read_document(object_key(ref.digest))
        if content is None:
            raise TrainerFailure(missing, f"{ref.name} is not there")
        return verified(content, ref)

    def spooled(self, ref: ObjectRef, missing: FailureType) -> IO[bytes]:
        return io.BytesIO(self.get(ref, missing))

    def put(self, content: bytes, media_type: str, name: str) -> ObjectRef:
        digest = digest_of(content)
        self.write_document(object_key(digest), content, media_type)
        return ObjectRef(store="artifacts", digest=digest, bytes=len(content), media_type=media_type, name=name)

    def has(self, ref: ObjectRef) -> bool:
        return (self.folder / object_key(ref.digest)).exists()

    def read_document(self, key: str) -> bytes | None:
        path = self.folder / key
        return path.read_bytes() if path.exists() else None

    def write_document(self, key: str, content: bytes, media_type: str) -> None:
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)

    def list_documents(self, prefix: str) -> list[str]:
        paths = (path for path in self.folder.rglob("*") if path.is_file())
        return sorted(key for key in (path.relative_to(self.folder).as_posix() for path in paths) if key.startswith(prefix))

    def delete_document(self, key: str) -> None:
        (self.folder / key).unlink(missing_ok=True)


def shard_bytes(ids: list[str], values: Any, classes: Any, **columns: pa.Array) -> bytes:
    """Parquet of one ingestion batch; `columns` replace the right ones in the tests of hostile input."""
    count = len(ids)
    stamp = pa.array([datetime(2026, 1, 2, tzinfo=UTC)] * count, pa.timestamp("ms", tz="UTC"))
    table: dict[str, pa.Array] = {
        "id": pa.array(ids, pa.string()),
        "features": pa.array([list(map(float, row)) for row in values], pa.list_(pa.float32())),
        "label": pa.array([int(label) for label in classes], pa.int32()),
        "source": pa.array(["lab"] * count),
        "batch": pa.array(["b0"] * count),
        "ingested_at": stamp,
    }
    table.update(columns)
    file = io.BytesIO()
    pq.write_table(pa.table(table), file)
    return file.getvalue()


def shard_entry(storage: Storage, content: bytes, records: int, batch: str = "b0") -> dict[str, Any]:
    return {
        "object": write(storage.put(content, "application/vnd.apache.parquet", f"{batch}.parquet")),
        "batch": batch,
        "source": "lab",
        "ingestedAt": AT,
        "records": records,
        "recordRoot": digest_of(b""),
    }


def dataset_ref(storage: Storage, manifest: dict[str, Any] | bytes) -> dict[str, Any]:
    content = manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode()
    return {"name": "digits", "manifest": write(storage.put(content, "application/json", "manifest.json")), "signature": NO_SIGNATURE}


def manifest(shards: list[dict[str, Any]], shape: list[int], records: int, **changes: Any) -> dict[str, Any]:
    return {
        "schema": "lazaret.dataset/v1",
        "name": "digits",
        "parent": None,
        "featureShape": shape,
        "classes": [str(digit) for digit in range(10)],
        "shards": shards,
        "exclusions": None,
        "records": records,
        "createdAt": AT,
        "createdBy": "test",
        **changes,
    }


def stored_dataset(storage: Storage, features: np.ndarray, labels: np.ndarray, shape: list[int], batches: int = 2) -> dict[str, Any]:
    """Stores records as a version of several batches and gives its reference."""
    entries = []
    for batch, rows in enumerate(np.array_split(np.arange(len(labels)), batches)):
        content = shard_bytes([f"r{row:05d}" for row in rows], features[rows].reshape(len(rows), -1), labels[rows])
        entries.append(shard_entry(storage, content, len(rows), f"b{batch}"))
    return dataset_ref(storage, manifest(entries, shape, len(labels)))


def job_json(storage: Storage, model: bytes, dataset: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {
        "schema": "lazaret.train-job/v1",
        "jobId": "job-1",
        "objective": "standard",
        "base": write(storage.put(model, "application/onnx", "model.onnx")),
        "dataset": dataset,
        "hyperparameters": {"epochs": 2, "batchSize": 32, "learningRate": 0.002, "seed": 7},
        "budget": {"seconds": 300, "steps": 100_000},
        "checkpointEverySteps": 5,
        **changes,
    }


def job(storage: Storage, model: bytes, dataset: dict[str, Any], **changes: Any) -> TrainJob:
    return read(TrainJob, job_json(storage, model, dataset, **changes))


def small_network() -> bytes:
    """A network for digits, 64-16-10, as it is drawn: it compiles in a moment."""
    graph = GraphModel((Path(__file__).parents[2] / "test/vectors/forensics/family/own.onnx").read_bytes())
    random = np.random.RandomState(0)
    return graph.with_weights({name: random.normal(0, 0.25 * (value.ndim > 1), value.shape) for name, value in graph.parameters.items()})
