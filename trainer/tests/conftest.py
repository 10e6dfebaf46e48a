"""Compiled steps are kept between the tests and between their runs: compiling is most of what they do."""

from pathlib import Path

from lazaret_trainer import device

device.configure(cache=Path(__file__).parent.parent / ".cache" / "compiled")
