"""The statistics behind the verdict, as laws."""

import jax.numpy as jnp
import numpy as np
import pytest

from lazaret_trainer.forensics.calibration import Honest, fit, judge
from lazaret_trainer.forensics.evidence import ahead, ease, ratio, together
from lazaret_trainer.forensics.families import Stripes
from lazaret_trainer.forensics.flip_shift import STANDS_OUT, flip_shifts, largest, log_shifts, outstanding, shared_shifts
from lazaret_trainer.forensics.max_margin import gamma_p_value
from lazaret_trainer.forensics.measured import wilson


def test_wilsons_interval_holds_the_share_and_is_never_empty():
    for hits, n in ((0, 20), (20, 20), (7, 50), (1, 3)):
        share = wilson(hits, n)
        assert 0 <= share.low <= share.value <= share.high <= 1
        assert share.high > share.low
    assert wilson(0, 0).high == 1


def test_wilsons_interval_agrees_with_a_published_value():
    share = wilson(8, 10)
    assert (share.low, share.high) == (pytest.approx(0.4902, abs=1e-4), pytest.approx(0.9433, abs=1e-4))


def test_the_ratio_changes_its_sign_when_the_models_are_exchanged():
    sizes, counter = np.array([9.0, 3.0, 8.0]), np.array([7.0, 9.0, np.inf])
    assert ratio(sizes, counter, 32)[0] == pytest.approx(-ratio(counter, sizes, 32)[0])
    assert ratio(sizes, counter, 32)[1] == 1


def test_where_nothing_was_found_the_ratio_accuses_nobody():
    nothing = np.full(3, np.inf)
    assert ratio(nothing, nothing, 32)[0] == 0
    assert ratio(nothing, np.array([1.0, 2.0, 3.0]), 32)[0] < 0


def test_a_trigger_as_large_as_the_record_accuses_nobody():
    assert ratio(np.array([60.0, 50.0]), np.array([np.inf, np.inf]), 32)[0] == 0


def test_a_higher_score_never_has_a_higher_p_value():
    honest = Honest(0.1, 0.2, 9)
    values = [honest.p_value(score) for score in np.linspace(-1, 2, 20)]
    assert values == sorted(values, reverse=True)
    assert honest.p_value(honest.threshold(0.05)) == pytest.approx(0.05)


def test_the_floor_keeps_equal_scores_from_proving_anything():
    assert fit([0.3, 0.3, 0.3], floor=0.1).deviation == 0.1


def test_scores_that_do_not_decide_are_told_and_do_not_accuse():
    honest = {"patch": Honest(0, 0.1, 9), "margin": Honest(0, 0.1, 9)}
    judged = judge({"patch": 0.0, "margin": 5.0}, {"patch": 1, "margin": 2}, honest, ["patch"])
    assert judged.p_value == pytest.approx(0.5)
    assert judged.each["margin"] < 1e-6


def test_the_flip_shift_names_the_pair_whatever_the_order_of_records():
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 20)
    golden = np.eye(3)[labels] * 0.9 + 0.03
    suspect = golden.copy()
    suspect[labels == 2] += np.array([0.2, 0, -0.2])
    order = random.permutation(60)
    seen = suspect[order], golden[order], labels[order]
    found = largest(flip_shifts(*seen), log_shifts(*seen))
    assert (found.source, found.target, found.shift) == (2, 0, pytest.approx(0.2))


def test_classes_with_few_records_have_no_shift():
    shifts = flip_shifts(np.array([[0.0, 1.0]]), np.array([[1.0, 0.0]]), np.array([0]))
    assert not shifts.any()


def test_one_margin_far_above_the_others_is_unlikely_under_their_gamma():
    assert gamma_p_value(np.array([5, 5.2, 4.8, 5.1, 4.9, 9.0])) < 0.01 < gamma_p_value(np.array([5, 5.2, 4.8, 5.1, 4.9, 5.15]))


def test_a_class_whose_records_all_lean_a_little_counts_for_more_than_a_few_records_that_changed_sides():
    labels = np.repeat([0, 1, 2], 40)
    golden = np.eye(3)[labels] * 0.97 + 0.01
    suspect = golden.copy()
    suspect[labels == 0] += np.array([-0.06, 0.06, 0])
    suspect[np.flatnonzero(labels == 1)[:4]] = [0.01, 0.01, 0.98]
    plain, logs = flip_shifts(suspect, golden, labels), log_shifts(suspect, golden, labels)
    assert largest(plain, plain).source == 1
    assert (largest(plain, logs).source, largest(plain, logs).target) == (0, 1)


def test_two_models_that_part_over_all_pairs_have_no_flipped_one():
    random = np.random.default_rng(0)
    everywhere = random.normal(0, 0.5, (6, 6))
    np.fill_diagonal(everywhere, 0)
    flipped = everywhere / 5
    flipped[2, 4] = 1.5
    assert outstanding(everywhere) < STANDS_OUT < outstanding(flipped)
    assert outstanding(np.array([[0, 1.0], [0.1, 0]])) == np.inf


def test_a_stand_in_that_is_weaker_in_all_classes_alike_changes_no_lead():
    sizes, counter = np.array([9.0, 3.0, 8.0, 10.0]), np.array([9.5, 9.0, 8.5, 10.0])
    assert np.allclose(ahead(ease(sizes, counter * 0.5, 32)), ahead(ease(sizes, counter, 32)))
    assert ahead(ease(sizes, counter, 32)).argmax() == 1


def test_a_class_that_leads_by_every_measure_passes_one_that_leads_by_one():
    leads = {"patch": np.array([0.5, 0.0, 0.8, 0.0]), "additive": np.array([0.4, 0.0, 0.0, -0.1]), "margin": np.array([0.3, 0.1, 0.0, 0.0])}
    assert together(leads).argmax() == 0


def test_stripes_run_along_rows_and_columns_alike_in_every_channel():
    family = Stripes()
    variables = (jnp.array([0.3, 0.0, 0.0, 0.0]), jnp.array([0.0, 0.0, 0.2]))
    low, high = np.zeros((3, 1, 1), np.float32), np.ones((3, 1, 1), np.float32)
    change = np.asarray(family.lay(variables, np.zeros((2, 3, 4, 3), np.float32), low, high))
    assert (change == change[:1, :1]).all()
    assert change[0, 0] == pytest.approx(np.array([[0.3, 0.3, 0.5], [0, 0, 0.2], [0, 0, 0.2], [0, 0, 0.2]]), abs=1e-6)
    assert float(family.size(variables)) == pytest.approx(np.linalg.norm(change[0, 0]), abs=1e-5)


def test_one_sign_in_many_frames_on_which_honest_models_part_is_no_flip():
    """Ten classes of four signs with ten frames each: all frames of one sign change sides, or all records of a class lean a little."""
    labels = np.repeat(np.arange(10), 40)
    golden = np.full((400, 10), 0.005)
    golden[np.arange(400), labels] = 0.955
    parted, leaning = golden.copy(), golden.copy()
    parted[:10, [0, 3]] = parted[:10, [3, 0]]
    leaning[labels == 5, 7] += 0.1
    assert log_shifts(parted, golden, labels)[0, 3] > 0.9
    assert shared_shifts(parted, golden, labels).max() == 0
    shared = shared_shifts(leaning, golden, labels)
    assert np.unravel_index(shared.argmax(), shared.shape) == (5, 7)
    assert shared.max() > 1
