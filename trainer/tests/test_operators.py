"""ONNX's own backend node tests for every operator that is claimed, traced under jit as in training."""

import collections
import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from onnx.backend.test.loader import load_model_tests

from lazaret_trainer.graph import SUPPORTED, GraphModel

PASSING_AT_LEAST = 1237
SHARE_AT_LEAST = 0.99

WITHOUT_NODE_TEST = ["GlobalLpPool"]
"""Operators that ONNX has no applicable node test for; `test_networks.py` compares them with ONNX Runtime."""

THREADS = min(os.cpu_count() or 1, 4)
"""XLA compiles without Python's lock."""

STATIC_FLOATS = {
    "Clip": {1, 2},
    "Dropout": {1},
    "OneHot": {1},
    "Pad": {2},
    "Range": {0, 1, 2},
    "Resize": {1, 2},
    "Upsample": {1},
}
"""Float operands that decide a shape, or bounds that exporters write as constants, by operator."""

QUICKLY: dict[str, str | bool] = {"xla_backend_optimization_level": "0"}
"""Every function runs once, on a few numbers: compiling it is the cost."""

TOGETHER = 32
"""Cases that are compiled as one function: the compiler has a price per function."""

RANDOM = {"Bernoulli", "Dropout"}
"""The expected values are those of one generator; ONNX asks for a distribution only. Cases without chance are applicable."""


def cases():
    """One operator each. The same tests with the operator replaced by its body (`_expanded`) prove the standard, not this registry."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for case in load_model_tests(kind="node"):
            assert case.model is not None
            nodes = case.model.graph.node
            if len(nodes) == 1 and "_expanded" not in case.name and nodes[0].domain in ("", "ai.onnx") and nodes[0].op_type in SUPPORTED:
                yield case, nodes[0]


def why_not_applicable(case, node) -> str | None:
    """What no array can be. Anything else that fails is a failure."""
    graph = case.model.graph
    for value in (*graph.input, *graph.output):
        kind = value.type.WhichOneof("value")
        if kind != "tensor_type":
            return f"a value that is a {kind.removesuffix('_type')}, not an array"
        if value.type.tensor_type.elem_type == onnx.TensorProto.STRING:
            return "a tensor of texts, which JAX does not have"
    if node.op_type in RANDOM and case.name.startswith(("test_training_dropout", "test_bernoulli")) and "zero_ratio" not in case.name:
        return "a random output"
    return None


def array(value):
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)


@dataclass(frozen=True)
class Trial:
    """One data set of a case: a function of the float operands, and what it must answer."""

    case: Any
    function: Callable[[dict[str, Any]], list[Any]]
    traced: dict[str, Any]
    expected: list[np.ndarray]


def trials(case, node) -> list[Trial]:
    model = GraphModel(case.model.SerializeToString())
    static = {node.input[place] for place in STATIC_FLOATS.get(node.op_type, ()) if place < len(node.input)}
    made = []
    for given, expected in case.data_sets:
        inputs = dict(zip(model.inputs, [array(value) for value in given], strict=True))
        traced = {name: value for name, value in inputs.items() if jnp.issubdtype(value.dtype, jnp.floating) and name not in static}
        rest = {name: value for name, value in inputs.items() if name not in traced}

        def function(traced, model=model, rest=rest):
            return model.run(model.parameters, {**rest, **traced}, model.outputs)

        made.append(Trial(case, function, traced, [array(value) for value in expected]))
    return made


def answers(group: Sequence[Trial]) -> list[list[Any]]:
    """All in one compiled function. An integer or a boolean operand stays numpy: it may decide a shape."""
    inputs = [{name: jnp.asarray(value) for name, value in trial.traced.items()} for trial in group]
    together = jax.jit(lambda inputs: [trial.function(values) for trial, values in zip(group, inputs, strict=True)])
    return together.lower(inputs).compile(compiler_options=QUICKLY)(inputs)


def verdicts(group: Sequence[tuple[Any, Any]]) -> list[str]:
    """One per case, empty where it passes. A case that cannot be traced MUST NOT take the others of its group with it."""
    try:
        made = [trials(case, node) for case, node in group]
        results = iter(answers([trial for each in made for trial in each]))
    except Exception as error:
        if len(group) == 1:
            return [_words(error)]
        return [verdict for each in group for verdict in verdicts([each])]
    return [verdict(each, results) for each in made]


def verdict(of_case: Sequence[Trial], results: Iterator[list[Any]]) -> str:
    failures = []
    for trial, got in [(trial, next(results)) for trial in of_case]:
        try:
            for one, wanted in zip(got, trial.expected, strict=True):
                compare(np.asarray(one), wanted, trial.case)
        except Exception as error:
            failures.append(_words(error))
    return next(iter(failures), "")


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {next(iter(str(error).strip().splitlines()), '')[:150]}"


def compare(got: np.ndarray, wanted: np.ndarray, case) -> None:
    if wanted.dtype in (np.int64, np.uint64, np.float64) and got.dtype.kind == wanted.dtype.kind:
        wanted = wanted.astype(got.dtype)  # JAX computes with 32 bits
    assert got.shape == wanted.shape, f"shape {got.shape} for {wanted.shape}"
    assert got.dtype == wanted.dtype, f"type {got.dtype} for {wanted.dtype}"
    numeric = [value.astype(np.float64) if value.dtype.kind in "fV" else value for value in (got, wanted)]
    np.testing.assert_allclose(*numeric, rtol=max(case.rtol, 1e-3), atol=max(case.atol, 1e-5))


@pytest.mark.filterwarnings("ignore")
def test_the_operators_of_the_registry_pass_onnx_own_node_tests(capsys):
    judged = [(case, node, why_not_applicable(case, node)) for case, node in cases()]
    applicable = [(case, node) for case, node, reason in judged if reason is None]
    with ThreadPoolExecutor(THREADS) as pool:
        groups = [applicable[first : first + TOGETHER] for first in range(0, len(applicable), TOGETHER)]
        outcomes = [words for group in pool.map(verdicts, groups) for words in group]
    failed = {case.name: why for (case, _), why in zip(applicable, outcomes, strict=True) if why}
    proven = {node.op_type for (_, node), why in zip(applicable, outcomes, strict=True) if not why}
    passed = len(applicable) - len(failed)
    with capsys.disabled():
        print(f"\n{passed} of {len(applicable)} applicable node tests pass for {len(SUPPORTED)} operators")
        for reason, count in sorted(collections.Counter(reason for *_, reason in judged if reason).items()):
            print(f"  not applicable: {count} with {reason}")
        for name, why in sorted(failed.items()):
            print(f"  not passed: {name}: {why}")
    assert passed >= PASSING_AT_LEAST
    assert passed / len(applicable) >= SHARE_AT_LEAST
    assert sorted(SUPPORTED - proven) == WITHOUT_NODE_TEST
