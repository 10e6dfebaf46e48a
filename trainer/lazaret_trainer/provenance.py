"""What trained: for the result, and from there for the signed provenance."""

import platform
from functools import cache
from importlib import metadata
from pathlib import Path

from . import __version__, device
from .contract import TrainResultEnvironment
from .storage import digest_of

PACKAGES = ("jax", "jaxlib", "numpy", "onnx", "optax", "pyarrow", "temporalio")


@cache
def code_digest() -> str:
    """Digest over `<path> <digest>` lines of every source file of this package, sorted by path."""
    root = Path(__file__).parent
    files = sorted(path for path in root.rglob("*") if path.suffix in (".py", ".json"))
    lines = [f"{path.relative_to(root).as_posix()} {digest_of(path.read_bytes())}\n" for path in files]
    return digest_of("".join(lines).encode())


def environment() -> TrainResultEnvironment:
    return TrainResultEnvironment(
        trainer=f"lazaret-trainer {__version__}",
        code_digest=code_digest(),
        python=platform.python_version(),
        packages={name: metadata.version(name) for name in PACKAGES},
        device=device.describe(),
    )
