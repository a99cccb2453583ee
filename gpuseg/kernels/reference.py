"""The specification, in plain NumPy: a faster kernel that differs from this is wrong.

Written to be read, not to be fast, and without the lookup table, so that it can judge it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gpuseg.errors import LabelError, UnknownColourError
from gpuseg.options import IndexOptions
from gpuseg.palette import Palette


def rgb_to_index(
    mask: NDArray[np.uint8], palette: Palette, options: IndexOptions
) -> tuple[NDArray[np.uint8] | NDArray[np.uint16], NDArray[np.bool_]]:
    """Label map of a colour mask, and which pixels had a colour outside the palette.

    mask: uint8 (H, W, 3), RGB. Returns uint8 or uint16 (H, W) by `options.depth`, and
    bool (H, W). Raises UnknownColourError when a pixel has an unknown colour and the
    policy gives no index for it, PaletteSizeError when an index does not fit the depth.
    """
    palette.check_depth(options.depth)
    index_of = {entry.rgb: entry.index for entry in palette.classes}
    labels = np.empty(mask.shape[:2], np.uint8 if options.depth == 8 else np.uint16)
    unknown = np.zeros(mask.shape[:2], bool)
    for colour in np.unique(mask.reshape(-1, 3), axis=0):
        where = (mask == colour).all(axis=2)
        rgb = (int(colour[0]), int(colour[1]), int(colour[2]))
        if rgb in index_of:
            labels[where] = index_of[rgb]
        else:
            labels[where] = _replacement(colour, palette, options)
            unknown |= where
    return labels, unknown


def _replacement(colour: NDArray[np.uint8], palette: Palette, options: IndexOptions) -> int:
    """The index for a colour outside the palette."""
    if options.unknown == "ignore":
        return palette.ignore_for(options.depth, options.ignore_index)
    if options.unknown == "nearest":
        steps = palette.colours.astype(int) - colour.astype(int)
        squared = (steps**2).sum(axis=1)
        nearest = int(squared.argmin())  # the first of several at the same distance
        if options.tolerance is None or squared[nearest] <= options.tolerance**2:
            return palette.classes[nearest].index
    raise UnknownColourError(f"colour {tuple(colour.tolist())} is not in {palette.name!r}")


def index_to_rgb(
    labels: NDArray[np.unsignedinteger], palette: Palette, ignore_index: int = 255
) -> NDArray[np.uint8]:
    """Colour mask of a label map: uint (H, W) -> uint8 (H, W, 3).

    The ignore index is painted (224, 224, 192) unless it is a class. Raises LabelError for
    any other index that is no class of the palette.
    """
    colour_of = {ignore_index: (224, 224, 192)}
    colour_of.update({i: entry.rgb for i, entry in palette.first_by_index().items()})
    colours = np.empty((*labels.shape, 3), np.uint8)
    for index in np.unique(labels):
        if int(index) not in colour_of:
            raise LabelError(f"index {index} is not in palette {palette.name!r}")
        colours[labels == index] = colour_of[int(index)]
    return colours
