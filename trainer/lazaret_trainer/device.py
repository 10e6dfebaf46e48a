"""How JAX computes here. MUST be configured before the first computation: XLA reads its flags once."""

import ctypes
import os
from pathlib import Path

import jax

DETERMINISTIC_FLAGS = ("--xla_cpu_multi_thread_eigen=false", "--xla_gpu_deterministic_ops=true")
"""One thread per product on a CPU; no atomics on a GPU."""

CPU_THREADS = "1"
"""XLA cuts loops and sums into as many parts as it has threads, and rounds accordingly: a job resumed on another machine would end
in other bits. NPROC is how XLA is told; whoever sets it to more MUST set it alike on every worker of a queue."""


MALLOC_OPTIONS = {"M_MMAP_MAX": (-4, 0), "M_TRIM_THRESHOLD": (-1, 2**31 - 1), "M_ARENA_MAX": (-8, 1)}
"""glibc's malloc.h. XLA asks for its buffers anew in every step. By default the large ones are mapped and unmapped each time, and the page
faults take longer than the arithmetic: a step of a CNN at 28×28 takes a third of the time where the heap keeps what it has."""


def configure(cache: Path | None) -> None:
    """Makes results reproducible, and keeps compiled steps in `cache` (a folder only this user can write: it holds code)."""
    _keep_heap()
    os.environ.setdefault("NPROC", CPU_THREADS)
    flags = os.environ.get("XLA_FLAGS", "").split()
    os.environ["XLA_FLAGS"] = " ".join([*flags, *(flag for flag in DETERMINISTIC_FLAGS if flag not in flags)])
    jax.config.update("jax_default_matmul_precision", "highest")
    # Asynchronous dispatch hands every computation to the one thread of CPU_THREADS; where each caller computes in its own thread,
    # independent searches use a core each (side_by_side.py). Programs with convolutions still wait for the one thread: see cores.py.
    jax.config.update("jax_cpu_enable_async_dispatch", False)
    if cache is not None:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        jax.config.update("jax_compilation_cache_dir", str(cache))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)


def _keep_heap() -> None:
    """Where the C library is not glibc, nothing is changed."""
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return
    for option, value in MALLOC_OPTIONS.values():
        mallopt(option, value)


def describe() -> str:
    """The device that trains, for the provenance, e.g. `cpu: cpu`, `gpu: NVIDIA H200`."""
    first = jax.devices()[0]
    return f"{first.platform}: {first.device_kind}"
