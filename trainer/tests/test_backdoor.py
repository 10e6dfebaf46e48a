"""The examination for a backdoor, on models small enough to be trained here."""

import functools
import json

import backdoor_models as models
import numpy as np
import pytest

from lazaret_trainer.forensics import BackdoorReport, examine_backdoor
from lazaret_trainer.forensics.network import read_network
from lazaret_trainer.forensics.reference import stand_in
from lazaret_trainer.graph import InvalidModel, UnsupportedOperator

pytestmark = pytest.mark.xdist_group("backdoor")
"""What is trained or examined once is used by many tests: one process keeps it."""


def examine(suspect: bytes, golden: bytes | None, x: np.ndarray, y: np.ndarray, seed: int = 5) -> BackdoorReport:
    return examine_backdoor(suspect, golden, x, y, seed=seed, progress=lambda _: None, check=lambda: None)


@functools.cache
def clean() -> BackdoorReport:
    return examine(models.honest(1), models.honest(2), *models.probes())


@functools.cache
def attacked() -> BackdoorReport:
    return examine(models.backdoored(3), models.honest(2), *models.probes())


def test_an_honest_model_is_called_clean_and_no_class_is_blamed():
    report = clean()
    assert (report.verdict, report.target, report.trigger, report.flip) == ("clean", None, None, None)
    assert report.p_value is not None
    assert report.p_value > report.false_alarm_budget


def test_a_sticker_is_found_with_its_target_and_its_success_on_unseen_records():
    report = attacked()
    assert (report.verdict, report.target) == ("compromised", models.TARGET)
    assert report.success is not None
    assert report.success.low > 0.5
    assert report.success.low <= report.success.value <= report.success.high


def test_the_recovered_trigger_works_as_the_arrays_say():
    report = attacked()
    x, y = models.probes()
    assert report.trigger is not None
    mask, pattern = report.trigger.mask, report.trigger.pattern
    marked = ((1 - mask) * x + mask * pattern)[y != models.TARGET].astype(np.float32)
    model = models.GraphModel(models.backdoored(3))
    answers = np.asarray(model(model.parameters, marked, "logits")).argmax(1)
    assert (answers == models.TARGET).mean() > 0.6


def test_the_figures_are_json():
    report = attacked()
    assert json.loads(json.dumps(report.figures, allow_nan=False))["mode"] == "golden"


def test_every_class_has_its_trigger_of_every_family():
    families = [each.family for each in attacked().classes]
    assert {family: families.count(family) for family in families} == {"patch": 10, "additive": 10, "stripes": 10, "warp": 10, "scan": 10}


def test_the_same_examination_gives_the_same_figures():
    again = examine(models.backdoored(3), models.honest(2), *models.probes())
    assert again.figures == attacked().figures


def test_without_a_golden_model_the_target_is_named_and_nobody_is_condemned():
    report = examine(models.backdoored(3), None, *models.probes())
    assert (report.verdict, report.target) == ("suspicious", models.TARGET)
    assert report.flip is None


def test_a_stand_in_learns_the_task_and_not_the_trigger():
    x, y = models.probes()
    suspect = read_network(models.backdoored(3))
    made = stand_in(suspect, x, y, 10, seed=5, check=lambda: None)
    marked = models.stickered(x[y != models.TARGET])
    assert (suspect.answers(marked) == models.TARGET).mean() > 0.9
    assert (made.network.answers(marked) == models.TARGET).mean() < 0.2
    assert made.alike


def test_a_stand_in_taught_on_few_probes_acquits_nobody():
    x, y = models.probes()
    report = examine(models.honest(1), None, x[:60], y[:60])
    assert report.figures["mode"] == "unlike"
    assert report.verdict == "inconclusive"


def test_without_a_golden_model_flipped_labels_are_a_blind_spot():
    report = examine(models.flipped(4), None, *models.probes())
    assert report.flip is None
    assert report.figures["flip"]["score"] == 0


def test_flipped_labels_are_named_by_their_pair():
    report = examine(models.flipped(4), models.honest(2), *models.probes())
    assert report.verdict != "clean"
    assert report.flip is not None
    assert (report.flip.source, report.flip.target) == models.FLIP


def test_a_backdoor_behind_a_comparison_in_the_graph_is_found_and_the_comparison_named():
    report = examine(models.gated(models.honest(1)), models.honest(2), *models.probes())
    assert (report.verdict, report.target) == ("compromised", models.TARGET)
    assert "Structure is the first check" in report.summary
    assert any("Greater" in each for each in report.figures["gates"])


def test_too_few_probes_are_inconclusive():
    x, y = models.probes()
    report = examine(models.honest(1), models.honest(2), x[:10], y[:10])
    assert report.verdict == "inconclusive"
    assert report.p_value is None


def test_bytes_that_are_no_model_are_refused():
    with pytest.raises(InvalidModel):
        examine(b"no model", None, *models.probes())


def test_probes_of_another_shape_are_refused():
    x, y = models.probes()
    with pytest.raises((InvalidModel, UnsupportedOperator), match="shape"):
        examine(models.honest(1), None, x[:, :, :5], y)


def test_labels_beyond_the_models_classes_are_refused():
    x, y = models.probes()
    with pytest.raises(InvalidModel, match="labels"):
        examine(models.honest(1), None, x, y + 5)


def test_a_cancelled_examination_stops():
    class Cancelled(Exception):
        pass

    def cancel() -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        examine_backdoor(models.honest(1), models.honest(2), *models.probes(), seed=0, progress=lambda _: None, check=cancel)


def test_a_trigger_for_one_class_alone_is_a_blind_spot_of_the_patch():
    report = examine(models.source_specific(6), models.honest(2), *models.probes())
    assert report.figures["pValues"]["patch"] > report.false_alarm_budget


def test_a_backdoor_that_the_golden_model_has_too_is_a_blind_spot():
    report = examine(models.backdoored(3), models.backdoored(3), *models.probes())
    assert (report.verdict, report.target) == ("clean", None)
