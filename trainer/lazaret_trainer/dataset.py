"""A data set version as arrays: manifest, shards, exclusions, each verified before it is used (domain/contracts/dataset.ts).

What an attacker may control: every byte in the artifacts bucket. What binds them: the manifest's digest in the job, and the digests in the
manifest. So a shard is one that a signer vouched for, which says nothing about its being well formed.
"""

import json
import math
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from .contract import ContractError, DatasetManifest, DatasetRef, Shard, read
from .failures import TrainerFailure
from .storage import Storage

LARGEST_SHARD_BYTES = 8 * 2**30
"""Uncompressed. A Parquet file of a few kilobytes can claim to hold a terabyte."""


@dataclass(frozen=True, slots=True)
class Records:
    """features float32 [N, *featureShape], finite; labels int32 [N] in [0, classes); ids in the same order. N ≥ 1."""

    features: np.ndarray
    labels: np.ndarray
    ids: tuple[str, ...]
    classes: tuple[str, ...]


def load(ref: DatasetRef, storage: Storage) -> Records:
    """Reads the version a reference names. Fails with trainer/bad-dataset, trainer/input-digest-mismatch."""
    manifest = _manifest(storage.get(ref.manifest, missing="trainer/bad-dataset"))
    parts = [_shard(shard, manifest, storage) for shard in manifest.shards]
    ids = np.concatenate([part[0] for part in parts])
    _unique(ids)
    keep = _kept(ids, manifest, storage)
    if int(keep.sum()) != manifest.records:
        raise _bad(f"{int(keep.sum())} records are left after the exclusions, the manifest says {manifest.records}")
    if not keep.any():
        raise _bad("no record is left to train on")
    features = np.concatenate([part[1] for part in parts])[keep]
    labels = np.concatenate([part[2] for part in parts])[keep]
    return Records(features.reshape(len(labels), *manifest.feature_shape), labels, tuple(str(each) for each in ids[keep]), manifest.classes)


def _bad(message: str) -> TrainerFailure:
    return TrainerFailure("trainer/bad-dataset", message)


def _manifest(content: bytes) -> DatasetManifest:
    try:
        return read(DatasetManifest, json.loads(content))
    except ContractError as error:
        raise _bad(str(error)) from error
    except (ValueError, RecursionError) as error:
        raise _bad("the manifest is not JSON") from error


def _shard(shard: Shard, manifest: DatasetManifest, storage: Storage) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """ids [n] of objects, features float32 [n × width], labels int32 [n]."""
    where = f"shard {shard.batch}"
    table = _table(storage.get(shard.object, missing="trainer/bad-dataset"), shard, where)
    ids = _ids(table.column("id"), where)
    features = _features(table.column("features"), math.prod(manifest.feature_shape), where)
    labels = _labels(table.column("label"), len(manifest.classes), where)
    return ids, features, labels


def _table(content: bytes, shard: Shard, where: str) -> pa.Table:
    wanted = ["id", "features", "label"]
    try:
        file = pq.ParquetFile(pa.BufferReader(content))
        missing = [name for name in wanted if name not in file.schema_arrow.names]
        if missing:
            raise _bad(f"{where}: the column {missing[0]} is missing")
        if file.metadata.num_rows != shard.records:
            raise _bad(f"{where}: {file.metadata.num_rows} records, the manifest says {shard.records}")
        size = sum(file.metadata.row_group(group).total_byte_size for group in range(file.metadata.num_row_groups))
        if size > LARGEST_SHARD_BYTES:
            raise _bad(f"{where}: {size} bytes uncompressed, at most {LARGEST_SHARD_BYTES} are read")
        table = file.read(columns=wanted)
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _bad(f"{where}: not a readable Parquet file") from error
    if table.num_rows != shard.records:
        raise _bad(f"{where}: {table.num_rows} records could be read, the manifest says {shard.records}")
    return table


def _whole(column: pa.ChunkedArray, name: str, where: str) -> pa.Array:
    array = column.combine_chunks()
    array = pa.concat_arrays(array.chunks) if isinstance(array, pa.ChunkedArray) else array
    if array.null_count:
        raise _bad(f"{where}: {array.null_count} nulls in the column {name}")
    return array


def _ids(column: pa.ChunkedArray, where: str) -> np.ndarray:
    array = _whole(column, "id", where)
    if not (pa.types.is_string(array.type) or pa.types.is_large_string(array.type)):
        raise _bad(f"{where}: the column id holds {array.type}, not strings")
    return np.array(array.to_pylist(), dtype=object)


def _features(column: pa.ChunkedArray, width: int, where: str) -> np.ndarray:
    array = _whole(column, "features", where)
    kind = array.type
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        raise _bad(f"{where}: the column features holds {kind}, not lists of numbers")
    if not pa.types.is_floating(kind.value_type):
        raise _bad(f"{where}: the features are {kind.value_type}, not floats")
    lengths = array.value_lengths().to_numpy(zero_copy_only=False)
    if len(lengths) and (lengths != width).any():
        row = int(np.argmax(lengths != width))
        raise _bad(f"{where}: record {row} has {int(lengths[row])} features, the shape asks for {width}")
    values = array.flatten()
    if values.null_count:
        raise _bad(f"{where}: {values.null_count} nulls among the features")
    numbers = values.to_numpy(zero_copy_only=False).astype(np.float32).reshape(len(array), width)
    if not np.isfinite(numbers).all():
        row = int(np.argmin(np.isfinite(numbers).all(axis=1)))
        raise _bad(f"{where}: record {row} has a feature that is not finite")
    return numbers


def _labels(column: pa.ChunkedArray, classes: int, where: str) -> np.ndarray:
    array = _whole(column, "label", where)
    if not pa.types.is_integer(array.type):
        raise _bad(f"{where}: the labels are {array.type}, not integers")
    labels = array.to_numpy(zero_copy_only=False)
    outside = (labels < 0) | (labels >= classes)
    if outside.any():
        row = int(np.argmax(outside))
        raise _bad(f"{where}: record {row} has the label {int(labels[row])}; there are {classes} classes")
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
