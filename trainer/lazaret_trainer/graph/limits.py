"""What a model may cost before a single number is computed. A suspect's graph is untrusted input: every bound here stops an attack in time
or memory, and lies well above any classifier this trainer could train."""

import math
from collections.abc import Iterable

LARGEST_GRAPH_NODES = 20_000
"""Nodes of the graph with its subgraphs, each call of a function counted with the function's nodes. A function that calls the next one
twice, thirty times over, is a thousand million nodes in a few kilobytes."""

DEEPEST_NESTING = 16
"""Subgraphs in subgraphs and functions in functions. Beyond, Python's own stack would be the limit."""

LARGEST_TRACE_STEPS = 50_000
"""Nodes that one trace may visit, loops unrolled."""

LARGEST_VALUE_ELEMENTS = 2**30
"""Elements of one value of the graph: 4 GiB of binary32."""

LARGEST_STATIC_ELEMENTS = 2**16
"""Elements that are computed with numpy while the graph is traced. Shapes and axes are far smaller; anything larger is left to XLA, where
a shape costs nothing until the whole graph was accepted."""

LARGEST_UNROLLED_TAPS = 4096
"""Python iterations within one operator (taps of a window, channels of a sum)."""


def elements(shape: Iterable[int]) -> int:
    """The size of a shape as a Python integer, which does not overflow."""
    return math.prod(int(size) for size in shape)
