"""Which colours of a mask are not in the palette: the exact search after a kernel counted.

On the host. Masks are long runs, so it looks at runs instead of pixels.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.lut import Lookup, key_colours
from gpuseg.results import UnknownColour


def find_unknown(
    pixels: NDArray[np.uint8], lookup: Lookup, limit: int = 8
) -> tuple[tuple[UnknownColour, ...], int, int]:
    """The most frequent unknown colours, and how many pixels are unknown and refused.

    pixels: uint8 (H, W, 3) in the order of the lookup; colours come back as true RGB.
    limit: most colours to return.

    Returns (colours, unknown pixels, refused pixels). The colours are the refused ones where
    there are any, else the replaced ones; the most frequent first, ties by first position.
    """
    from gpuseg.kernels import cpu  # numba loads when it is needed

    flat = np.ascontiguousarray(pixels).reshape(-1)
    keys, starts, lengths = cpu.flagged_runs(flat, lookup.table)
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


def _true_rgb(keys: NDArray[np.uint32], lookup: Lookup) -> NDArray[np.uint8]:
    colours = key_colours(keys)
    return colours if lookup.order == "rgb" else colours[:, ::-1]
