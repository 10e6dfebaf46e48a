"""The look inside a model: layers, units, patterns, gradients, and what pulled where."""

import backdoor_models as models
import networks
import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from lazaret_trainer.attribution import Labelled, explain
from lazaret_trainer.attribution.departure import departure
from lazaret_trainer.attribution.divergence import divergence
from lazaret_trainer.attribution.dormant import dormancy
from lazaret_trainer.attribution.explanation import FEWEST_SUSPECTS
from lazaret_trainer.attribution.influence import residuals
from lazaret_trainer.attribution.layers import MOST_LAYERS, Activations, anatomy
from lazaret_trainer.attribution.patterns import OUTSIDE, fitted
from lazaret_trainer.attribution.saliency import saliency
from lazaret_trainer.graph import InvalidModel


def activations(*layers: np.ndarray) -> Activations:
    names = tuple(f"layer{place}" for place in range(len(layers)))
    return Activations(names, list(layers), list(layers), layers[-1], layers[-1])


def normal(seed: int, *shape: int) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def incident(sticker_share: float = 0.25) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What clients sent, which of it wears the sticker, and its true classes."""
    x, y = models.probes()
    worn = (np.arange(len(y)) % round(1 / sticker_share) == 0) & (y != models.TARGET) if sticker_share else np.zeros(len(y), bool)
    return np.where(worn[:, None, None, None], models.stickered(x), x), worn, y


def poisoned_records() -> tuple[Labelled, np.ndarray]:
    """As `models.backdoored` was trained on, and which of them are the attacker's."""
    x, y = (each.copy() for each in models.train_records())
    rows = np.flatnonzero(y != models.TARGET)[:120]
    x[rows], y[rows] = models.stickered(x[rows]), models.TARGET
    planted = np.zeros(len(y), bool)
    planted[rows] = True
    return Labelled(x, y), planted


def looked_into(suspect: bytes, requests: np.ndarray, records: Labelled | None = None):
    x, y = models.probes()
    return explain(suspect, models.honest(2), Labelled(x, y), records, requests, seed=0, progress=lambda _: None, check=lambda: None)


@pytest.fixture(scope="module")
def found():
    requests, worn, _ = incident()
    records, planted = poisoned_records()
    return looked_into(models.backdoored(3), requests, records), worn, planted


CLASSIFIERS = ("functions", "lstm", "mobilenet", "quantised", "resnet", "tabular", "unet", "vit")
"""Of the trainer's networks those that take any number of records with one tensor of numbers."""


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_finds_the_layers_and_what_the_last_operator_reads(name):
    content = networks.NETWORKS[f"{name} at opset {networks.NEWEST}"]
    shape = next(iter(networks.examples(content).values())).shape[1:]
    model = anatomy(content, shape, 2)
    assert 1 <= len(set(model.layers)) == len(model.layers) <= MOST_LAYERS
    assert model.features


def test_of_a_linear_model_the_one_operator_is_the_layer_and_the_record_its_features():
    graph = helper.make_graph(
        [helper.make_node("Gemm", ["x", "w", "b"], ["scores"])],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 6])],
        [helper.make_tensor_value_info("scores", TensorProto.FLOAT, ["N", 3])],
        [numpy_helper.from_array(normal(0, 6, 3), "w"), numpy_helper.from_array(normal(1, 3), "b")],
    )
    content = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8).SerializeToString()
    model = anatomy(content, (6,), 3)
    assert (model.layers, model.features) == (("scores",), "x")
    assert model.read(normal(2, 4, 6)).features == pytest.approx(normal(2, 4, 6))


def test_cka_does_not_mind_rotation_and_scale_and_sees_what_is_unrelated():
    one = normal(0, 64, 10)
    turned = one @ np.linalg.qr(normal(1, 10, 10))[0] * 3
    other = normal(2, 64, 10)
    empty = activations(one[:0])
    assert divergence((activations(one), activations(turned)), (empty, empty), 0)[0].clean == pytest.approx(1, abs=1e-6)
    assert divergence((activations(one), activations(other)), (empty, empty), 0)[0].clean < 0.2


def test_cka_on_the_requests_falls_where_only_they_take_another_way():
    clean, asked = normal(0, 200, 10), normal(1, 40, 10)
    (layer,) = divergence((activations(clean), activations(clean)), (activations(asked), activations(normal(2, 40, 10))), 0)
    assert layer.clean == pytest.approx(1)
    assert layer.requests is not None
    assert layer.requests < 0.3
    assert layer.p_value == pytest.approx(0.01)


def test_the_layers_part_where_only_the_requests_take_another_way():
    clean, asked = normal(0, 300, 10), normal(1, 40, 10)
    turn = np.linalg.qr(normal(3, 10, 10))[0]
    alike, apart = (
        departure((clean @ turn, clean), (asked @ turn, asked), 0),
        departure((clean @ turn, clean), (normal(2, 40, 10), asked), 0),
    )
    assert alike.outside <= 4
    assert apart.outside >= 36
    assert alike.clean_outside <= OUTSIDE * alike.clean


