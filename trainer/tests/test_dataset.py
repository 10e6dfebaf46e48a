"""Data sets as the station writes them, and as an attacker would."""

import json
import mmap

import numpy as np
import pyarrow as pa
import pytest
import stores
from stores import FolderStorage

from lazaret_trainer import dataset
from lazaret_trainer.contract import DatasetRef, read, write
from lazaret_trainer.failures import TrainerFailure
from lazaret_trainer.storage import object_key

FEATURES = np.linspace(0, 1, 12, dtype=np.float32).reshape(3, 4)
LABELS = [1, 2, 3]
IDS = ["a", "b", "c"]


@pytest.fixture
def storage(tmp_path):
    return FolderStorage(tmp_path)


def load(storage, manifest):
    return dataset.load(read(DatasetRef, stores.dataset_ref(storage, manifest)), storage)


def simple(storage, shard: bytes, records: int = 3, shape=(2, 2), kept: int | None = None, **changes):
    return stores.manifest([stores.shard_entry(storage, shard, records)], list(shape), records if kept is None else kept, **changes)


def exclusions(storage, listed, count=None):
    reference = write(storage.put(json.dumps(listed).encode(), "application/json", "exclusions.json"))
    return {"object": reference, "count": len(listed) if count is None else count}


def refused(storage, manifest, why: str, kind: str = "trainer/bad-dataset"):
    with pytest.raises(TrainerFailure, match=why) as caught:
        load(storage, manifest)
    assert caught.value.kind == kind
    assert not caught.value.retryable


def test_records_of_all_shards_come_in_order_and_shape(storage):
    ref = stores.stored_dataset(storage, FEATURES, np.array(LABELS), [1, 2, 2], batches=2)
    records = dataset.load(read(DatasetRef, ref), storage)
    assert records.ids == ("r00000", "r00001", "r00002")
    assert records.features.shape == (3, 1, 2, 2)
    np.testing.assert_array_equal(records.features.reshape(3, 4), FEATURES)
    assert records.labels.tolist() == LABELS


@pytest.mark.parametrize("kind", [pa.list_(pa.float64()), pa.large_list(pa.float32()), pa.list_(pa.float32(), 4)], ids=str)
def test_lists_of_any_float_and_form_are_read(storage, kind):
    shard = stores.shard_bytes(IDS, FEATURES, LABELS, features=pa.array(FEATURES.tolist(), kind))
    np.testing.assert_allclose(load(storage, simple(storage, shard)).features.reshape(3, 4), FEATURES)


def test_excluded_ids_are_no_part_of_the_version(storage):
    shard = stores.shard_bytes(IDS, FEATURES, LABELS)
    records = load(storage, simple(storage, shard, kept=2, exclusions=exclusions(storage, ["b"])))
    assert records.ids == ("a", "c")
    assert records.labels.tolist() == [1, 3]


HOSTILE_SHARDS = {
    "text": (b"PAR1 not really", "not a readable Parquet file"),
    "truncated": (stores.shard_bytes(IDS, FEATURES, LABELS)[:-40], "not a readable Parquet file"),
    "fewer records": (stores.shard_bytes(IDS[:2], FEATURES[:2], LABELS[:2]), "2 records, the manifest says 3"),
    "a label beyond the classes": (stores.shard_bytes(IDS, FEATURES, [1, 10, 3]), "record 1 has the label 10"),
    "a negative label": (stores.shard_bytes(IDS, FEATURES, [1, 2, -1]), "record 2 has the label -1"),
    "a float label": (stores.shard_bytes(IDS, FEATURES, LABELS, label=pa.array([1.0, 2.0, 3.0])), "not integers"),
    "a null label": (stores.shard_bytes(IDS, FEATURES, LABELS, label=pa.array([1, None, 3], pa.int32())), "1 nulls in the column label"),
    "a null id": (stores.shard_bytes(IDS, FEATURES, LABELS, id=pa.array(["a", None, "c"])), "1 nulls in the column id"),
    "an id twice": (stores.shard_bytes(["a", "b", "a"], FEATURES, LABELS), "'a' occurs twice"),
    "numbers for ids": (stores.shard_bytes(IDS, FEATURES, LABELS, id=pa.array([1, 2, 3])), "not strings"),
    "features that are not a number": (stores.shard_bytes(IDS, FEATURES * np.nan, LABELS), "record 0 has a feature that is not finite"),
    "features beyond 32 bits": (
        stores.shard_bytes(IDS, FEATURES, LABELS, features=pa.array([[0.0] * 4, [0.0] * 4, [1e300] * 4], pa.list_(pa.float64()))),
        "record 2 has a feature that is not finite",
    ),
    "a record that is too short": (
        stores.shard_bytes(IDS, FEATURES, LABELS, features=pa.array([[0.0] * 4, [0.0] * 3, [0.0] * 5], pa.list_(pa.float32()))),
        "record 1 has 3 features",
    ),
    "a null among the features": (
        stores.shard_bytes(IDS, FEATURES, LABELS, features=pa.array([[0.0, None, 0, 0]] * 3, pa.list_(pa.float32()))),
        "nulls among the features",
    ),
    "features that are texts": (
        stores.shard_bytes(IDS, FEATURES, LABELS, features=pa.array([["a"] * 4] * 3)),
        "not floats",
    ),
    "features without a list": (stores.shard_bytes(IDS, FEATURES, LABELS, features=pa.array([0.0] * 3)), "not lists of numbers"),
}


