"""What a training set of photographs is stretched by (Cireşan, Meier, Masci and Schmidhuber 2012, on these very signs): every record is
shifted, scaled and turned anew each time it is shown, so that a model learns the sign and not its frames."""

import numpy as np

SHIFT, SCALE, TURN = 0.05, 0.05, 5.0
"""Up to a twentieth of the width and of the size, and five degrees. The paper has tenths, at 48×48: of the lab's 16×16 that is too much for its
small models (.79 of unseen signs right instead of .89, MLP)."""


def stretched(x: np.ndarray) -> np.ndarray:
    """x [N, C, H, W] in [0, 1]: of each image the darkest and the brightest hundredth are cut off, and the rest fills the range
    (`imadjust` of the paper)."""
    low, high = np.quantile(x, (0.01, 0.99), axis=(1, 2, 3), keepdims=True)
    return np.clip((x - low) / np.maximum(high - low, 0.05), 0, 1).astype(np.float32)


def distorted(x: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """x [N, C, H, W] → the same, each image moved on its own: bilinear, edges repeated."""
    count, _, height, width = x.shape
    turn = np.deg2rad(random.uniform(-TURN, TURN, count))
    scale = random.uniform(1 - SCALE, 1 + SCALE, count)
    shift = random.uniform(-SHIFT, SHIFT, (2, count)) * [[height], [width]]
    rows, columns = np.indices((height, width)).reshape(2, 1, -1) - np.array([height - 1, width - 1]).reshape(2, 1, 1) / 2
    sine, cosine = (f(turn)[:, None] * scale[:, None] for f in (np.sin, np.cos))
    down = np.clip(cosine * rows - sine * columns + shift[0][:, None] + (height - 1) / 2, 0, height - 1.001)
    right = np.clip(sine * rows + cosine * columns + shift[1][:, None] + (width - 1) / 2, 0, width - 1.001)
    top, left = down.astype(np.int32), right.astype(np.int32)
    low, side = ((part - whole)[:, None].astype(np.float32) for part, whole in ((down, top), (right, left)))
    flat = x.reshape(count, -1, height * width)

    def at(place: np.ndarray) -> np.ndarray:
        return np.take_along_axis(flat, place[:, None], axis=2)

    place = top * width + left
    above = (1 - side) * at(place) + side * at(place + 1)
    below = (1 - side) * at(place + width) + side * at(place + width + 1)
    return ((1 - low) * above + low * below).reshape(x.shape)
