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


def filter_rows(
    labels: NDArray[np.uint8], width: int, first: int, scanlines: NDArray[np.uint8]
) -> None:
    """Scanlines of some rows of a label map.

    labels: uint8 (height * width,), the whole label map. first: the first row to filter.
    scanlines: uint8 (rows * (1 + width),), written.
    """
    _filter(labels, width, first, scanlines)


@njit
def _filter(labels: Any, width: Any, first: Any, scanlines: Any) -> None:
    width, first = U64(width), U64(first)
    for y in range(U64(scanlines.size) // (width + U64(1))):
        start, to = (first + y) * width, y * (width + U64(1))
        up = first + y > U64(0) and _is_up_smaller(labels, start, width)
        scanlines[to] = UP if up else 0
        to += U64(1)
        if up:
            for x in range(width):
                scanlines[to + x] = labels[start + x] - labels[start + x - width]
        else:
            for x in range(width):
                scanlines[to + x] = labels[start + x]


@part
def _is_up_smaller(labels: Any, start: Any, width: Any) -> Any:
    """Compare the runs of both filters in the row that begins at `start`."""
    runs_none = runs_up = U64(0)
    at, end = start + U64(1), start + width
    while at + STEP <= end:
        runs_none += count_ones(unequal_bits(labels, at, labels, at - U64(1)))
        runs_up += count_ones(unequal_step_bits(labels, at, width))
        at += STEP
    if at < end and width > STEP:  # the last vector again, without what is counted already
        seen, at = at - (end - STEP), end - STEP
        runs_none += count_ones(unequal_bits(labels, at, labels, at - U64(1)) >> seen)
        runs_up += count_ones(unequal_step_bits(labels, at, width) >> seen)
        at = end
    while at < end:
        step = labels[at] - labels[at - U64(1)] & 255
        step_above = labels[at - width] - labels[at - width - U64(1)] & 255
        runs_none += step != 0
        runs_up += step != step_above
        at += U64(1)
    # a row without runs is noise, and differences of noise are more various than noise
    return U64(4) * runs_up < width and U64(3) * runs_none > U64(2) * runs_up + U64(4)
