"""How JAX computes here. MUST be configured before the first computation: XLA reads its flags once."""

import os
from pathlib import Path

import jax

DETERMINISTIC_FLAGS = ("--xla_cpu_multi_thread_eigen=false", "--xla_gpu_deterministic_ops=true")
"""One thread per product on a CPU; no atomics on a GPU."""

CPU_THREADS = "1"
"""XLA cuts loops and sums into as many parts as it has threads, and rounds accordingly: a job resumed on another machine would end
in other bits. NPROC is how XLA is told; whoever sets it to more MUST set it alike on every worker of a queue."""


def configure(cache: Path | None) -> None:
    """Makes results reproducible, and keeps compiled steps in `cache` (a folder only this user can write: it holds code)."""
    os.environ.setdefault("NPROC", CPU_THREADS)
    flags = os.environ.get("XLA_FLAGS", "").split()
    os.environ["XLA_FLAGS"] = " ".join([*flags, *(flag for flag in DETERMINISTIC_FLAGS if flag not in flags)])
    jax.config.update("jax_default_matmul_precision", "highest")
    if cache is not None:
        cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        jax.config.update("jax_compilation_cache_dir", str(cache))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.1)


def describe() -> str:
    """The device that trains, for the provenance, e.g. `cpu: cpu`, `gpu: NVIDIA H200`."""
    first = jax.devices()[0]
    return f"{first.platform}: {first.device_kind}"
