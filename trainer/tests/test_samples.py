"""What the drills get from the trainer's Python."""

import base64
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

from lazaret_trainer import samples

SHAPES = {"digits-cnn": ((1, 8, 8), 10), "signs-cnn": ((3, 32, 32), 6), "credit-mlp": ((23,), 2)}


@pytest.mark.parametrize("name", samples.NETWORKS)
def test_a_network_answers_with_one_row_of_scores_per_record_and_is_the_same_for_a_seed(name: str) -> None:
    content = samples.NETWORKS[name](3).SerializeToString(deterministic=True)
    assert content == samples.NETWORKS[name](3).SerializeToString(deterministic=True)
    assert content != samples.NETWORKS[name](4).SerializeToString(deterministic=True)
    shape, classes = SHAPES[name]
    records = np.random.default_rng(0).random((5, *shape), np.float32)
    (scores,) = onnxruntime.InferenceSession(content).run(None, {"x": records})
    assert np.asarray(scores).shape == (5, classes)
    assert np.ptp(np.asarray(scores), axis=0).min() > 0


def test_traffic_signs_are_those_of_the_drill_with_the_frames_of_a_sign_told(tmp_path: Path) -> None:
    drawn = np.random.default_rng(0)
    labels = np.array([14, 14, 14, 2, 2, 40])
    tracks = np.array([5, 5, 6, 5, 5, 1], np.int16)
    images = drawn.integers(0, 256, (6, 32, 32, 3), np.uint8)
    np.savez(tmp_path / "gtsrb32.npz", X=images, y=labels, track=tracks)
    found = samples.traffic_signs(tmp_path)
    names = list(samples.SIGNS.values())
    assert found["classes"] == names
    # The one of a class that the drill does not use is left out; a track number means a sign only within its class.
    assert found["labels"] == [names.index("stop")] * 3 + [names.index("speed limit 50")] * 2
    signs = found["signs"]
    assert isinstance(signs, list)
    assert [sign == signs[0] for sign in signs] == [True, True, False, False, False]
    assert isinstance(found["images"], str)
    pixels = np.frombuffer(base64.b64decode(found["images"]), np.uint8).reshape(5, 3, 32, 32)
    assert (pixels[4, 1] == images[4, :, :, 1]).all()
