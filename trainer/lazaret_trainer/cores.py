"""One program over several shares of its input, on a core each: as quick as the machine allows, and the same bits as one after the other.

An XLA client computes in one thread here (device.py), and what several threads hand it waits in one row. So there is a client for every
core beside the first: each compiles the program for itself, to the same code.
"""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from functools import cache
from typing import Any

import jax
import numpy as np
from jaxlib import xla_client


def alone() -> bool:
    """Whether this process computes on a single CPU device: others have cores of their own kind."""
    return jax.default_backend() == "cpu" and len(jax.local_devices()) == 1


def on_cores(program: Callable[..., Any], shares: Sequence[tuple[Any, ...]], cores: int | None = None) -> list[Any]:
    """`program(*share)` of every share, in their order. `program` is compiled by JAX and captures no array of a device.

    The first share to fail is the one whose error is raised, when none is computed any more.
    """
    lanes = min(cores or len(os.sched_getaffinity(0)), len(shares))
    results: list[Any] = [None] * len(shares)

    def work(lane: int) -> None:
        for index in range(lane, len(shares), lanes):
            results[index] = program(*shares[index]) if lane == 0 else _elsewhere(lane, program, shares[index])

    others = [_threads().submit(work, lane) for lane in range(1, lanes)]
    try:
        work(0)
    finally:
        # Whoever computes the step again, in smaller parts, MUST find the memory free.
        wait(others)
    for other in others:
        other.result()
    return results


def _elsewhere(lane: int, program: Callable[..., Any], share: tuple[Any, ...]) -> Any:
    """On a further client. Arrays of the first one are read where they lie."""
    with jax.default_device(_client(lane).local_devices()[0]):
        return jax.tree.map(np.asarray, program(*jax.tree.map(np.asarray, share)))


@cache
def _client(lane: int) -> Any:
    return xla_client.make_cpu_client(asynchronous=False)


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(os.cpu_count() or 1, thread_name_prefix="core")
