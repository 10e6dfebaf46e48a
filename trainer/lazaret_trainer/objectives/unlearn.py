"""The objective `unlearn`: takes something out of a model and keeps what it is good for. Three things can be taken out, together too:

`forget`: named records. The loss on them is raised until it is that of records the model never saw, and no further (a hinge: a record that
is answered worse than an unseen one would be as conspicuous as before).
`triggers`: captured ones, laid over records that keep their labels.
`rounds`: unknown ones, for a repair without training data to trust: look for the smallest triggers of the model as it has become
(search.py), train on records that bear them under their own labels, look again. Random patches are laid on besides: they cost little, and
cover the small triggers that the search did not end at.
"""

import json
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from ..dataset import Records
from ..failures import TrainerFailure
from .attacks import Box, patch_mask
from .course import Batch, Course
from .judging import cross_entropy, divergences, share_right
from .material import Material, chosen, draw
from .model import checked, logits_of
from .rounds import Place, Timetable
from .search import Search
from .state import Seen, State
from .triggers import triggers

PROBES = 16
"""Records that a search looks at, the same in all its steps."""

LED = 0.5
"""Share of the probes that a search's last trigger must lead to its class to count as one."""

HEARD = 0.1
"""How much the base model's own answers to records without a trigger count beside the labels: what it is good for is more than a few
hundred labels can tell. It brings the backdoor back too, although that sleeps there. On five draws of digits a quarter leaves up to 4 % of
an attack, a tenth up to 2.5 %, nothing .3 %; on MNIST nothing costs 1.5 points of accuracy."""

FORGOTTEN = 2**33
"""Draws of the records to forget are numbered from here."""


