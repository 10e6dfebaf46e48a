"""A data set version as arrays: manifest, shards, exclusions, each verified before it is used (domain/contracts/dataset.ts).

What an attacker may control: every byte in the artifacts bucket. What binds them: the manifest's digest in the job, and the digests in the
manifest. So a shard is one that a signer vouched for, which says nothing about its being well formed.
"""

import json
import math
import mmap
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .contract import ContractError, DatasetManifest, DatasetRef, Shard, read
from .failures import TrainerFailure
from .storage import Storage

LARGEST_SHARD_BYTES = 8 * 2**30
"""Uncompressed. A Parquet file of a few kilobytes can claim to hold a terabyte."""


IN_MEMORY_BYTES = 512 * 2**20
"""Features up to this size are held in memory: the same figures, without a file."""

AT_ONCE, BATCH_BYTES = 8192, 32 * 2**20
"""Records, and bytes of features, that are read from a shard and copied at a time."""


@dataclass(frozen=True, slots=True)
class Records:
    """features float32 [N, *featureShape], finite; labels int32 [N] in [0, classes); ids in the same order. N ≥ 1."""

    features: np.ndarray
    labels: np.ndarray
    ids: tuple[str, ...]
    classes: tuple[str, ...]


def load(ref: DatasetRef, storage: Storage) -> Records:
    """Reads the version a reference names, batch by batch. Fails with trainer/bad-dataset, trainer/input-digest-mismatch.

    Features beyond IN_MEMORY_BYTES lie in a scratch file and are mapped: the kernel holds of it what there is room for. Ids and labels are
    in memory.
    """
    manifest = _manifest(storage.get(ref.manifest, missing="trainer/bad-dataset"))
    count, width = sum(shard.records for shard in manifest.shards), math.prod(manifest.feature_shape)
    features, labels, ids = scratch((count, width)), np.empty(count, np.int32), np.empty(count, object)
    at = 0
    for shard in manifest.shards:
        for part in _shard(shard, manifest, storage):
            rows = slice(at, at := at + len(part[0]))
            ids[rows], features[rows], labels[rows] = part
    _unique(ids)
    keep = np.flatnonzero(_kept(ids, manifest, storage))
    if len(keep) != manifest.records:
        raise _bad(f"{len(keep)} records are left after the exclusions, the manifest says {manifest.records}")
    if len(keep) == 0:
        raise _bad("no record is left to train on")
    if len(keep) < count:
        features, labels, ids = taken(features, keep), labels[keep], ids[keep]
    return Records(features.reshape(len(labels), *manifest.feature_shape), labels, tuple(str(each) for each in ids), manifest.classes)


def _bad(message: str) -> TrainerFailure:
    return TrainerFailure("trainer/bad-dataset", message)


def scratch(shape: tuple[int, int]) -> np.ndarray:
    """float32 of the shape, not filled: in memory, or mapped to a file that has no name and ends with the array."""
    if 4 * math.prod(shape) <= IN_MEMORY_BYTES:
        return np.empty(shape, np.float32)
    try:
        with tempfile.TemporaryFile(prefix="lazaret-records-") as file:
            # Reserved now: where the disk is full, a page of a file with holes would end the process.
            os.posix_fallocate(file.fileno(), 0, 4 * math.prod(shape))
            mapped = mmap.mmap(file.fileno(), 4 * math.prod(shape))
            # Batches are drawn from anywhere: reading ahead would read each epoch many times over.
            mapped.madvise(mmap.MADV_RANDOM)
            return np.frombuffer(mapped, np.float32).reshape(shape)
    except OSError as error:
        raise TrainerFailure(
            "trainer/out-of-memory", f"{4 * math.prod(shape)} bytes of scratch space are needed: {error.strerror}"
        ) from error


