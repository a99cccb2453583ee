"""How many pixels have each label: of label maps, and of scanlines before they become one."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import Labels
from gpuseg.kernels.jit import U64, njit, part
from gpuseg.kernels.rows import (
    BAD_FILTER,
    DONE,
    LEFT,
    MARGIN,
    NONE,
    PAETH,
    SUB,
    UP,
    Row,
    undo_filter,
)
from gpuseg.kernels.vectors import STEP, nonzero_bits, trailing_zeros, unequal_bits

_NO_TABLE = np.zeros(1, np.uint8)
_LEFT, _ALL = U64(LEFT), ~U64(0)
assert MARGIN >= STEP  # noqa: S101  # vectors are read whole


def count_scanlines(
    data: NDArray[np.uint8], width: int, row: NDArray[np.uint8], counts: NDArray[np.int64]
) -> int:
    """Add the pixels of each label in some whole scanlines; returns DONE or BAD_FILTER.

    data: uint8 (rows * (1 + width),), scanlines of one byte a pixel. row: the row above,
    `scanlines.row_buffer(width, 1)`, carried from call to call. counts: int64 (256,), added to.
    """
    return int(_count_scanlines(data, width, row, _NO_TABLE, counts))


def count_labels(labels: Labels) -> NDArray[np.int64]:
    """Pixels of each label.

    labels: uint8 or uint16 (H, W) or (P,), C-contiguous, in the byte order of the machine.
    Returns int64 (256,) or (65536,).
    """
    counts = np.zeros(1 << 8 * labels.itemsize, np.int64)
    _count_labels(labels.reshape(-1), counts)
    return counts


@njit
def _count_scanlines(data: Any, width: Any, above: Any, none: Any, counts: Any) -> Any:
    """Each row is written over the one above and counted there, while it is in the cache."""
    width, channels = U64(width), U64(1)
    step = width + U64(1)
    for start in range(U64(0), U64(data.size), step):
        kind, at = data[start], start + U64(1)
        if kind > PAETH:
            return BAD_FILTER
        if kind == SUB:
            for x in range(width):
                above[_LEFT + x] = data[at + x]
            last = start + step == U64(data.size)
            _count_differences(above, width, counts, last or data[start + step] > SUB)
            continue
        if kind == NONE:
            for x in range(width):
                above[_LEFT + x] = data[at + x]
        elif kind == UP:
            for x in range(width):
                above[_LEFT + x] = above[_LEFT + x] + data[at + x]
        else:
            row = Row(data, at, width, channels, _ALL, _ALL, above, none, none, U64(0))
            undo_filter(row, kind)
        _count_row(above, width, counts)
    return DONE


@part
def _count_row(row: Any, width: Any, counts: Any) -> None:
    """Add the labels of the row in a row buffer, run by run.

    The zeros behind the row are a run, too, which begins where all pixels are counted.
    """
    label = begun = U64(0)  # the zero left of the row is a run of no pixels
    for at in range(U64(0), width, STEP):
        place = _LEFT + at
        bits = unequal_bits(row, place, row, place - U64(1))
        while bits:
            here = at + trailing_zeros(bits)
            bits &= bits - U64(1)
            counts[label] += here - begun
            label, begun = U64(row[_LEFT + here]), here
    counts[label] += width - begun


@part
def _count_differences(row: Any, width: Any, counts: Any, keep: Any) -> None:
    """Add the labels of a row of filter Sub, whose differences are in the row buffer.

    keep: the row below needs the labels there. Behind the row there are no differences.
    """
    label = begun = U64(0)
    for at in range(U64(0), width, STEP):
        bits = nonzero_bits(row, _LEFT + at)
        while bits:
            here = at + trailing_zeros(bits)
            bits &= bits - U64(1)
            counts[label] += here - begun
            difference = U64(row[_LEFT + here])
            if keep:
                for x in range(begun, here):
                    row[_LEFT + x] = label
            label, begun = label + difference & U64(255), here
    counts[label] += width - begun
    if keep:
        for x in range(begun, width):
            row[_LEFT + x] = label


@njit
def _count_labels(labels: Any, counts: Any) -> None:
    size, begun = U64(labels.size), U64(0)
    for place in range(U64(1), size):
        here = U64(place)
        if labels[here] != labels[begun]:
            counts[labels[begun]] += here - begun
            begun = here
    if size:
        counts[labels[begun]] += size - begun
