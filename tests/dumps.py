"""Folders of label maps, written by Pillow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gpuseg import Palette, Stats
from tests.making import PALETTE, indices


def save_label_map(path: Path, labels: Any, palette: Palette | None = None) -> np.ndarray:
    """A label map, by Pillow: of a palette, or greyscale of 8 or 16 bits."""
    pixels = np.array(labels)
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels.astype(np.uint16 if pixels.max() > 255 else np.uint8))
    if palette is not None:
        image = Image.frombytes("P", image.size, pixels.astype(np.uint8).tobytes())
        image.putpalette(palette.plte())
    image.save(path)
    return pixels


def label_maps(folder: Path, count: int = 9) -> list[np.ndarray]:
    """Label maps of PALETTE, some pixels ignored; class 5 is in none."""
    made = []
    for i in range(count):
        labels = indices(9 + i, 14, seed=i, classes=2 + i % 4)
        labels[:2, : i % 5] = 255
        made.append(save_label_map(folder / ("sub" if i % 2 else "") / f"{i}.png", labels, PALETTE))
    return made


def by_index(found: Stats) -> dict[int, Any]:
    return {entry.index: entry for entry in found.classes}
