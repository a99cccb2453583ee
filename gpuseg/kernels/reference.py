"""The specification, in plain NumPy: a faster kernel that differs from this is wrong.

Written to be read, not to be fast, and without the lookup table, so that it can judge it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import Labels
from gpuseg.errors import BrokenMaskError, LabelError, UnknownColourError
from gpuseg.options import IndexOptions
from gpuseg.palette import RGB, Palette


def rgb_to_index(
    mask: NDArray[np.uint8], palette: Palette, options: IndexOptions
) -> tuple[Labels, NDArray[np.bool_]]:
    """Label map of a colour mask, and which pixels had a colour outside the palette.

    mask: uint8 (H, W, 3), RGB. Returns uint8 or uint16 (H, W) by `options.depth`, and
    bool (H, W). Raises UnknownColourError when a pixel has an unknown colour and the
    policy gives no index for it, PaletteSizeError when an index does not fit the depth.
    """
    palette.check_depth(options.depth, options.ignore_index)
    index_of = {entry.rgb: entry.index for entry in palette.classes}
    red, green, blue = (mask[..., channel].astype(np.int64) for channel in range(3))
    colours, where = np.unique(red << 16 | green << 8 | blue, return_inverse=True)
    values: Labels = np.empty(len(colours), np.uint8 if options.depth == 8 else np.uint16)
    strange: NDArray[np.bool_] = np.zeros(len(colours), bool)
    for i, colour in enumerate(colours.tolist()):
        rgb = (colour >> 16, colour >> 8 & 255, colour & 255)
        strange[i] = rgb not in index_of
        values[i] = _replacement(rgb, palette, options) if strange[i] else index_of[rgb]
    return values[where].reshape(mask.shape[:2]), strange[where].reshape(mask.shape[:2])


def _replacement(rgb: RGB, palette: Palette, options: IndexOptions) -> int:
    """The index for a colour outside the palette."""
    if options.unknown == "ignore":
        return palette.ignore_for(options.depth, options.ignore_index)
    if options.unknown == "nearest":
        steps = palette.colours.astype(int) - np.array(rgb)
        squared = (steps**2).sum(axis=1)
        nearest = int(squared.argmin())  # the first of several at the same distance
        if options.tolerance is None or np.sqrt(squared[nearest]) <= options.tolerance:
            return palette.classes[nearest].index
    raise UnknownColourError(f"colour {rgb} is not in {palette.name!r}")


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


def count_labels(labels: Labels) -> NDArray[np.int64]:
    """Pixels of each label: uint8 or uint16 of any shape -> int64 (256,) or (65536,)."""
    return np.bincount(labels.reshape(-1), minlength=1 << 8 * labels.itemsize).astype(np.int64)


def unfilter(
    scanlines: bytes | NDArray[np.uint8], height: int, row_bytes: int, step: int
) -> NDArray[np.uint8]:
    """The bytes of an image whose rows are filtered: uint8 (height, row_bytes).

    scanlines: uint8 (height * (1 + row_bytes),), before each row the number of its filter.
    step: bytes from a pixel to the next, 1 where several pixels share a byte.
    Source: PNG specification (ISO/IEC 15948), 9.2 to 9.4. A filter left of each byte what it
    differs, modulo 256, from a prediction: that of the bytes to its left, above it, and left
    above it, which are 0 outside the image. Raises BrokenMaskError for a filter above 4 and
    ValueError for scanlines of another length.
    """
    stored = np.frombuffer(scanlines, np.uint8).reshape(height, 1 + row_bytes).tolist()
    above = [0] * (step + row_bytes)  # with the pixel of zeros before the first
    rows: NDArray[np.uint8] = np.empty((height, row_bytes), np.uint8)
    for y, (number, *residuals) in enumerate(stored):
        row = [0] * step
        for x, residual in enumerate(residuals):
            prediction = _prediction(number, row[x], above[step + x], above[x])
            row.append((residual + prediction) % 256)
        rows[y] = row[step:]
        above = row
    return rows


def _prediction(number: int, left: int, above: int, corner: int) -> int:
    """What filter `number` expects of a byte (PNG specification, 9.2)."""
    if number == 0:  # None
        return 0
    if number == 1:  # Sub
        return left
    if number == 2:  # Up
        return above
    if number == 3:  # Average
        return (left + above) // 2
    if number == 4:  # Paeth: the neighbour that is nearest to left + above - corner
        guess = left + above - corner
        # min takes the first of several: left before above before corner (9.4)
        return min((left, above, corner), key=lambda byte: abs(guess - byte))
    raise BrokenMaskError(f"has a row of filter {number}, PNG knows 0 to 4; restore the file")
