"""The objective `incremental`: goes on from a model with new records, and rehearses old ones so that it does not forget them.

Experience replay with a fixed share of every batch (Ratcliff 1990; Chaudhry et al. 2019).
"""

import numpy as np

from ..dataset import Records
from .course import Batch
from .material import Material, draw, parted
from .standard import Standard
from .state import State

REPLAY = 2**32
"""Draws of the old records are numbered from here, those of the new ones from 0."""


class Incremental(Standard):
    def __init__(self, material: Material):
        part = material.options.incremental
        assert part is not None
        self._old = material.dataset(part.replay)
        super().__init__(material)
        self._rehearsed = min(max(1, round(part.replay_share * self.batch_size)), self.batch_size - 1)
        """Old records in a batch; at least one of each kind where a batch has two."""

    def shared_out(self, records: Records) -> tuple[Records, Records | None]:
        """Old and new records are held back alike: what was forgotten must be seen."""
        if not self.options.hold_back:
            return records, None
        new, held = parted(records, self.options.hold_back.share, self.seed)
        self._old, held_old = parted(self._old, self.options.hold_back.share, self.seed)
        features, labels = np.concatenate([held.features, held_old.features]), np.concatenate([held.labels, held_old.labels])
        return new, Records(features, labels, held.ids + held_old.ids, held.classes)

    @property
    def steps_per_epoch(self) -> int:
        """An epoch is one pass over the new records."""
        return len(self.records.labels) // (self.batch_size - self._rehearsed) or 1

    def batch(self, state: State) -> Batch:
        epoch, batch = divmod(state.step, self.steps_per_epoch)
        size = self.batch_size - self._rehearsed
        new = self.rows(self.records, self._order(epoch, len(self.records.labels))[batch * size : (batch + 1) * size])
        old = self.rows(self._old, self._old_rows(state.step * self._rehearsed))
        return {name: np.concatenate([new[name], old[name]]) for name in new}

    def _old_rows(self, first: int) -> np.ndarray:
        """Rows first, first + 1, … of an endless row of permutations of the old records."""
        count = len(self._old.labels)
        passes, places = np.divmod(np.arange(first, first + self._rehearsed), count)
        orders = {int(number): draw(self.seed, REPLAY + int(number), count) for number in np.unique(passes)}
        return np.array([orders[int(number)][place] for number, place in zip(passes, places, strict=True)], np.int64)
