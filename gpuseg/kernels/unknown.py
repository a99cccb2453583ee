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
    keys, starts, lengths = _flagged_runs(pixels, lookup)
    flags = lookup.table[keys] >> np.uint32(lookup.depth)
    unknown, refused = flags & 1 == 1, flags >> 1 & 1 == 1
    unknown_total, refused_total = int(lengths[unknown].sum()), int(lengths[refused].sum())
    shown = refused if refused_total else unknown
    width = pixels.shape[1]
    colours = most_frequent(keys[shown], starts[shown], lengths[shown], width, lookup, limit)
    return colours, unknown_total, refused_total


def unknown_pixels(pixels: NDArray[np.uint8], lookup: Lookup) -> NDArray[np.int64]:
    """All unknown pixels, in their order: int64 (U,), row * W + column.

    pixels: uint8 (H, W, 3) in the order of the lookup.
    """
    _, starts, lengths = _flagged_runs(pixels, lookup)
    ends = lengths.cumsum()
    places: NDArray[np.int64] = np.repeat(starts - ends + lengths, lengths)
    places += np.arange(len(places))
    return places


def most_frequent(
    keys: NDArray[np.uint32],
    starts: NDArray[np.int64],
    lengths: NDArray[np.int64],
    width: int,
    lookup: Lookup,
    limit: int = 8,
) -> tuple[UnknownColour, ...]:
    """The most frequent colours of runs of pixels, ties by first position.

    keys: uint32 (R,). starts, lengths: int64 (R,), in the order of the pixels. width: of the
    image. limit: most colours to return.
    """
    found, first, place = np.unique(keys, return_index=True, return_inverse=True)
    counts = np.bincount(place, weights=lengths, minlength=len(found)).astype(np.int64)
    positions = starts[first]
    order = np.lexsort((positions, -counts))[:limit]
    rows = zip(
        _true_rgb(found[order], lookup).tolist(),
        counts[order].tolist(),
        positions[order].tolist(),
        strict=True,
    )
    return tuple(
        UnknownColour((rgb[0], rgb[1], rgb[2]), count, x=position % width, y=position // width)
        for rgb, count, position in rows
    )


def _flagged_runs(
    pixels: NDArray[np.uint8], lookup: Lookup
) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.int64]]:
    from gpuseg.kernels import cpu  # numba loads when it is needed

    return cpu.flagged_runs(np.ascontiguousarray(pixels).reshape(-1), lookup.table)


def _true_rgb(keys: NDArray[np.uint32], lookup: Lookup) -> NDArray[np.uint8]:
    colours = key_colours(keys)
    return colours if lookup.order == "rgb" else colours[:, ::-1]
