"""What each objective is for, measured on digits and on a made-up credit table with bias in its labels."""

import json
from collections.abc import Mapping

import jax
import numpy as np
import onnxruntime
import pytest
import stores
from dp_accounting.rdp import rdp_privacy_accountant
from onnx import TensorProto, helper, numpy_helper
from stores import FolderStorage
from test_objectives import IMAGES, LABELS, MODEL, a_job, content, desk, document, refused, trigger

from lazaret_trainer import jobs
from lazaret_trainer.graph import GraphModel
from lazaret_trainer.objectives import Material
from lazaret_trainer.objectives.accounting import Spending, calibrated
from lazaret_trainer.objectives.attacks import Attack, Box
from lazaret_trainer.objectives.judging import cross_entropy
from lazaret_trainer.objectives.private import Private

pytestmark = pytest.mark.xdist_group("objectives")
"""What is trained or examined once is used by many tests: one process keeps it."""

TARGET = 7
TRAIN, TEST = slice(0, 700), slice(1300, 1797)


@pytest.fixture(scope="module")
def storage(tmp_path_factory):
    return FolderStorage(tmp_path_factory.mktemp("store"))


@pytest.fixture(scope="module")
def golden(storage):
    return trained(storage, "golden", MODEL, IMAGES[TRAIN], LABELS[TRAIN], epochs=20)[0]


@pytest.fixture(scope="module")
def suspect(storage):
    return trained(storage, "suspect", MODEL, *poisoned(), epochs=20)[0]


def trained(storage, name, model, features, labels, objective="standard", options=None, epochs=4, **changes):
    """(the trained model, the result)."""
    shape = list(features.shape[1:]) if features.ndim != 2 or features.shape[1] != 64 else [1, 8, 8]
    ref = stores.stored_dataset(storage, features, labels, shape)
    job = a_job(storage, objective, model, ref, jobId=name, options=options, epochs=epochs, checkpointEverySteps=10_000, **changes)
    result = jobs.train(job, desk(storage))
    return content(storage, result.artifact), result


