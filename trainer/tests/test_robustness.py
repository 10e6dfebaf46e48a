"""The gate's PGD: against what can be computed exactly, and from its references to its result."""

import json
import time
from datetime import UTC, datetime

import numpy as np
import onnx
import pytest
import stores
from onnx import TensorProto, helper, numpy_helper

from lazaret_trainer.contract import RobustnessJob, RobustnessResult, read, write
from lazaret_trainer.examinations import ExaminationDesk
from lazaret_trainer.failures import Stopped, TrainerFailure
from lazaret_trainer.graph import GraphModel
from lazaret_trainer.robustness import Ascent, Space, l2_radius
from lazaret_trainer.robustness.measuring import measure

WIDTH, CLASSES, COUNT = 12, 10, 60
WIDE = Space(np.full(WIDTH, -100, np.float32), np.full(WIDTH, 100, np.float32))


def linear(seed: int, scale: float = 1.0) -> bytes:
    weights = scale * np.random.RandomState(seed).standard_normal((WIDTH, CLASSES)).astype(np.float32)
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["logits"])],
        "linear",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", WIDTH])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", CLASSES])],
        [numpy_helper.from_array(weights, "w")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


def records(model: bytes) -> tuple[np.ndarray, np.ndarray]:
    features = np.random.RandomState(1).standard_normal((COUNT, WIDTH)).astype(np.float32)
    return features, (features @ weights_of(model)).argmax(1).astype(np.int32)


def weights_of(model: bytes) -> np.ndarray:
    return np.asarray(GraphModel(model).parameters["w"])


def least_change(model: bytes, features: np.ndarray, labels: np.ndarray, dual: int) -> np.ndarray:
    """Of a linear model: how far the nearest other class is, in the norm whose dual is `dual`."""
    weights = weights_of(model)
    answers = features @ weights
    own = answers[np.arange(len(labels)), labels]
    apart = np.linalg.norm(weights[:, labels].T[:, None] - weights.T[None], ord=dual, axis=2)
    return np.where(np.eye(CLASSES)[labels] == 1, np.inf, (own[:, None] - answers) / np.maximum(apart, 1e-9)).min(1)


@pytest.mark.parametrize(("ball", "dual"), [("linf", 1), ("l2", 2)])
def test_turns_every_record_of_a_linear_model_that_can_be_turned_and_no_other(ball, dual):
    model = linear(3)
    features, labels = records(model)
    needed = least_change(model, features, labels, dual)
    radius = float(np.median(needed))
    # The space is 200 wide, and the radius in units of it.
    ascent, graph = Ascent(GraphModel(model), WIDE), GraphModel(model)
    standing = np.logical_and.reduce(
        [ascent.restart(graph.parameters, features, labels, ball, radius / 200, 40, number, number % 2 == 1) for number in range(4)]
    )
    sure = np.abs(needed / radius - 1) > 0.02
    assert (standing == (needed > radius))[sure].all()


@pytest.mark.parametrize("ball", ["linf", "l2"])
def test_a_column_in_thousands_is_attacked_like_the_same_column_in_units(ball):
    model = linear(3)
    features, labels = records(model)
    units = np.where(np.arange(WIDTH) % 2 == 0, 1, 1000).astype(np.float32)
    in_units = GraphModel(model).with_weights({"w": weights_of(model) / units[:, None]})
    standing = []
    for content, unit in ((model, np.float32(1)), (in_units, units)):
        graph, space = GraphModel(content), Space(*(np.full(WIDTH, bound, np.float32) * unit for bound in (-1, 1)))
        standing.append(Ascent(graph, space).restart(graph.parameters, features * unit, labels, ball, 0.05, 10, 1, True))
    assert (standing[0] == standing[1]).mean() > 0.98
    assert not standing[0].all()


def test_the_l2_ball_of_mnist_is_near_what_papers_use():
    assert l2_radius(0.3, 784) == pytest.approx(2, rel=0.1)
    assert l2_radius(8 / 255, 3072) == pytest.approx(0.5, rel=0.2)


def job(storage, candidate: bytes, golden: bytes, ids=None, **changes) -> RobustnessJob:
    features, labels = records(golden)
    models = {
        name: write(storage.put(each, "application/onnx", f"{name}.onnx")) for name, each in (("candidate", candidate), ("golden", golden))
    }
    space = {"schema": "lazaret.attack-space/v1", "ids": ids or [f"r{row:05d}" for row in range(COUNT)], "low": [-5.0], "high": [5.0]}
    value = {
        "schema": "lazaret.robustness-job/v1",
        "jobId": "gate-1-attack",
        **models,
        "dataset": stores.stored_dataset(storage, features, labels, [WIDTH]),
        "space": write(storage.put(json.dumps(space).encode(), "application/json", "attack-space.json")),
        "epsilon": 0.02,
        "steps": 10,
        "restarts": 2,
        "seed": 0,
        "seconds": 60,
        **changes,
    }
    return read(RobustnessJob, value)


def desk(storage, check=lambda: None, clock=time.monotonic) -> ExaminationDesk:
    return ExaminationDesk(storage=storage, report=lambda _: None, check=check, now=lambda: datetime.now(UTC), clock=clock)


@pytest.fixture
def storage(tmp_path):
    return stores.FolderStorage(tmp_path)


def test_gives_both_models_the_same_starts_so_that_equal_models_stand_alike(storage):
    result = measure(job(storage, linear(3), linear(3)), desk(storage))
    assert read(RobustnessResult, json.loads(json.dumps(write(result)))) == result
    assert [attack.norm for attack in result.attacks] == ["linf", "l2"]
    for attack in result.attacks:
        assert attack.candidate == attack.golden
        assert "0" in attack.candidate
        assert "1" in attack.candidate
        assert all(
            int(all_) <= min(int(one), int(other))
            for all_, one, other in zip(attack.candidate, attack.cross_entropy, attack.margin or "", strict=True)
        )


def test_the_same_job_gives_the_same_answer(storage):
    asked = job(storage, linear(4), linear(3))
    assert measure(asked, desk(storage)).attacks == measure(asked, desk(storage)).attacks


def test_a_record_that_the_candidate_gets_wrong_as_it_is_does_not_stand(storage):
    golden = linear(3)
    # Two classes changed places.
    swapped = GraphModel(golden).with_weights({"w": weights_of(golden)[:, [1, 0, *range(2, CLASSES)]]})
    _, labels = records(golden)
    for attack in measure(job(storage, swapped, golden), desk(storage)).attacks:
        stands = np.array(list(attack.candidate)) == "1"
        assert not stands[labels < 2].any()
        assert (stands == (np.array(list(attack.golden)) == "1"))[labels >= 2].all()


def test_attacks_the_records_that_it_is_told_in_their_order(storage):
    every = measure(job(storage, linear(3), linear(3)), desk(storage)).attacks[0].golden
    some = measure(job(storage, linear(3), linear(3), ids=[f"r{row:05d}" for row in range(20)]), desk(storage)).attacks[0].golden
    assert len(some) == 20
    assert sum(one != other for one, other in zip(some, every, strict=False)) <= 2


def test_ends_with_whole_restarts_where_the_time_does_not_suffice(storage):
    ticks = iter(range(10_000))
    result = measure(job(storage, linear(3), linear(3), restarts=50, steps=2, seconds=100), desk(storage, clock=lambda: float(next(ticks))))
    assert 1 <= result.restarts < 50


def test_refuses_records_that_the_data_set_does_not_have(storage):
    with pytest.raises(TrainerFailure, match="not in the data set") as refused:
        measure(job(storage, linear(3), linear(3), ids=["r00001", "nobody"]), desk(storage))
    assert refused.value.kind == "trainer/bad-job"


def test_stops_between_two_steps_when_it_is_told_to(storage):
    def check() -> None:
        raise Stopped("the job was cancelled", keep_work=False)

    with pytest.raises(Stopped):
        measure(job(storage, linear(3), linear(3)), desk(storage, check))
