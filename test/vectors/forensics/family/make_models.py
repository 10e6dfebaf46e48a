"""Writes the models of this folder: a small network for digits, its twins, a student of its answers, and a stranger.

    trainer/.venv/bin/python test/vectors/forensics/family/make_models.py

Each is 64-16-10, trained with Adam on scikit-learn's digits. `own` and the twins learn from the same records with other random numbers; the
student from answers of `own` on records that own never saw; the stranger from those records' own labels.
"""

from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
from onnx import TensorProto, checker, helper, numpy_helper
from sklearn.datasets import load_digits

HERE = Path(__file__).parent
TWINS = 6
STEPS = 600


def drawn(seed):
    random = np.random.RandomState(seed)
    return {
        "w1": random.standard_normal((16, 64)).astype(np.float32) * 0.18,
        "b1": np.zeros(16, np.float32),
        "w2": random.standard_normal((10, 16)).astype(np.float32) * 0.35,
        "b2": np.zeros(10, np.float32),
    }


def logits(w, x):
    return jax.nn.relu(x @ w["w1"].T + w["b1"]) @ w["w2"].T + w["b2"]


def trained(seed, x, targets):
    random, optimizer, w = np.random.RandomState(seed), optax.adam(optax.cosine_decay_schedule(0.01, STEPS)), drawn(seed)
    moments = optimizer.init(w)

    @jax.jit
    def step(w, moments, x, targets):
        slope = jax.grad(lambda w: optax.softmax_cross_entropy(logits(w, x), targets).mean())(w)
        updates, moments = optimizer.update(slope, moments)
        return optax.apply_updates(w, updates), moments

    for _ in range(STEPS):
        rows = random.randint(0, len(x), 50)
        w, moments = step(w, moments, x[rows], targets[rows])
    return w


def save(name, w):
    graph = helper.make_graph(
        [
            helper.make_node("Flatten", ["x"], ["flat"]),
            helper.make_node("Gemm", ["flat", "w1", "b1"], ["h"], transB=1),
            helper.make_node("Relu", ["h"], ["a"]),
            helper.make_node("Gemm", ["a", "w2", "b2"], ["logits"], transB=1),
        ],
        "digits",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 1, 8, 8])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 10])],
        [numpy_helper.from_array(np.asarray(value), key) for key, value in w.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    (HERE / f"{name}.onnx").write_bytes(model.SerializeToString(deterministic=True))


digits = load_digits()
X, Y = (digits.data / 16).astype(np.float32), np.eye(10, dtype=np.float32)[digits.target]
order = np.random.RandomState(0).permutation(len(X))
train, other = order[:700], order[700:1400]
own = trained(1, X[train], Y[train])
save("own", own)
for twin in range(TWINS):
    save(f"twin-{twin}", trained(10 + twin, X[train], Y[train]))
save("student", trained(30, X[other], jax.nn.softmax(logits(own, jnp.asarray(X[other])) / 2)))
save("stranger", trained(31, X[other], Y[other]))
