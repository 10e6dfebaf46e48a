"""Shares with their interval."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class MeasuredShare:
    """A share of n trials with Wilson's interval (1927) at 95 %."""

    value: float
    low: float
    high: float
    n: int


def wilson(hits: int, n: int, z: float = 1.959964) -> MeasuredShare:
    if n == 0:
        return MeasuredShare(0.0, 0.0, 1.0, 0)
    share = hits / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * float(np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)))
    return MeasuredShare(share, max(0.0, min(share, middle - reach)), min(1.0, max(share, middle + reach)), n)
