"""The PNGs of the real data sets, and label maps made of them without gpuseg's codecs."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

HERE = Path(__file__).parent / "data"
LARGE_SETS = {"camvid12_train": 20}
"""Sets of hundreds of files that are much alike: every n-th is taken."""


def real_pngs(folder: Path, but: Path | None = None) -> dict[str, list[Path]]:
    """Files of each set: each folder below `folder`, and what is below that.

    but: a folder whose sets are left out, for they are the same.
    """
    found: dict[str, list[Path]] = defaultdict(list)
    for path in sorted(folder.rglob("*.png")):
        found[path.relative_to(folder).parts[0]].append(path)
    known = {path.name for path in but.iterdir()} if but else set()
    return {
        name: paths[:: LARGE_SETS.get(name, 1)]
        for name, paths in found.items()
        if name not in known
    }


@cache
def label_map(path: Path) -> NDArray[np.uint8] | None:
    """Positions of a palette file; colours of an RGB file, numbered. None if that is not 8 bits."""
    with Image.open(path) as image:
        if image.mode in ("P", "L"):
            return np.array(image)
        if image.mode not in ("RGB", "RGBA"):
            return None
        pixels = np.array(image.convert("RGB")).astype(np.uint32)
    keys = pixels[..., 0] | pixels[..., 1] << 8 | pixels[..., 2] << 16
    numbers: NDArray[np.uint8] = np.zeros(1 << 24, np.uint8)  # sorting would take long
    numbers[keys] = 1
    colours = np.flatnonzero(numbers)
    if len(colours) > 256:
        return None
    numbers[colours] = np.arange(len(colours))
    return numbers[keys]
