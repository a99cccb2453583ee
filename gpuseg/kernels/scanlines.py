"""Scanlines of a PNG to labels in one pass: row filters undone and colours looked up together.

A scanline is one row as PNG stores it: a filter byte, then what the filter left of each byte
(PNG specification, 9: None, Sub, Up, Average, Paeth). Masks are long runs, and most pixels
equal the one above, so most residuals are zeros. A zero says what a pixel is without a look at
its colour: the label to the left (Sub) or above (Up, Paeth) is simply taken again, and
only where the colour changes is the table read. `rows` does it for one row.

One buffer holds the row above; each row is written over it in place, so where nothing changes
nothing is done.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.jit import U64, njit, part
from gpuseg.kernels.rows import (
    AVERAGE,
    BAD_FILTER,
    DONE,
    LEFT,
    MARGIN,
    PAETH,
    SUB,
    TRANSPARENT,
    UNKNOWN,
    Row,
    changed_row,
    plain_row,
    sub_row,
)
from gpuseg.kernels.vectors import store_word

__all__ = [
    "BAD_FILTER",
    "DONE",
    "LEFT",
    "MARGIN",
    "TRANSPARENT",
    "UNKNOWN",
    "index_scanlines",
    "row_buffer",
    "unfilter",
    "unpack",
]

_NO_PIXELS = np.empty(0, np.uint8)
_ONE_LABEL = np.zeros(1, np.uint16)
_ONE_LABEL.flags.writeable = False  # as other tables: kernels are compiled for that


def row_buffer(width: int, channels: int) -> NDArray[np.uint8]:
    """The row above the first one: zeros, uint8 (LEFT + width * channels + MARGIN,)."""
    return np.zeros(LEFT + width * channels + MARGIN, np.uint8)


def index_scanlines(
    data: NDArray[np.uint8],
    first: int,
    shape: tuple[int, int],
    row: NDArray[np.uint8],
    table: NDArray[np.uint16],
    labels: NDArray[np.uint8],
) -> int:
    """Labels of some whole scanlines; returns how it ended.

    data: uint8 (rows * (1 + width * channels),), the scanlines.
    first: which row of the image the first of them is; 0 starts an image.
    shape: (width, channels); 1 channel (palette positions), 3 (RGB) or 4 (RGBA).
    row: `row_buffer(*shape)`, the row above; carried from call to call.
    table: uint16, label and flags of each colour (2**24) or palette position (256), see `lut`.
    labels: uint8 (height * width + MARGIN,) of the whole image; its rows are written.

    Ends at the first pixel that is UNKNOWN (its entry has a flag) or TRANSPARENT (alpha is not
    255), and at a BAD_FILTER; what was written is then of no use.
    """
    return int(_scan(data, first, shape, row, table, labels, _NO_PIXELS))


def unfilter(
    data: NDArray[np.uint8],
    first: int,
    shape: tuple[int, int],
    row: NDArray[np.uint8],
    pixels: NDArray[np.uint8],
) -> int:
    """Pixels of some whole scanlines; returns how it ended: DONE, TRANSPARENT or BAD_FILTER.

    pixels: uint8 (height * width * min(channels, 3),) of the whole image; its rows are
    written, without alpha. All else as in `index_scanlines`; 1 channel may also be several
    palette positions a byte, `width` is then in bytes.
    """
    labels = np.empty(2 * shape[0] + MARGIN, np.uint8)  # of the row and of the one above
    return int(_scan(data, first, shape, row, _ONE_LABEL, labels, pixels))


def unpack(
    packed: NDArray[np.uint8],
    bits: int,
    table: NDArray[np.uint16],
    width: int,
    labels: NDArray[np.uint8],
) -> int:
    """Labels of a palette image with 1, 2 or 4 bits a pixel; returns DONE or UNKNOWN.

    packed: uint8 (height, bytes of a row), without filters. table: uint16 (256,), label and
    flags of each position. labels: uint8 (height * width + MARGIN,), written.
    UNKNOWN may also come from the bits that fill the last byte of a row.
    """
    shifts = np.arange(8 - bits, -1, -bits, dtype=np.uint16)  # the first pixel is highest
    entries = table[(np.arange(256, dtype=np.uint16)[:, None] >> shifts) & ((1 << bits) - 1)]
    words = np.zeros((256, 8), np.uint8)  # the labels of each byte, as a word
    words[:, : 8 // bits] = entries & 255
    unknown = (entries > 255).any(axis=1)
    packed_labels = words.reshape(-1).view(np.uint64)
    return int(_unpack(packed, bits, packed_labels, unknown, width, labels))


@njit
def _scan(
    data: Any, first: Any, shape: Any, above: Any, table: Any, labels: Any, pixels: Any
) -> Any:
    """Labels, or pixels if there is memory for them: labels are then of no use."""
    first, width, channels = U64(first), U64(shape[0]), U64(shape[1])
    mask = (U64(1) << U64(8) * channels) - U64(1)
    colour = U64(0) if pixels.size else U64(0xFFFFFF)
    step = U64(1) + width * channels
    rows = U64(data.size) // step
    for y in range(rows):
        start, is_first = y * step, first + y == U64(0)
        kind, out = data[start], width if pixels.size else (first + y) * width
        row = Row(data, start + U64(1), width, channels, mask, colour, above, table, labels, out)
        if kind > PAETH:
            return BAD_FILTER
        if is_first or kind == AVERAGE:
            verdict = plain_row(row, kind)
        elif kind == SUB:
            keep = pixels.size > 0 or y + U64(1) == rows or data[start + step] != SUB
            verdict = sub_row(row, keep)
        else:
            verdict = changed_row(row, kind)
        if verdict != DONE:
            return verdict
        if pixels.size:
            _copy_row(row, (first + y) * width * min(channels, U64(3)), pixels)
    return DONE


@part
def _copy_row(row: Any, out: Any, pixels: Any) -> None:
    """The row buffer to pixels, without alpha."""
    if row.channels == U64(4):
        for x in range(row.width):
            for k in range(3):
                pixels[out + U64(3) * x + U64(k)] = row.above[U64(LEFT) + U64(4) * x + U64(k)]
    else:
        for k in range(row.width * row.channels):
            pixels[out + k] = row.above[U64(LEFT) + k]


@njit
def _unpack(packed: Any, bits: Any, words: Any, unknown: Any, width: Any, labels: Any) -> Any:
    width, a_byte = U64(width), U64(8) // U64(bits)
    seen = False
    for y in range(U64(packed.shape[0])):
        for k in range(U64(packed.shape[1])):
            byte = packed[y, k]
            store_word(labels, y * width + k * a_byte, words[byte])
            seen |= unknown[byte]
    return UNKNOWN if seen else DONE
