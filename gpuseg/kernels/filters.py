"""Labels to scanlines: which row filter makes the file smaller, and applying it.

zlib's strategy for runs (Z_RLE) writes a row as its runs, so the number of runs tells the
size. Filter None leaves the runs of the row; Up leaves runs of what changed since the row
above. Runs of None are the dearer ones (more different bytes), hence the weight; the figures
are in benchmarks/README.md.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.jit import U64, njit, part
from gpuseg.kernels.vectors import STEP, count_ones, unequal_bits, unequal_step_bits

UP = 2
"""Its number in a scanline's filter byte; None is 0."""


def bits_of_row(width: int) -> NDArray[np.uint64]:
    """Memory for what `choose_filter` finds out of a row: uint64 (2, N)."""
    return np.empty((2, -(-width // 64)), np.uint64)


def filter_rows(
    labels: NDArray[np.uint8], width: int, first: int, scanlines: NDArray[np.uint8]
) -> None:
    """Scanlines of some rows of a label map.

    labels: uint8 (height * width,), the whole label map. first: the first row to filter.
    scanlines: uint8 (rows * (1 + width),), written.
    """
    _filter(labels, width, first, scanlines, bits_of_row(width))


@njit
def _filter(labels: Any, width: Any, first: Any, scanlines: Any, bits_of: Any) -> None:
    width, first = U64(width), U64(first)
    for y in range(U64(scanlines.size) // (width + U64(1))):
        start, to = (first + y) * width, y * (width + U64(1))
        up = choose_filter(labels, start, width, bits_of)
        scanlines[to] = up
        to += U64(1)
        if up:
            for x in range(width):
                scanlines[to + x] = labels[start + x] - labels[start + x - width]
        else:
            for x in range(width):
                scanlines[to + x] = labels[start + x]


@part
def choose_filter(labels: Any, start: Any, width: Any, bits_of: Any) -> Any:
    """The filter of the row that begins at `start`, the one whose runs are fewer: UP or 0.

    bits_of: uint64 (2, N), written: where runs begin under None, and (below the first row)
    under Up. Bit k of word j is the pixel 1 + 64 * j + k.
    """
    runs_none = runs_up = word = U64(0)
    at, end = start + U64(1), start + width
    while at < end:
        none = up = U64(0)
        if at + STEP <= end:
            none = unequal_bits(labels, at, labels, at - U64(1))
            if start:
                up = unequal_step_bits(labels, at, width)
        elif width > STEP:  # the last vector again, without what is counted already
            seen = at - (end - STEP)
            none = unequal_bits(labels, end - STEP, labels, end - STEP - U64(1)) >> seen
            if start:
                up = unequal_step_bits(labels, end - STEP, width) >> seen
        else:
            none, up = _each_pixel(labels, at, end, width)
        bits_of[0, word], bits_of[1, word] = none, up
        runs_none += count_ones(none)
        runs_up += count_ones(up)
        at += STEP
        word += U64(1)
    # a row without runs is noise, and differences of noise are more various than noise
    few = U64(4) * runs_up < width and U64(3) * runs_none > U64(2) * runs_up + U64(4)
    return U64(UP) if start and few else U64(0)


@part
def _each_pixel(labels: Any, at: Any, end: Any, width: Any) -> Any:
    """The same for fewer than 64 pixels."""
    none = up = U64(0)
    for k in range(end - at):
        here = at + k
        step = labels[here] - labels[here - U64(1)] & 255
        none |= U64(step != 0) << k
        if here >= width + U64(1):
            step_above = labels[here - width] - labels[here - width - U64(1)] & 255
            up |= U64(step != step_above) << k
    return none, up
