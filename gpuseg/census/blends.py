"""Unknown colours and the palette: how far they are, and which of them are blended borders."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from gpuseg.borders import find_repair
from gpuseg.kernels.lut import Lookup, colour_keys, key_colours

MOSTLY = 0.8
"""The share of a colour's pixels that must lie between two classes where these touch."""


@dataclass(slots=True)
class Blends:
    """What `--unknown border` would make of the images looked at so far.

    unknown, repaired: pixels. seen, mended: pixels of each unknown colour, by key, and how many
    of them become a class; classes: which, (key, index) by pixels.
    """

    unknown: int = 0
    repaired: int = 0
    seen: Counter[int] = field(default_factory=Counter)
    mended: Counter[int] = field(default_factory=Counter)
    classes: Counter[tuple[int, int]] = field(default_factory=Counter)

    def look(self, image: NDArray[np.uint8], keys: NDArray[np.int64], lookup: Lookup) -> None:
        """Take in an image, uint8 (H, W, 3), and its unknown colours that are to be told."""
        repair = find_repair(image, lookup)
        self.unknown += len(repair.places) + repair.left
        self.repaired += len(repair.places)
        pixels = colour_keys(image).reshape(-1)
        wanted = keys.astype(np.uint32)
        self.seen.update(_counts(pixels[np.isin(pixels, wanted)]))
        told = np.isin(pixels[repair.places], wanted)
        mended = pixels[repair.places[told]]
        self.mended.update(_counts(mended))
        indices = lookup.table[pixels[repair.sources[told]]]
        pairs = mended.astype(np.int64) << 16 | indices.astype(np.int64)
        self.classes.update({(p >> 16, p & 0xFFFF): n for p, n in _counts(pairs).items()})

    def index_of(self, key: int) -> int | None:
        """The class that an unknown colour mostly becomes, None for one that is no blend."""
        if not self.seen[key] or self.mended[key] < MOSTLY * self.seen[key]:
            return None
        ranked = [(-n, index) for (colour, index), n in self.classes.items() if colour == key]
        return min(ranked)[1]


def _counts(values: NDArray[np.integer]) -> dict[int, int]:
    found, counts = np.unique(values, return_counts=True)
    return dict(zip(found.tolist(), counts.tolist(), strict=True))


def distances(keys: NDArray[np.int64], colours: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Euclidean distance of colours, keys int64 (N,), to the nearest of a palette: (N,)."""
    wide = colours.astype(np.int64)
    found = np.empty(len(keys), np.float64)
    for start in range(0, len(keys), 4096):  # bounds the memory
        some = key_colours(keys[start : start + 4096].astype(np.uint32)).astype(np.int64)
        squares = ((some[:, None] - wide[None]) ** 2).sum(axis=2)
        found[start : start + 4096] = np.sqrt(squares.min(axis=1))
    return found
