"""Scanlines of one byte a pixel to labels that stay as they are: the row filters are all there is.

Label maps that are only read need no table and no row buffer: a label is what its pixel is, and
the row above is that of the labels. So None is a copy, Up one addition, and Sub and Paeth go from
one residual that is not zero to the next, as in `rows`.
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
    NONE,
    PAETH,
    SUB,
    UP,
    next_nonzero,
    predict,
)
from gpuseg.kernels.vectors import STEP, fill_bytes

_BYTE = U64(255)


def read_scanlines(
    data: NDArray[np.uint8],
    first: int,
    shape: tuple[int, int],
    row: NDArray[np.uint8],
    labels: NDArray[np.uint8],
) -> int:
    """Labels of some whole scanlines; returns how it ended: DONE or BAD_FILTER.

    As `scanlines.index_scanlines` with a table that changes nothing, for one channel. row: not
    looked at, for the row above is among the labels.
    """
    return int(_read(data, first, shape[0], labels))


@njit
def _read(data: Any, first: Any, width: Any, labels: Any) -> Any:
    first, width = U64(first), U64(width)
    step = U64(1) + width
    for y in range(U64(data.size) // step):
        start, out = y * step, (first + y) * width
        kind, at = data[start], start + U64(1)
        if kind > PAETH:
            return BAD_FILTER
        is_first = first + y == U64(0)
        if kind == NONE or (kind == UP and is_first):
            for k in range(width):
                labels[out + k] = data[at + k]
        elif kind == UP:
            for k in range(width):
                labels[out + k] = labels[out + k - width] + data[at + k]
        elif kind == AVERAGE:
            _average_row(data, at, width, labels, out, is_first)
        elif kind == SUB or is_first:
            _sub_row(data, at, width, labels, out)  # Paeth of zeros is the pixel to the left
        else:
            _paeth_row(data, at, width, labels, out)
    return DONE


@part
def _sub_row(data: Any, at: Any, width: Any, labels: Any, out: Any) -> None:
    """Each run is filled; up to 63 labels too many are written."""
    x = label = U64(0)
    while x < width:
        label = label + U64(data[at + x]) & _BYTE
        end = next_nonzero(data, at + x + U64(1), at + width) - at
        for place in range(out + x, out + end, STEP):
            fill_bytes(labels, place, label)
        x = end


@part
def _paeth_row(data: Any, at: Any, width: Any, labels: Any, out: Any) -> None:
    """The row above, but for stretches that changed."""
    for k in range(width):
        labels[out + k] = labels[out + k - width]
    x = U64(0)
    while True:
        x = next_nonzero(data, at + x, at + width) - at
        if x >= width:
            return
        # so far this row equals the one above, so its left pixel is the one left above
        left = corner = U64(labels[out + x - width - U64(1)]) if x else U64(0)
        while x < width:
            above, residual = U64(labels[out + x - width]), U64(data[at + x])
            if left == corner and residual == U64(0):
                break
            left = residual + predict(left, above, corner) & _BYTE
            labels[out + x] = left
            corner = above
            x += U64(1)


@part
def _average_row(data: Any, at: Any, width: Any, labels: Any, out: Any, is_first: Any) -> None:
    left = U64(0)
    for k in range(width):
        above = U64(0) if is_first else U64(labels[out + k - width])
        left = U64(data[at + k]) + ((left + above) >> U64(1)) & _BYTE
        labels[out + k] = left
