"""Small masks and palettes that tests are made of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from gpuseg.palette import Palette

COLOURS = [(0, 0, 0), (128, 0, 0), (0, 128, 0), (128, 128, 0), (255, 254, 253), (7, 8, 9)]
PALETTE = Palette.from_colours(COLOURS, ["background", "a", "b", "c", "d", "e"], name="six")


def indices(height: int, width: int, seed: int = 0, classes: int = len(COLOURS)) -> np.ndarray:
    """A blocky label map, uint8 (height, width): runs, as masks have them."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, classes, (height // 4 + 1, width // 5 + 1), np.uint8)
    return np.repeat(np.repeat(coarse, 4, 0), 5, 1)[:height, :width].copy()


def mask(height: int, width: int, seed: int = 0) -> np.ndarray:
    """The colour mask of `indices`, uint8 (height, width, 3)."""
    return PALETTE.colours[indices(height, width, seed)]


def save_mask(path: Path, height: int = 12, width: int = 17, seed: int = 0) -> Path:
    """Write a colour mask as a file of the format its suffix names."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(mask(height, width, seed)).save(path)
    return path


def read_indices(path: Path) -> np.ndarray:
    """The indices of a palette PNG, by Pillow alone."""
    with Image.open(path) as image:
        assert image.mode == "P"
        return np.array(image)
