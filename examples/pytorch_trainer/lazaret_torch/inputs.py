"""What a job refers to, as tensors: the records of a data set version, and the weights of an ONNX graph."""

import io
import json
import math

import numpy as np
import onnx
import pyarrow.parquet as pq
import torch
from onnx import numpy_helper

from .contract import Failure, checked
from .store import Ref, Store, get


def records(store: Store, dataset: Ref) -> tuple[torch.Tensor, torch.Tensor]:
    """(features float32 [N, *featureShape], labels int64 [N]) without the excluded records. Fails with trainer/bad-dataset."""
    try:
        manifest = checked("DatasetManifest", json.loads(get(store, dataset["manifest"], "trainer/bad-dataset")), "trainer/bad-dataset")
        exclusions = manifest["exclusions"]
        excluded = set(json.loads(get(store, exclusions["object"], "trainer/bad-dataset"))) if exclusions else set()
        if len(excluded) != (exclusions["count"] if exclusions else 0):
            raise ValueError("the exclusion list is not as long as the manifest says")
        tables = [pq.read_table(io.BytesIO(get(store, shard["object"], "trainer/bad-dataset"))) for shard in manifest["shards"]]
        ids = [each for table in tables for each in table.column("id").to_pylist()]
        rows = [row for table in tables for row in table.column("features").to_pylist()]
        labels = np.array([each for table in tables for each in table.column("label").to_pylist()], np.int64)
        features = np.array(rows, np.float32).reshape(len(ids), math.prod(manifest["featureShape"]))
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise Failure("trainer/bad-dataset", f"{dataset['name']}: {str(error)[:200]}") from error
    kept = np.array([each not in excluded for each in ids], bool)
    # A list that misses its records would leave poison in.
    if len(set(ids)) != len(ids) or not excluded <= set(ids) or int(kept.sum()) != manifest["records"] or not kept.any():
        raise Failure("trainer/bad-dataset", f"{dataset['name']}: its records are not those that the manifest tells of")
    if not np.isfinite(features).all() or labels.min() < 0 or labels.max() >= len(manifest["classes"]):
        raise Failure("trainer/bad-dataset", f"{dataset['name']}: a feature that is not finite, or a label without a class")
    shaped = features[kept].reshape(-1, *manifest["featureShape"])
    return torch.from_numpy(shaped), torch.from_numpy(labels[kept])


class Graph:
    """The served graph. A trained model is the same graph with other values in its float initializers."""

    def __init__(self, content: bytes):
        try:
            self._proto = onnx.load_model_from_string(content)
        except Exception as error:
            raise Failure("trainer/bad-job", "the base is not an ONNX model") from error

    @property
    def weights(self) -> dict[str, torch.Tensor]:
        """Float initializers by name."""
        arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in self._proto.graph.initializer}
        return {name: torch.tensor(array) for name, array in arrays.items() if array.dtype == np.float32}

    def with_weights(self, weights: dict[str, torch.Tensor]) -> bytes:
        """Fails with trainer/bad-job where a name or a shape is not the graph's, with trainer/diverged where a value is not finite."""
        known = self.weights
        copy = onnx.ModelProto()
        copy.CopyFrom(self._proto)
        for name, value in weights.items():
            if name not in known or known[name].shape != value.shape:
                raise Failure("trainer/bad-job", f"the graph has no weights {name!r} of shape {list(value.shape)}")
            if not torch.isfinite(value).all():
                raise Failure("trainer/diverged", f"the weights {name!r} are not finite")
        for tensor in copy.graph.initializer:
            if tensor.name in weights:
                tensor.ClearField("float_data")
                tensor.raw_data = weights[tensor.name].detach().cpu().numpy().astype("<f4").tobytes()
        return copy.SerializeToString(deterministic=True)