def taken(features: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """`features[rows]`, float32, where that may be larger than memory too."""
    flat = features.reshape(len(features), -1)
    out, step = scratch((len(rows), flat.shape[1])), max(1, BATCH_BYTES // (4 * flat.shape[1]))
    for first in range(0, len(rows), step):
        out[first : first + step] = flat[rows[first : first + step]]
    return out.reshape(len(rows), *features.shape[1:])


def _manifest(content: bytes) -> DatasetManifest:
    try:
        return read(DatasetManifest, json.loads(content))
    except ContractError as error:
        raise _bad(str(error)) from error
    except (ValueError, RecursionError) as error:
        raise _bad("the manifest is not JSON") from error


def _shard(shard: Shard, manifest: DatasetManifest, storage: Storage) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """ids [n] of objects, features float32 [n × width], labels int32 [n], as many times as the shard takes."""
    where, width, seen = f"shard {shard.batch}", math.prod(manifest.feature_shape), 0
    with storage.spooled(shard.object, missing="trainer/bad-dataset") as content:
        for batch in _batches(content, shard, width, where):
            ids = _ids(batch.column("id"), where)
            features = _features(batch.column("features"), width, where, seen)
            labels = _labels(batch.column("label"), len(manifest.classes), where, seen)
            seen += len(ids)
            yield ids, features, labels
    if seen != shard.records:
        raise _bad(f"{where}: {seen} records could be read, the manifest says {shard.records}")


def _batches(content: IO[bytes], shard: Shard, width: int, where: str) -> Iterator[pa.RecordBatch]:
    wanted = ["id", "features", "label"]
    try:
        file = pq.ParquetFile(content)
        missing = [name for name in wanted if name not in file.schema_arrow.names]
        if missing:
            raise _bad(f"{where}: the column {missing[0]} is missing")
        if file.metadata.num_rows != shard.records:
            raise _bad(f"{where}: {file.metadata.num_rows} records, the manifest says {shard.records}")
        size = sum(file.metadata.row_group(group).total_byte_size for group in range(file.metadata.num_row_groups))
        if size > LARGEST_SHARD_BYTES:
            raise _bad(f"{where}: {size} bytes uncompressed, at most {LARGEST_SHARD_BYTES} are read")
        left = shard.records
        for batch in file.iter_batches(max(1, min(AT_ONCE, BATCH_BYTES // (4 * width))), columns=wanted, use_threads=False):
            # What the metadata says and what the pages hold are two things.
            left -= batch.num_rows
            if left < 0:
                raise _bad(f"{where}: more records could be read than the {shard.records} of the manifest")
            yield batch
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _bad(f"{where}: not a readable Parquet file") from error


def _whole(array: pa.Array, name: str, where: str) -> pa.Array:
    if array.null_count:
        raise _bad(f"{where}: {array.null_count} nulls in the column {name}")
    return array


def _ids(column: pa.Array, where: str) -> np.ndarray:
    array = _whole(column, "id", where)
    if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        raise _bad(f"{where}: the column id holds {array.type}, not strings")
    return np.array(array.to_pylist(), dtype=object)


def _features(column: pa.Array, width: int, where: str, first: int) -> np.ndarray:
    array = _whole(column, "features", where)
    kind = array.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        raise _bad(f"{where}: the column features holds {kind}, not lists of numbers")
    if not pa.types.is_floating(kind.value_type):
        raise _bad(f"{where}: the features are {kind.value_type}, not floats")
    lengths = array.value_lengths().to_numpy(zero_copy_only=False)
    if len(lengths) and (lengths != width).any():
        row = int(np.argmax(lengths != width))
        raise _bad(f"{where}: record {first + row} has {int(lengths[row])} features, the shape asks for {width}")
    values = array.flatten()
    if values.null_count:
        raise _bad(f"{where}: {values.null_count} nulls among the features")
    numbers = values.to_numpy(zero_copy_only=False).astype(np.float32).reshape(len(array), width)
    if not np.isfinite(numbers).all():
        row = int(np.argmin(np.isfinite(numbers).all(axis=1)))
        raise _bad(f"{where}: record {first + row} has a feature that is not finite")
    return numbers


def _labels(column: pa.Array, classes: int, where: str, first: int) -> np.ndarray:
    array = _whole(column, "label", where)
    if not pa.types.is_integer(array.type):
        raise _bad(f"{where}: the labels are {array.type}, not integers")
    labels = array.to_numpy(zero_copy_only=False)
    outside = (labels < 0) | (labels >= classes)
    if outside.any():
        row = int(np.argmax(outside))
        raise _bad(f"{where}: record {first + row} has the label {int(labels[row])}; there are {classes} classes")
    return labels.astype(np.int32)


def _unique(ids: np.ndarray) -> None:
    """An id that occurs twice could be excluded in one shard and stay in the other."""
    seen: set[str] = set()
    for each in ids:
        if each in seen:
            raise _bad(f"the id {each!r} occurs twice")
        seen.add(each)


def _kept(ids: np.ndarray, manifest: DatasetManifest, storage: Storage) -> np.ndarray:
    """bool [N]. Every excluded id MUST be found: a list that misses its records would leave poison in."""
    if manifest.exclusions is None:
        return np.ones(len(ids), bool)
    try:
        excluded = json.loads(storage.get(manifest.exclusions.object, missing="trainer/bad-dataset"))
    except (ValueError, RecursionError) as error:
        raise _bad("the exclusion list is not JSON") from error
    if not isinstance(excluded, list) or not all(isinstance(each, str) for each in excluded):
        raise _bad("the exclusion list is not a JSON array of strings")
    dropped = set(excluded)
    if len(dropped) != len(excluded) or len(excluded) != manifest.exclusions.count:
        raise _bad(f"the exclusion list names {len(dropped)} different ids, the manifest says {manifest.exclusions.count}")
    unknown = dropped.difference(ids)
    if unknown:
        raise _bad(f"{len(unknown)} excluded ids are in no shard, e.g. {min(unknown)!r}")
    return np.array([each not in dropped for each in ids], bool)
