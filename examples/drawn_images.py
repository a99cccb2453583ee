"""Images to train on where there are none: drawn from label maps, a texture a class.

The masks that come with this repository come without photographs. These stand in for them: each
class has a dull colour and a grain of its own, and light, noise and blur lie over the whole, so
that a network has something to learn. With photographs of your own this file is not needed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

import gpuseg


def draw_images(labels: Iterable[Path], images: Path) -> None:
    """An image for each label map of these folders: JPEG of the same stem in another."""
    images.mkdir(parents=True, exist_ok=True)
    for seed, path in enumerate(path for folder in labels for path in sorted(folder.glob("*.png"))):
        image = draw_image(gpuseg.load_label(path), seed)
        image.save(images / f"{path.stem}.jpg", quality=90)


def draw_image(labels: NDArray[np.uint8], seed: int) -> Image.Image:
    """An image of a label map, uint8 (H, W)."""
    random = np.random.default_rng(seed)
    pixels = np.zeros((*labels.shape, 3), np.float32)
    for index, (colour, grain) in zip(range(256), _looks(), strict=False):
        here = labels == index
        if here.any():
            pixels[here] = colour + _grain(labels.shape, grain, random)[here, None]
    height, width = labels.shape
    slope_y, slope_x = random.uniform(-30, 30, 2)
    light = slope_y * np.linspace(-1, 1, height)[:, None] + slope_x * np.linspace(-1, 1, width)
    pixels += light[..., None] + random.normal(0, 12, pixels.shape)
    image = Image.fromarray(pixels.clip(0, 255).astype(np.uint8))
    return image.filter(ImageFilter.GaussianBlur(1))


def _looks() -> Iterator[tuple[NDArray[np.float32], int]]:
    """Colour, float32 (3,), and size of the grain in pixels of each class, always the same."""
    random = np.random.default_rng(20)
    while True:
        yield random.uniform(70, 190, 3).astype(np.float32), int(random.integers(1, 9))


def _grain(shape: tuple[int, ...], size: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Blocks of light and dark, float32 of a shape."""
    height, width = shape
    blocks = random.normal(0, 18, (height // size + 1, width // size + 1)).astype(np.float32)
    return blocks.repeat(size, 0).repeat(size, 1)[:height, :width]