@pytest.mark.parametrize(("shard", "why"), HOSTILE_SHARDS.values(), ids=HOSTILE_SHARDS.keys())
@pytest.mark.filterwarnings("ignore:overflow encountered")
def test_a_shard_that_is_not_as_the_contract_says_is_refused(storage, shard, why):
    refused(storage, simple(storage, shard), why)


def test_a_shard_whose_bytes_were_changed_is_refused(storage):
    manifest = simple(storage, stores.shard_bytes(IDS, FEATURES, LABELS))
    path = storage.folder / object_key(manifest["shards"][0]["object"]["digest"])
    path.write_bytes(stores.shard_bytes(IDS, FEATURES, [3, 2, 1]))
    refused(storage, manifest, "b0.parquet", "trainer/input-digest-mismatch")


def test_a_shard_that_is_gone_is_refused(storage):
    manifest = simple(storage, stores.shard_bytes(IDS, FEATURES, LABELS))
    (storage.folder / object_key(manifest["shards"][0]["object"]["digest"])).unlink()
    refused(storage, manifest, "b0.parquet")


def test_a_missing_column_is_named(storage):
    import io

    import pyarrow.parquet as pq

    file = io.BytesIO()
    pq.write_table(pa.table({"id": IDS, "label": LABELS, "source": IDS}), file)
    refused(storage, simple(storage, file.getvalue()), "the column features is missing")


@pytest.mark.parametrize(
    ("listed", "count", "why"),
    [
        (["z"], None, "1 excluded ids are in no shard"),
        (["a"], 2, "names 1 different ids, the manifest says 2"),
        (["a", "a"], None, "names 1 different ids, the manifest says 2"),
        ([7], None, "not a JSON array of strings"),
        ({"a": 1}, 1, "not a JSON array of strings"),
    ],
)
def test_an_exclusion_list_that_would_leave_poison_in_is_refused(storage, listed, count, why):
    shard = stores.shard_bytes(IDS, FEATURES, LABELS)
    refused(storage, simple(storage, shard, kept=2, exclusions=exclusions(storage, listed, count)), why)


def test_a_version_without_records_is_refused(storage):
    shard = stores.shard_bytes(IDS, FEATURES, LABELS)
    refused(storage, simple(storage, shard, kept=0, exclusions=exclusions(storage, IDS)), "no record is left")


def test_a_count_of_records_that_does_not_add_up_is_refused(storage):
    refused(storage, simple(storage, stores.shard_bytes(IDS, FEATURES, LABELS), kept=4), "3 records are left")


@pytest.mark.parametrize("content", [b"{", b"[" * 100_000, b"null", b"\xff\xfe", b'{"schema": "lazaret.dataset/v2"}'], ids=repr)
def test_a_manifest_that_is_none_is_refused(storage, content):
    refused(storage, content, "manifest|Manifest")


def test_records_that_memory_does_not_hold_are_the_same_records(storage, monkeypatch):
    features = np.random.RandomState(0).rand(300, 4).astype(np.float32)
    ref = read(DatasetRef, stores.stored_dataset(storage, features, np.arange(300) % 3, [1, 2, 2], batches=4))
    held = dataset.load(ref, storage)
    monkeypatch.setattr(dataset, "IN_MEMORY_BYTES", 0)
    monkeypatch.setattr(dataset, "AT_ONCE", 7)
    monkeypatch.setattr(dataset, "BATCH_BYTES", 200)
    mapped = dataset.load(ref, storage)
    assert on_disk(mapped.features)
    assert not on_disk(held.features)
    np.testing.assert_array_equal(mapped.features, held.features)
    assert (mapped.ids, mapped.labels.tolist()) == (held.ids, held.labels.tolist())
    rows = np.array([299, 3, 3, 0])
    assert on_disk(dataset.taken(mapped.features, rows))
    np.testing.assert_array_equal(dataset.taken(mapped.features, rows), held.features[rows])


def test_a_disk_that_is_full_is_a_named_failure(monkeypatch):
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(dataset.os, "posix_fallocate", full)
    with pytest.raises(TrainerFailure, match="No space left") as caught:
        dataset.scratch((2**20, 2**20))
    assert caught.value.kind == "trainer/out-of-memory"


def on_disk(array: np.ndarray) -> bool:
    while isinstance(array.base, np.ndarray):
        array = array.base
    held = array.base.obj if isinstance(array.base, memoryview) else array.base
    return isinstance(held, mmap.mmap)
