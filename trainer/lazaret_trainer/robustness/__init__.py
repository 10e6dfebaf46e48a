"""How much of its accuracy a model keeps under attacks that know its gradient."""

from .ascent import Ascent, Ball, Space, l2_radius

__all__ = ["Ascent", "Ball", "Space", "l2_radius"]
