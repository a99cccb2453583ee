"""Repair of antialiased borders: which unknown pixels become which neighbour, and which stay."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import Labels
from gpuseg.kernels.lut import Lookup, colour_keys
from gpuseg.kernels.unknown import most_frequent, unknown_pixels
from gpuseg.results import UnknownColour


@dataclass(frozen=True, slots=True, eq=False)
class Repair:
    """What can be done about the unknown pixels of a mask.

    Pixels are named by row * W + column. places: int64 (R,), those that can be repaired.
    sources: int64 (R,), the known pixel that each of them becomes a copy of.
    colours: the most frequent colours of the pixels that stay unknown, or of those that are
    repaired where none stays. left: how many stay.
    """

    places: NDArray[np.int64]
    sources: NDArray[np.int64]
    colours: tuple[UnknownColour, ...]
    left: int

    def apply(self, image: NDArray[np.uint8] | Labels) -> None:
        """Write the repaired pixels of a mask, (H, W, 3), or of its label map, (H, W)."""
        width = image.shape[1]
        image[divmod(self.places, width)] = image[divmod(self.sources, width)]


def find_repair(pixels: NDArray[np.uint8], lookup: Lookup) -> Repair:
    """How the unknown pixels of a mask are repaired, by the rule of `reference_border`.

    pixels: uint8 (H, W, 3), in the order of the lookup.
    """
    pixels = np.ascontiguousarray(pixels)
    places = unknown_pixels(pixels, lookup)
    if not len(places):
        return Repair(places, places, (), 0)
    from gpuseg.kernels import border  # compiled with the first mask that needs it

    sources = border.border_sources(pixels, places, lookup.table)
    found = sources >= 0
    left = len(places) - int(found.sum())
    shown = places[~found] if left else places
    keys = colour_keys(pixels.reshape(-1, 3)[shown])
    colours = most_frequent(keys, shown, np.ones(len(shown), np.int64), pixels.shape[1], lookup)
    return Repair(places[found], sources[found], colours, left)