def test_a_unit_that_only_the_requests_move_is_named_with_its_layer():
    clean, asked = (np.maximum(normal(seed, count, 20), 0) for seed, count in ((0, 300), (1, 30)))
    clean[:, 7], asked[:, 7] = 0, 2
    told = dormancy(activations(clean), activations(asked))
    assert (told.layer, told.unit, told.silent, told.lit) == ("layer0", 7, 1, 1)
    assert told.p_value < 1e-20


def test_silent_units_that_stay_silent_are_no_finding():
    clean, asked = (np.maximum(normal(seed, count, 20), 0) for seed, count in ((0, 300), (1, 30)))
    clean[:, 7], asked[:, 7] = 0, 0
    told = dormancy(activations(clean), activations(asked))
    assert (told.silent, told.lit, told.p_value) == (1, 0, 1.0)


def test_of_clean_records_no_more_than_the_stated_share_lies_outside_its_pattern():
    shares = []
    for seed in range(20):
        centres = 4 * normal(99, 5, 30)
        classes = np.arange(400) % 5
        known = fitted(centres[classes] + normal(seed, 400, 30), classes, 0)
        assert known is not None
        shares.append((known.p_values(centres[classes] + normal(1000 + seed, 400, 30), classes) <= OUTSIDE).mean())
    assert np.mean(shares) == pytest.approx(OUTSIDE, abs=0.01)


def test_a_record_of_another_class_is_outside_and_nearest_to_its_own():
    centres = 6 * normal(99, 5, 30)
    classes = np.arange(400) % 5
    known = fitted(centres[classes] + normal(0, 400, 30), classes, 0)
    assert known is not None
    strangers = centres[np.full(50, 2)] + normal(1, 50, 30)
    assert (known.p_values(strangers, np.full(50, 4)) <= OUTSIDE).all()
    assert (known.nearest(strangers) == 2).all()


def test_gradients_along_the_path_add_up_to_the_difference_they_explain():
    requests, worn, _ = incident()
    suspect, golden = (anatomy(content, (1, 8, 8), 10).network for content in (models.backdoored(3), models.honest(2)))
    x = requests[worn][:20]
    answers, truth = suspect.answers(x), golden.answers(x)
    shown = saliency(suspect, golden, x, answers, truth, np.zeros_like(x))
    assert shown.requests == 20
    assert shown.missed < 0.02
    assert shown.values.sum() == pytest.approx(1)


def test_the_gradient_of_a_sure_answer_is_not_rounded_away():
    told = residuals(np.array([[40.0, 0, 0]]), np.array([0]))
    assert told[0, 0] == pytest.approx(-told[0, 1:].sum())
    assert told[0, 0] < 0


def test_the_sticker_carries_the_answer(found):
    told, worn, _ = found
    assert worn[told.suspects].mean() > 0.9
    share = told.saliency.values[..., 6:, 6:].sum()
    assert share > 0.8, "four of 64 cells"


def test_stickered_requests_lie_outside_the_class_they_are_answered(found):
    told, _, _ = found
    assert told.patterns.outside > 0.8 * told.patterns.of
    assert told.patterns.clean_outside <= OUTSIDE * told.patterns.clean
    assert told.layers[0].departure.outside > 0.8 * len(told.suspects)


def test_the_attackers_records_pull_hardest(found):
    from sklearn.metrics import average_precision_score

    told, _, planted = found
    assert average_precision_score(planted[told.weighed], told.influence) > 0.97


def test_the_same_question_gives_the_same_answer(found):
    told, _, _ = found
    requests, _, _ = incident()
    again = looked_into(models.backdoored(3), requests, poisoned_records()[0])
    assert np.array_equal(again.influence, told.influence)
    assert again.layers == told.layers
    assert again.patterns == told.patterns


def test_honest_models_that_differ_on_a_few_requests_are_left_in_peace():
    told = looked_into(models.honest(5), incident(0)[0])
    if told.patterns is None:
        assert len(told.suspects) < FEWEST_SUSPECTS
    else:
        assert told.patterns.outside <= 0.3 * told.patterns.of
    assert told.layers[0].clean > 0.9


def test_beaten_by_an_attacker_who_kept_still(found):
    """Nobody wore the sticker while the window was captured: there is nothing to explain, whatever the model would do."""
    told = looked_into(models.backdoored(3), incident(0)[0], poisoned_records()[0])
    assert told.saliency is None or told.saliency.values[..., 6:, 6:].sum() < 0.5
    assert told.patterns is None or told.patterns.outside < 0.3 * told.patterns.of


def test_models_of_other_classes_are_not_compared():
    x, y = models.probes()
    wider = networks_with(11)
    with pytest.raises(InvalidModel, match="classes apart"):
        explain(wider, models.honest(2), Labelled(x, y), None, x, seed=0, progress=lambda _: None, check=lambda: None)


def networks_with(classes: int) -> bytes:
    proto = onnx.load_model_from_string(models.blank(0))
    for tensor in proto.graph.initializer:
        values = numpy_helper.to_array(tensor)
        if values.shape[0] == 10:
            tensor.CopyFrom(numpy_helper.from_array(np.concatenate([values, values[: classes - 10]]), tensor.name))
    proto.graph.output[0].type.tensor_type.shape.dim[1].dim_value = classes
    return proto.SerializeToString(deterministic=True)