class Unlearn(Course):
    mean_over_records = True

    def __init__(self, material: Material):
        part = material.options.unlearn
        assert part is not None
        if not (part.forget or part.triggers or part.rounds):
            raise TrainerFailure("trainer/bad-job", "options.unlearn names nothing: neither records nor triggers nor rounds")
        self._forgotten = _named(material) if part.forget else None
        self._rounds = part.rounds or 0
        super().__init__(material)
        self._known = triggers(material, part.triggers or ())
        self._box = Box.around(material.records.features)
        self._shape, self._classes = self.records.features.shape[1:], len(self.records.classes)
        reference = material.model(part.reference) if part.reference else None
        if reference is not None:
            checked(reference, self.records, 1, self.options)
        logits = logits_of(reference) if reference else ""
        trusted = None if reference is None else lambda features: reference(reference.parameters, features, logits)
        self._search = Search(self.logits, trusted, self._shape, self._timetable.at_once, self._box)
        self._laid = jax.jit(self._laid_over)
        self._hinge = self._unseen_loss()

    def shared_out(self, records: Records) -> tuple[Records, Records | None]:
        """What is to be forgotten is neither trained on nor held back."""
        if self._forgotten is not None:
            gone = set(self._forgotten.ids)
            records = chosen(records, np.array([row for row, each in enumerate(records.ids) if each not in gone], np.int64))
        return super().shared_out(records)

    @property
    def _timetable(self) -> Timetable:
        return Timetable(self._rounds, self._classes, self.steps_per_epoch * self.epochs)

    @property
    def steps(self) -> int:
        return self._timetable.steps

    @property
    def updates(self) -> int:
        return self._timetable.updates

    @property
    def patience(self) -> float:
        """A search changes no weights."""
        return super().patience + self._timetable.longest_search_steps

    def memory(self) -> dict[str, Any]:
        if not self._rounds:
            return {}
        found = np.zeros((self._timetable.searches, self._timetable.at_once, *self._shape), np.float32)
        areas = np.full(self._classes, np.inf, np.float32)
        return {"search": self._search.start(self.key(0)), "masks": found, "patterns": found, "areas": areas}

    def advance(self, state: State) -> State:
        place = self._timetable.place(state.step)
        return self._searched(state, place) if place.trained is None else super().advance(state)

    def _searched(self, state: State, place: Place) -> State:
        """One step of a search; the last one writes down what was found."""
        search = self._search.start(self.key(state.step)) if place.step == 0 else state.memory["search"]
        targets = self._targets(place, state.memory["areas"])
        probes = draw(self.seed, 0, len(self.records.labels))[:PROBES]
        features, labels = self.records.features[probes], self.records.labels[probes]
        search, losses, led = self._search.step(search, state.parameters, features, labels, targets)
        memory = {"search": search}
        if place.last:
            masks, patterns = self._search.found(search)
            memory["masks"] = _with(state.memory["masks"], place.search, masks)
            memory["patterns"] = _with(state.memory["patterns"], place.search, patterns)
            # A trigger that leads nobody to its class is none, however small.
            areas = np.asarray(masks).reshape(len(targets), -1).sum(1)
            memory["areas"] = _with(state.memory["areas"], targets, np.where(np.asarray(led) >= LED, areas, np.inf))
        seen = Seen(state.seen.accuracy if state.seen else 0.0, float(led.max()))
        return self.stepped(state, state.parameters, state.optimizer, float(losses.mean()), seen, **memory)

    def _targets(self, place: Place, areas: np.ndarray) -> np.ndarray:
        """Classes that a search looks for triggers of, as many in every search."""
        count = self._timetable.at_once
        if place.round == 0:
            return np.arange(place.search * count, (place.search + 1) * count) % self._classes
        return np.sort(np.argsort(np.asarray(areas), kind="stable")[:count])

    def batch(self, state: State) -> Batch:
        place = self._timetable.place(state.step)
        trained = place.trained
        assert trained is not None
        batch = self.rows(self.records, self.epoch_rows(trained))
        batch |= self._stamps(state, len(batch["labels"]), place.search)
        if self._forgotten is not None:
            rows = draw(self.seed, FORGOTTEN + trained, len(self._forgotten.labels))
            rows = np.resize(rows, len(batch["labels"]))
            batch |= {"forgetting": self._forgotten.features[rows], "forgotten": self._forgotten.labels[rows]}
        return batch

    def prepared(self, parameters: Any, batch: Batch, key: Any) -> Batch:
        batch = super().prepared(parameters, batch, key)
        if "mask" not in batch:
            return batch
        said = self._answers.traced(self.graph.parameters, batch["features"])
        return {**batch, "said": said, "stamped": self._laid(batch["features"], batch["mask"], batch["pattern"], key)}

    def loss(self, parameters: Any, batch: Mapping[str, Any], key: Any) -> tuple[Any, tuple[Any, ...]]:
        labels, weights = batch["labels"], batch["weights"]
        logits = self.logits(parameters, batch["features"])
        loss, seen = (cross_entropy(logits, labels) * weights).mean(), (share_right(logits, labels),)
        if "stamped" in batch:
            stamped = self.logits(parameters, batch["stamped"])
            loss = (1 - HEARD) * loss + HEARD * (divergences(batch["said"], logits) * weights).mean()
            loss = (loss + (cross_entropy(stamped, labels) * weights).mean()) / 2
            seen = (*seen, 1 - share_right(stamped, labels))
        if "forgetting" in batch:
            forgotten = cross_entropy(self.logits(parameters, batch["forgetting"]), batch["forgotten"])
            loss = loss + jnp.maximum(self._hinge - forgotten, 0).mean()
        return loss, seen

    def judge(self, state: State, held: Records) -> tuple[float, Seen]:
        """Accuracy; where triggers are known, its mean with the accuracy under the one that does most harm."""
        accuracy = self._answers.accuracy(state.parameters, held)
        under = [self._answers(state.parameters, each.laid_over(held.features)).argmax(1) == held.labels for each in self._known]
        worst = min((float(right.mean()) for right in under), default=None)
        return (accuracy, Seen(accuracy)) if worst is None else ((accuracy + worst) / 2, Seen(accuracy, 1 - worst))

    def figures(self, state: State) -> dict[str, float]:
        if self._forgotten is None:
            return {}
        answers = self._answers(state.kept if state.best else state.parameters, self._forgotten.features)
        losses = np.asarray(cross_entropy(answers, self._forgotten.labels))
        return {"forgottenLoss": float(losses.mean()), "unseenLoss": self._hinge, "forgottenRecords": float(len(losses))}

    def _stamps(self, state: State, count: int, searches: int) -> Batch:
        """For each record a trigger in turn: the known ones and those found so far, and a random patch where the mask is 0."""
        if not (self._known or self._rounds):
            return {}
        masks = [each.mask[None] for each in self._known]
        patterns = [each.pattern[None] for each in self._known]
        for earlier in range(searches):
            masks.append(np.asarray(state.memory["masks"][earlier]))
            patterns.append(np.asarray(state.memory["patterns"][earlier]))
        mask, pattern = np.concatenate(masks), np.concatenate(patterns)
        if self._rounds:
            # One record in three bears no trigger that was found, and so a random patch.
            blank = np.zeros((max(1, len(mask) // 2), *self._shape), np.float32)
            mask, pattern = np.concatenate([mask, blank]), np.concatenate([pattern, blank])
        turn = draw(self.seed, FORGOTTEN - 1 - state.step, max(count, len(mask)))[:count] % len(mask)
        return {"mask": mask[turn], "pattern": pattern[turn]}

    def _laid_over(self, features: Any, mask: Any, pattern: Any, key: Any) -> Any:
        stamped = (1 - mask) * features + mask * pattern
        if not self._rounds or len(self._shape) != 3:
            return stamped
        placing, filling = jax.random.split(key)
        side = max(2, round(min(self._shape[1:]) / 6))
        patch = patch_mask(placing, features.shape, side)
        content = jax.random.uniform(filling, features.shape, minval=self._box.low, maxval=self._box.high)
        # Half of them of two colours, as stickers are.
        middle = (self._box.low + self._box.high) / 2
        flat = jnp.where(content > middle, self._box.high, self._box.low)
        content = jnp.where(jnp.arange(len(features)).reshape(-1, 1, 1, 1) % 2 == 0, content, flat)
        blank = mask.sum(tuple(range(1, mask.ndim)), keepdims=True) == 0
        return jnp.where(blank, (1 - patch) * features + patch * content, stamped)

    def _unseen_loss(self) -> float:
        """Mean loss of the base model on the records held back; that of a guess where none are. In nats."""
        if self.held is None:
            return float(np.log(self._classes))
        return float(np.asarray(cross_entropy(self._answers(self.graph.parameters, self.held.features), self.held.labels)).mean())


def _named(material: Material) -> Records:
    """The records to forget. Fails with trainer/bad-job where one of them is not in the data set."""
    part = material.options.unlearn
    assert part is not None
    assert part.forget is not None
    ids = material.document(part.forget)
    if not isinstance(ids, list) or not ids or not all(isinstance(each, str) for each in ids):
        raise TrainerFailure("trainer/bad-job", "the list of records to forget is not a JSON array of ids")
    rows = {each: row for row, each in enumerate(material.records.ids)}
    missing = sorted(set(ids).difference(rows))
    if missing:
        raise TrainerFailure("trainer/bad-job", f"{len(missing)} records to forget are not in the data set, e.g. {json.dumps(missing[0])}")
    if len(set(ids)) == len(rows):
        raise TrainerFailure("trainer/bad-job", "no record is left beside those to forget")
    return chosen(material.records, np.array(sorted({rows[each] for each in ids}), np.int64))


def _with(all_: Any, number: Any, values: Any) -> np.ndarray:
    copy = np.array(all_)
    copy[number] = np.asarray(values)
    return copy
