"""Batches over all devices of the machine: each computes the gradient of its share of the records, and the shares are summed."""

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec


def spread(batch: Mapping[str, np.ndarray]) -> Mapping[str, Any]:
    """The same arrays, cut along the records over as many local devices as divide their numbers. With one device, as they are.

    XLA then divides the step by itself. Sums of other shares round otherwise: the bits of a result are those of a number of devices, and a
    job that is to end in the same bits goes on where there are as many.
    """
    devices = jax.local_devices()
    # An objective may add records of another kind, in another number.
    used = next(count for count in range(len(devices), 0, -1) if all(len(values) % count == 0 for values in batch.values()))
    if used == 1:
        return batch
    cut = NamedSharding(Mesh(np.array(devices[:used]), ("records",)), PartitionSpec("records"))
    return {name: jax.device_put(values, cut) for name, values in batch.items()}
