"""Shifted and noisy images, fresh in every step."""

from typing import Any

import jax
import jax.numpy as jnp

from ..contract import TrainJobOptionsAugmentation


def augment(images: Any, key: Any, how: TrainJobOptionsAugmentation) -> Any:
    """float32 [N, channels, height, width]: each shifted by up to `shift_pixels` each way (0 comes in), then Gaussian noise. Traced."""
    shifting, noising = jax.random.split(key)
    if how.shift_pixels:
        images = _shifted(images, shifting, how.shift_pixels)
    if how.noise:
        images = images + how.noise * jax.random.normal(noising, images.shape, images.dtype)
    return images


def _shifted(images: Any, key: Any, most: int) -> Any:
    wide = jnp.pad(images, ((0, 0), (0, 0), (most, most), (most, most)))
    corners = jax.random.randint(key, (images.shape[0], 2), 0, 2 * most + 1)

    def cut(image: Any, corner: Any) -> Any:
        return jax.lax.dynamic_slice(image, (0, corner[0], corner[1]), images.shape[1:])

    return jax.vmap(cut)(wide, corners)
