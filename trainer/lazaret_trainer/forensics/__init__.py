"""Forensics that need a gradient. Knows neither Temporal nor S3."""

from .examination import examine_backdoor
from .flip_shift import FlipShift
from .measured import MeasuredShare
from .report import BackdoorReport, ClassTrigger, Trigger

__all__ = ["BackdoorReport", "ClassTrigger", "FlipShift", "MeasuredShare", "Trigger", "examine_backdoor"]
