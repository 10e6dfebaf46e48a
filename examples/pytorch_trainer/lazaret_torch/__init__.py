"""A Lazaret trainer in PyTorch: `@trainer(queue=…)` over a function that takes a Job and gives weights by name."""

from .job import Job
from .worker import Trainer, trainer

__all__ = ["Job", "Trainer", "trainer"]
