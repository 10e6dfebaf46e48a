"""ONNX's own backend node tests for every operator the registry claims, traced under jit as in training."""

import collections
import warnings

import jax
import jax.numpy as jnp
import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

from lazaret_trainer.graph import OPERATORS, GraphModel

PASSING_AT_LEAST = 661

STATIC_INPUTS = {"Range", "Pad", "Clip"}
"""Operators whose float operands decide a shape, or whose bounds are optional constants."""


def cases():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in load_model_tests(kind="node"):
            assert case.model is not None
            nodes = case.model.graph.node
            if len(nodes) == 1 and "_expanded" not in case.name and nodes[0].domain in ("", "ai.onnx") and nodes[0].op_type in OPERATORS:
                yield case, nodes[0].op_type


def array(value):
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)


def check(case, operator: str) -> None:
    model = GraphModel(case.model.SerializeToString())
    for given, expected in case.data_sets:
        inputs = dict(zip(model.inputs, [array(value) for value in given], strict=True))
        traced = {
            name: jnp.asarray(value)
            for name, value in inputs.items()
            if np.issubdtype(value.dtype, np.floating) and operator not in STATIC_INPUTS
        }
        run = jax.jit(lambda traced, model=model, inputs=inputs: model.run(model.parameters, {**inputs, **traced}, model.outputs))
        for got, wanted in zip(run(traced), map(array, expected), strict=True):
            compare(np.asarray(got), wanted, case)


def compare(got: np.ndarray, wanted: np.ndarray, case) -> None:
    if wanted.dtype in (np.int64, np.uint64, np.float64) and got.dtype.kind == wanted.dtype.kind:
        wanted = wanted.astype(got.dtype)  # JAX computes with 32 bits
    assert got.shape == wanted.shape
    assert got.dtype == wanted.dtype
    numeric = [value.astype(np.float64) if value.dtype.kind in "fV" else value for value in (got, wanted)]
    np.testing.assert_allclose(*numeric, rtol=max(case.rtol, 1e-3), atol=max(case.atol, 1e-5))


@pytest.mark.filterwarnings("ignore")
def test_the_operators_of_the_registry_pass_onnx_own_node_tests(capsys):
    passed, failed = collections.Counter(), {}
    for case, operator in cases():
        try:
            check(case, operator)
            passed[operator] += 1
        except Exception as error:
            failed[case.name] = f"{type(error).__name__}: {str(error).strip().splitlines()[0][:110] if str(error).strip() else ''}"
    with capsys.disabled():
        print(f"\nonnx node tests: {passed.total()} of {passed.total() + len(failed)} passed, {len(OPERATORS)} operators")
        for name, why in sorted(failed.items()):
            print(f"  not passed: {name}: {why}")
    assert passed.total() >= PASSING_AT_LEAST
