"""Which colours of a mask are not in the palette: the slow, exact search after a kernel counted.

Plain NumPy on the host. Masks are long runs, so it looks at runs instead of pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.lut import Lookup, colour_keys, key_colours
from gpuseg.report import UnknownColour


def find_unknown(
    pixels: NDArray[np.uint8], lookup: Lookup, limit: int = 8
) -> tuple[tuple[UnknownColour, ...], int, int]:
    """The most frequent unknown colours, and how many pixels are unknown and refused.

    pixels: uint8 (H, W, 3) in the order of the lookup; colours come back as true RGB.
    limit: most colours to return.

    Returns (colours, unknown pixels, refused pixels). The colours are the refused ones where
    there are any, else the replaced ones; the most frequent first, ties by first position.
    """
    keys, starts, lengths = _runs(pixels)
    flags = lookup.table[keys] >> np.uint32(lookup.depth)
    unknown, refused = flags & 1 == 1, flags >> 1 & 1 == 1
    unknown_total, refused_total = int(lengths[unknown].sum()), int(lengths[refused].sum())
    shown = refused if refused_total else unknown
    found, first, place = np.unique(keys[shown], return_index=True, return_inverse=True)
    counts = np.bincount(place, weights=lengths[shown], minlength=len(found)).astype(np.int64)
    positions = starts[shown][first]
    order = np.lexsort((positions, -counts))[:limit]
    rows = zip(
        _true_rgb(found[order], lookup).tolist(),
        counts[order].tolist(),
        positions[order].tolist(),
        strict=True,
    )
    width = pixels.shape[1]
    colours = tuple(
        UnknownColour((rgb[0], rgb[1], rgb[2]), count, x=position % width, y=position // width)
        for rgb, count, position in rows
    )
    return colours, unknown_total, refused_total


def _runs(
    pixels: NDArray[np.uint8],
) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.int64]]:
    """Runs of one colour in row order: keys uint32 (R,), starts and lengths int64 (R,), pixels."""
    keys = colour_keys(pixels).reshape(-1)
    borders = np.flatnonzero(keys[1:] != keys[:-1]) + 1
    starts = np.concatenate([np.zeros(min(keys.size, 1), np.int64), borders])
    return keys[starts], starts, np.diff(starts, append=keys.size)


def _true_rgb(keys: NDArray[np.uint32], lookup: Lookup) -> NDArray[np.uint8]:
    colours = key_colours(keys)
    return colours if lookup.order == "rgb" else colours[:, ::-1]
