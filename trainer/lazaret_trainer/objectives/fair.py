"""The objective `fair`: reweighing (Kamiran and Calders 2012). Group and label become independent in what the loss sees."""

import numpy as np

from ..dataset import Records
from ..failures import TrainerFailure
from .standard import Standard
from .state import State


class Fair(Standard):
    def weigh(self, records: Records) -> np.ndarray:
        """P(group) · P(label) / P(group, label) for each record, times its class's weight where classes are balanced."""
        groups, labels = self._groups(records), records.labels
        weights = np.ones(len(labels))
        for group in (0, 1):
            for label in np.unique(labels):
                mine = (groups == group) & (labels == label)
                expected = (groups == group).mean() * (labels == label).mean()
                weights[mine] = expected / max(mine.mean(), 1e-12)
        weights *= super().weigh(records)
        return (weights / weights.mean()).astype(np.float32)

    def figures(self, state: State) -> dict[str, float]:
        """Of the records held back (else of those trained on): the largest differences between the groups over all classes,
        in how often a class is answered (demographic parity) and in how often it is answered rightly or wrongly (equalised odds)."""
        records = self.held or self.records
        answers = self._answers(state.kept if state.best else state.parameters, records.features).argmax(1)
        groups, parity, odds = self._groups(records), [0.0], [0.0]
        for answer in range(len(records.classes)):
            parity.append(_gap(answers == answer, groups, np.ones(len(answers), bool)))
            odds += [_gap(answers == answer, groups, records.labels == label) for label in range(len(records.classes))]
        return {"demographicParityDifference": max(parity), "equalisedOddsDifference": max(odds)}

    def _groups(self, records: Records) -> np.ndarray:
        """int [N], 0 or 1."""
        part = self.options.fair
        assert part is not None
        flat = records.features.reshape(len(records.labels), -1)
        if part.feature >= flat.shape[1]:
            raise TrainerFailure("trainer/bad-job", f"options.fair.feature is {part.feature}, a record has {flat.shape[1]} features")
        groups = (flat[:, part.feature] > part.threshold).astype(int)
        if groups.min() == groups.max():
            raise TrainerFailure("trainer/bad-job", "options.fair: every record is in the same group")
        return groups


def _gap(happened: np.ndarray, groups: np.ndarray, among: np.ndarray) -> float:
    """Difference of a rate between the groups, among some records; 0 where a group has none of them."""
    first, second = (happened[among & (groups == group)] for group in (0, 1))
    return abs(float(first.mean()) - float(second.mean())) if len(first) and len(second) else 0.0
