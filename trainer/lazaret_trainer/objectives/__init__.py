"""Training objectives, one file each: what a batch is, what its loss is. The loop is in course.py."""

from collections.abc import Callable, Mapping

from ..contract import TrainJob
from ..failures import TrainerFailure
from .adversarial import Adversarial
from .course import Course
from .fair import Fair
from .incremental import Incremental
from .material import Material
from .partition_vote import PartitionVote
from .poison_resistant import PoisonResistant
from .private import Private
from .standard import Standard
from .state import State
from .unlearn import Unlearn

OBJECTIVES: Mapping[str, Callable[[Material], Course]] = {
    "standard": Standard,
    "incremental": Incremental,
    "adversarial": Adversarial,
    "private": Private,
    "unlearn": Unlearn,
    "poison-resistant": PoisonResistant,
    "partition-vote": PartitionVote,
    "fair": Fair,
}

PARTS = tuple(name for name in OBJECTIVES if name != "standard")
"""Objectives with a part of the options of their own, which bears their name."""


def course(material: Material) -> Course:
    """The run that a job asks for. Fails with the types of the contract: everything that can be refused is refused here."""
    _fitting(material.job)
    return OBJECTIVES[material.job.objective](material)


def _fitting(job: TrainJob) -> None:
    """An objective has its own part of the options, and no other's: nobody is to believe in a privacy that was only written down."""
    for name in PARTS:
        given = getattr(job.options, name.replace("-", "_"), None) is not None
        if given != (name == job.objective):
            why = "has no options of that name" if not given else "has options of another one"
            raise TrainerFailure("trainer/bad-job", f"options: a job of the objective {job.objective!r} {why} ({name!r})")


__all__ = ["OBJECTIVES", "Course", "Material", "State", "course"]
