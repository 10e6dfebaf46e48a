"""A trigger as SVG, drawn from its arrays: left the mask (black covers all), right the pattern as the mask lets it through."""

import numpy as np

from .report import Trigger

CELL = 8
"""Units of the drawing per pixel of the trigger."""
LARGEST_SIDE = 64
"""Pixels; a larger trigger is drawn by every n-th."""


def svg(trigger: Trigger, low: np.ndarray, high: np.ndarray) -> str | None:
    """None for records that are no images."""
    if trigger.pattern.ndim != 3:
        return None
    stride = -(-max(trigger.pattern.shape[1:]) // LARGEST_SIDE)
    mask = np.clip(trigger.mask[0, ::stride, ::stride], 0, 1)
    span = np.maximum(high - low, 1e-9)
    pattern = np.clip(((trigger.pattern - low) / span)[:, ::stride, ::stride], 0, 1)
    red, green, blue = (pattern[channel if pattern.shape[0] >= 3 else 0] for channel in range(3))
    height, width = mask.shape
    cells = []
    for row in range(height):
        for column in range(width):
            cover = float(mask[row, column])
            cells.append(_cell(column, row, (1 - cover,) * 3))
            # Where nothing is covered the pattern is grey: it has no effect there.
            shown = tuple(float(cover * plane[row, column] + (1 - cover) * 0.5) for plane in (red, green, blue))
            cells.append(_cell(column + width + 1, row, shown))
    size = f"{(2 * width + 1) * CELL} {height * CELL}"
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" shape-rendering="crispEdges">{"".join(cells)}</svg>'


def _cell(column: int, row: int, colour: tuple[float, ...]) -> str:
    code = "".join(f"{round(255 * part):02x}" for part in colour)
    return f'<rect x="{column * CELL}" y="{row * CELL}" width="{CELL}" height="{CELL}" fill="#{code}"/>'
