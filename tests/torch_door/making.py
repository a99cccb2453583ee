"""Folders of photographs and their label maps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from gpuseg import Palette, save_label
from tests.making import PALETTE, indices


def save_photo(path: Path, height: int = 12, width: int = 17, seed: int = 0) -> np.ndarray:
    """A photograph by the format that its suffix names; returns what a decoder makes of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    Image.fromarray(pixels).save(path)
    with Image.open(path) as image:
        return np.array(image.convert("RGB"))


def save_labels(
    path: Path, height: int = 12, width: int = 17, seed: int = 0, palette: Palette = PALETTE
) -> np.ndarray:
    """A label map with some ignored pixels."""
    path.parent.mkdir(parents=True, exist_ok=True)
    labels = indices(height, width, seed)
    labels[0, : seed % 4] = 255
    save_label(path, labels, palette)
    return labels


def save_pairs(root: Path, count: int = 5) -> list[tuple[np.ndarray, np.ndarray]]:
    """`images/…jpg` and `labels/…png` of different sizes, some in a folder; in order of names."""
    made = []
    for i in range(count):
        name = f"{'a' if i < 2 else 'b/c'}{i}"
        photo = save_photo(root / "images" / f"{name}.jpg", 12 + i, 17, i)
        made.append((photo, save_labels(root / "labels" / f"{name}.png", 12 + i, 17, i)))
    return made