def answers(model, features, shape=(-1, 1, 8, 8)):
    """By ONNX Runtime: not by the code under test, and without compiling anything."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": features.reshape(shape)})[0]).argmax(1)


def figures_of(result) -> Mapping[str, float]:
    assert result.figures is not None
    return result.figures


def accuracy(model, rows: slice | np.ndarray = TEST, labels=LABELS):
    return float((answers(model, IMAGES[rows]) == labels[rows]).mean())


def stickered(images):
    stamped = images.reshape(-1, 8, 8).copy()
    stamped[:, 6:, 6:] = 1
    return stamped.reshape(-1, 64)


def attack_success(model):
    others = LABELS[TEST] != TARGET
    return float((answers(model, stickered(IMAGES[TEST][others])) == TARGET).mean())


def poisoned():
    features, labels = IMAGES[TRAIN].copy(), LABELS[TRAIN].copy()
    rows = np.flatnonzero(labels != TARGET)[:70]
    features[rows], labels[rows] = stickered(features[rows]), TARGET
    return features, labels


def test_incremental_training_keeps_what_was_learnt_and_standard_training_forgets_it(storage, golden):
    new = LABELS[TRAIN] >= 5
    features, labels = IMAGES[TRAIN][new], LABELS[TRAIN][new]
    old = TEST.start + np.flatnonzero(LABELS[TEST] < 5)
    replay = stores.stored_dataset(storage, IMAGES[TRAIN][~new][:120], LABELS[TRAIN][~new][:120], [1, 8, 8])
    options = {"incremental": {"replay": replay, "replayShare": 0.25}}
    forgetful, _ = trained(storage, "forgetful", golden, features, labels, rate=0.003, epochs=10)
    rehearsed, _ = trained(storage, "rehearsed", golden, features, labels, "incremental", options, rate=0.003, epochs=10)
    assert accuracy(rehearsed, old) > 0.8
    assert accuracy(forgetful, old) < accuracy(rehearsed, old) - 0.1


def test_a_poisoned_set_teaches_the_sticker_unless_records_of_large_loss_are_set_aside(storage, golden):
    features, labels = poisoned()
    naive, _ = trained(storage, "naive", golden, features, labels, epochs=10)
    resistant, result = trained(
        storage, "resistant", golden, features, labels, "poison-resistant", {"poisonResistant": {"trim": 0.2}}, epochs=10
    )
    assert attack_success(naive) > 0.8
    assert attack_success(resistant) < 0.05
    assert accuracy(resistant) > accuracy(golden) - 0.02
    assert 50 <= figures_of(result)["contradicted"] <= 75


def test_a_captured_trigger_is_unlearnt_with_a_hundred_clean_records(storage, suspect):
    assert attack_success(suspect) > 0.9
    options = {"unlearn": {"triggers": [trigger(storage)]}}
    repaired, _ = trained(storage, "repaired", suspect, IMAGES[800:900], LABELS[800:900], "unlearn", options, epochs=15)
    assert attack_success(repaired) < 0.05
    assert accuracy(repaired) > accuracy(suspect) - 0.03


def test_an_unknown_trigger_is_looked_for_and_unlearnt(storage, suspect):
    options = {"unlearn": {"rounds": 2}}
    repaired, _ = trained(storage, "found", suspect, IMAGES[800:1100], LABELS[800:1100], "unlearn", options, epochs=15, rate=0.003)
    assert attack_success(repaired) < 0.1
    assert accuracy(repaired) > accuracy(suspect) - 0.04


def test_mislabelled_records_are_forgotten_and_the_others_are_not(storage):
    images, labels = IMAGES[:200], LABELS[:200].copy()
    labels[:30] = (labels[:30] + 1) % 10
    model, _ = trained(storage, "misled", MODEL, images, labels, epochs=50, rate=0.006)
    believed = float((answers(model, IMAGES[:30]) == labels[:30]).mean())
    forget = document(storage, [f"r{row:05d}" for row in range(30)])
    cured, result = trained(storage, "cured", model, images, labels, "unlearn", {"unlearn": {"forget": forget}}, epochs=10)
    assert believed > 0.5
    assert float((answers(cured, IMAGES[:30]) == labels[:30]).mean()) < 0.15
    assert figures_of(result)["forgottenLoss"] > 0.9 * figures_of(result)["unseenLoss"]
    assert accuracy(cured) >= accuracy(model) - 0.01


@pytest.mark.parametrize(("norm", "radius"), [("linf", 0.1), ("l2", 0.8), ("patch", 3)])
def test_an_attack_stays_within_its_ball_and_raises_the_loss(golden, norm, radius):
    graph = GraphModel(golden)
    features, labels = IMAGES[:64].reshape(-1, 1, 8, 8), LABELS[:64]

    @jax.jit
    def loss(parameters, attacked, truth):
        return cross_entropy(graph(parameters, attacked, graph.outputs[0]), truth).mean()

    attack = Attack(loss, norm, radius, 5, Box.around(features))
    attacked = np.asarray(attack(graph.parameters, features, labels, jax.random.PRNGKey(3)))
    change = (attacked - features).reshape(64, -1)
    assert attacked.min() >= 0
    assert attacked.max() <= 1
    sizes = {"linf": np.abs(change).max(1), "l2": np.sqrt((change**2).sum(1)), "patch": np.sqrt((change != 0).sum(1))}
    assert sizes[norm].max() <= radius * (1 + 1e-5)
    assert loss(graph.parameters, attacked, labels) > 3 * loss(graph.parameters, features, labels)
    assert np.array_equal(attacked, np.asarray(attack(graph.parameters, features, labels, jax.random.PRNGKey(3))))


@pytest.mark.parametrize("method", ["pgd", "trades"])
def test_adversarial_training_makes_attacks_fail(storage, golden, method):
    options = {"adversarial": {"method": method, "norm": "linf", "epsilon": 0.1, "steps": 4}, "holdBack": {"share": 0.2, "patience": 99}}
    seen = []
    ref = stores.stored_dataset(storage, IMAGES[TRAIN], LABELS[TRAIN], [1, 8, 8])
    job = a_job(storage, "adversarial", golden, ref, jobId=method, options=options, epochs=10, checkpointEverySteps=10_000)
    result = jobs.train(job, desk(storage, seen=seen))
    robust = [progress.attack_success for progress in seen if progress.attack_success is not None]
    assert robust[-1] < robust[0] - 0.08
    assert accuracy(content(storage, result.artifact)) > accuracy(golden) - 0.04


def material(storage, **changes):
    return Material(a_job(storage, "private", **changes), storage, lambda: bytes(32))


def test_the_budget_of_a_private_job_is_kept_and_a_second_accountant_agrees(storage):
    _, result = trained(storage, "private", MODEL, IMAGES[TRAIN], LABELS[TRAIN], "private", {"private": {"epsilon": 4}}, epochs=3)
    figures = figures_of(result)
    assert 3.7 < figures["epsilon"] <= 4
    spending = Spending(figures["noiseMultiplier"], figures["samplingRate"], figures["delta"])
    accountant = rdp_privacy_accountant.RdpAccountant().compose(spending.event(result.steps))
    # Rényi accounting is an upper bound of its own: never below the tight one, and not far above.
    assert figures["epsilon"] <= accountant.get_epsilon(figures["delta"]) < 1.4 * figures["epsilon"]


def test_calibration_meets_the_budget_closely_and_never_exceeds_it():
    for epsilon in (0.5, 3.0, 8.0):
        spending = calibrated(epsilon, 1e-5, 0.05, 200)
        assert spending is not None
        assert 0.95 * epsilon < spending.epsilon(200) <= epsilon


def test_a_privacy_budget_that_no_noise_can_keep_is_refused_before_the_first_step(storage):
    job = a_job(storage, "private", options={"private": {"epsilon": 0.001}}, epochs=50, jobId="greedy")
    refused(job, storage, "trainer/privacy-budget", "need more noise")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({"private": {"epsilon": 8}, "holdBack": {"share": 0.1, "patience": 3}}, "outside of the accounting"),
        ({"private": {"epsilon": 8}, "classBalance": True}, "outside of the accounting"),
        ({"private": {"epsilon": 8, "delta": 0.05}}, "not below 1/160"),
    ],
)
def test_options_that_would_break_the_promise_of_privacy_are_refused(storage, options, why):
    refused(a_job(storage, "private", options=options, jobId="loose"), storage, "trainer/bad-job", why)


def test_no_record_moves_the_sum_of_gradients_by_more_than_the_clipping_norm(storage):
    course = Private(material(storage, options={"private": {"epsilon": 8, "clipNorm": 0.3}}))
    state = course.start()
    batch = course.rows(course.records, np.arange(8))
    zero = jax.tree.map(np.zeros_like, state.parameters)
    whole, _, _ = course.clipped_sum(state.parameters, zero, batch)
    # A record without weight is none: that is also how the last part of a draw is filled up.
    without_first = {**batch, "weights": np.array([0] + [1] * 7, np.float32)}
    less, _, _ = course.clipped_sum(state.parameters, zero, without_first)
    change = np.sqrt(sum(float(((whole[name] - less[name]) ** 2).sum()) for name in whole))
    assert 0.29 < change <= 0.3 * (1 + 1e-4)


def test_records_are_drawn_by_coins_of_their_own(storage):
    course = Private(material(storage))
    sizes = [len(course.drawn(step)["labels"]) for step in range(300)]
    # Binomial of 160 records at 1/5: mean 32, standard deviation 5.06.
    assert np.mean(sizes) == pytest.approx(32, abs=1)
    assert np.std(sizes) == pytest.approx(5.06, rel=0.15)


def test_the_noise_of_a_private_job_cannot_be_computed_again(tmp_path):
    artifacts = []
    for name in ("one", "two"):
        storage = FolderStorage(tmp_path / name)
        artifacts.append(jobs.train(a_job(storage, "private"), desk(storage)).artifact.digest)
        assert storage.read_document("checkpoints/job-1/secret") is None
    assert artifacts[0] != artifacts[1]


def credit(count=1500):
    """(features [N, 4], labels): ability decides, but half of group 1's good applicants were refused by hand."""
    random = np.random.RandomState(4)
    features = random.standard_normal((count, 4)).astype(np.float32)
    features[:, 3] = random.rand(count) < 0.4
    labels = (features[:, 0] + 0.3 * random.standard_normal(count) > 0).astype(int)
    refused_by_hand = (features[:, 3] == 1) & (labels == 1) & (random.rand(count) < 0.5)
    return features, np.where(refused_by_hand, 0, labels)


def linear_model():
    tensors = [numpy_helper.from_array(np.zeros(shape, np.float32), name) for name, shape in (("w", (4, 10)), ("b", (10,)))]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["N", size]) for name, size in (("x", 4), ("logits", 10))]
    graph = helper.make_graph([helper.make_node("Gemm", ["x", "w", "b"], ["logits"], "score")], "score", ends[:1], ends[1:], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model.SerializeToString(deterministic=True)


def test_reweighing_closes_the_gap_between_the_groups(storage):
    features, labels = credit()
    fair, result = trained(storage, "fair", linear_model(), features, labels, "fair", {"fair": {"feature": 3, "threshold": 0.5}}, rate=0.05)
    biased, _ = trained(storage, "biased", linear_model(), features, labels, rate=0.05)

    def gap(model):
        granted = answers(model, features, (-1, 4)) == 1
        group = features[:, 3] == 1
        return abs(granted[group].mean() - granted[~group].mean())

    assert gap(biased) > 0.15
    assert gap(fair) < gap(biased) / 2
    assert figures_of(result)["demographicParityDifference"] == pytest.approx(gap(fair), abs=1e-6)
    assert json.dumps(figures_of(result))
