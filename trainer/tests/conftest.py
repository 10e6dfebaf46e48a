"""Fakes and small inputs that several tests use."""

from lazaret_trainer import device

device.configure(cache=None)
