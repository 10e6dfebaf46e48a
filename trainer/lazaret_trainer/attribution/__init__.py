"""What goes on inside a model when it answers: layers, units, patterns, gradients. Knows neither Temporal nor S3."""

from .explanation import Explanation, Labelled, explain

__all__ = ["Explanation", "Labelled", "explain"]
