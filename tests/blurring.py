"""Masks with antialiased borders, and what each of their pixels is a mix of."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gpuseg.kernels.reference_border import border_sources
from gpuseg.palette import Palette
from tests.making import PALETTE


def label_map(height: int = 40, width: int = 50) -> NDArray[np.uint8]:
    """A large thing on the background, and another off it: no three classes ever meet."""
    labels = np.zeros((height, width), np.uint8)
    labels[height // 5 : height // 2, 4 : width - 9] = 1
    labels[height // 2 + 8 :, 12 : width // 2] = 2
    return labels


def blurred(labels: NDArray[np.uint8], palette: Palette = PALETTE) -> NDArray[np.uint8]:
    """The colour mask of a label map at 0.7 of its size, with antialiased borders."""
    height, width = labels.shape
    image = Image.fromarray(palette.colours[labels])
    size = (round(width * 0.7), round(height * 0.7))
    return np.array(image.resize(size, Image.Resampling.BILINEAR))


def shares(labels: NDArray[np.uint8], classes: int) -> NDArray[np.float32]:
    """How much of each class is in each pixel of `blurred`, (H, W, classes)."""
    height, width = labels.shape
    size = (round(width * 0.7), round(height * 0.7))
    parts = [Image.fromarray((labels == k).astype(np.float32)) for k in range(classes)]
    return np.stack([np.array(p.resize(size, Image.Resampling.BILINEAR)) for p in parts], -1)


def specified(
    mask: NDArray[np.uint8], palette: Palette = PALETTE
) -> tuple[NDArray[np.uint8], int, int]:
    """The mask repaired by the specification; how many pixels were, and how many could not be."""
    sources = border_sources(mask, palette)
    pixels = mask.reshape(-1, 3).copy()
    for place, source in sources.items():
        if source >= 0:
            pixels[place] = mask.reshape(-1, 3)[source]
    left = sum(source < 0 for source in sources.values())
    return pixels.reshape(mask.shape), len(sources) - left, left


def indices_of(mask: NDArray[np.uint8], palette: Palette = PALETTE) -> NDArray[np.int64]:
    """Indices of a mask of palette colours only."""
    labels = np.full(mask.shape[:2], -1)
    for entry in palette.classes:
        labels[(mask == entry.rgb).all(-1)] = entry.index
    assert (labels >= 0).all()
    return labels


def save(pixels: NDArray[np.uint8], path: Path, mode: str = "RGB") -> Path:
    """A mask as a file of the format its suffix names. mode: `P` needs few colours."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = Image.fromarray(pixels)
    if mode == "P":
        colours = image.getcolors(256)
        assert colours is not None, "too many colours for a palette"
        image = image.convert("P", palette=Image.Palette.ADAPTIVE, colors=len(colours))
        assert np.array_equal(np.array(image.convert("RGB")), pixels)
    else:
        image = image.convert(mode)
    image.save(path)
    return path
