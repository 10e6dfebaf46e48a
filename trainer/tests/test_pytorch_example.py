"""examples/pytorch_trainer, by an interpreter that has PyTorch: this one, or the one that LAZARET_TORCH_PYTHON names."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples" / "pytorch_trainer"
PYTHON = os.environ.get("LAZARET_TORCH_PYTHON") or (sys.executable if importlib.util.find_spec("torch") else None)


@pytest.mark.skipif(PYTHON is None, reason="PyTorch is not installed (LAZARET_TORCH_PYTHON names an interpreter that has it)")
def test_the_pytorch_example_keeps_the_contract(tmp_path):
    command = [str(PYTHON), "-m", "pytest", "-q", "-o", f"cache_dir={tmp_path}", "test_pytorch_trainer.py"]
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(command, cwd=EXAMPLE, capture_output=True, text=True, timeout=600, env=environment)
    assert run.returncode == 0, run.stdout[-3000:]
    assert " passed" in run.stdout
