"""Where bytes change in the scanlines of label maps: their runs, block by block."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.filters import choose_filter
from gpuseg.kernels.jit import U64, inlined, njit
from gpuseg.kernels.vectors import STEP, trailing_zeros, unequal_bits

MOST = 1 << 14
"""Runs after which a block ends: codes fit better what lies close together, but cost a header."""

COVERED = 1 << 22
"""Bytes after which a block ends, so that what it is written to has a bound."""

BYTE, LENGTH, COUNT, BYTES = range(4)
"""State: the last run, which may go on; the runs before it; the bytes of all, in this block."""


def begin(first: int) -> NDArray[np.uint64]:
    """The state before a stream whose first byte is `first`: uint64 (4,)."""
    return np.array([first, 0, 0, 0], np.uint64)


def end(runs: NDArray[np.uint64], state: NDArray[np.uint64]) -> int:
    """End the last run of a block; returns how many there are."""
    count = int(state[COUNT])
    runs[count] = state[BYTE] | state[LENGTH] << U64(8)
    state[LENGTH:] = 0
    return count + 1


def of_labels(
    labels: NDArray[np.uint8],
    width: int,
    first: int,
    runs: NDArray[np.uint64],
    state: NDArray[np.uint64],
    bits_of: NDArray[np.uint64],
) -> int:
    """Find the runs of a label map's filtered scanlines from row `first` on; the row after them.

    labels: uint8 (height * width,). runs: uint64 (MOST + 1 + width,) at least, written,
    `byte | length << 8`. bits_of: `filters.bits_of_row`. Ends after the last row, or where the
    block ends.
    """
    return int(_of_labels(labels, width, first, runs, state, bits_of))


@njit
def _of_labels(labels: Any, width: Any, y: Any, runs: Any, state: Any, bits_of: Any) -> Any:
    width, y = U64(width), U64(y)
    byte, length, count, at = state[BYTE], state[LENGTH], state[COUNT], state[BYTES]
    begun = at - length
    words = (width + U64(62)) // STEP
    while y * width < U64(labels.size) and count < U64(MOST) and at < U64(COVERED):
        start = y * width
        up = choose_filter(labels, start, width, bits_of)
        back = width if up else U64(0)
        row = U64(1) if up else U64(0)
        byte, begun, count = _go_on(runs, count, byte, begun, up, at)
        value = _residual(labels, start, back)
        byte, begun, count = _go_on(runs, count, byte, begun, value, at + U64(1))
        for k in range(words):
            bits = bits_of[row, k]
            while bits:
                place = k * STEP + U64(1) + trailing_zeros(bits)
                bits &= bits - U64(1)
                here = at + U64(1) + place
                runs[count] = byte | here - begun << U64(8)
                byte, begun = _residual(labels, start + place, back), here
                count += U64(1)
        at += width + U64(1)
        y += U64(1)
    state[BYTE], state[LENGTH], state[COUNT], state[BYTES] = byte, at - begun, count, at
    return y


def of_scanlines(
    scanlines: NDArray[np.uint8],
    row: int,
    first: int,
    runs: NDArray[np.uint64],
    state: NDArray[np.uint64],
) -> int:
    """The same for scanlines that are filtered already, uint8 (height * row,)."""
    return int(_of_scanlines(scanlines, row, first, runs, state))


@njit
def _of_scanlines(scanlines: Any, row: Any, y: Any, runs: Any, state: Any) -> Any:
    row, y, size = U64(row), U64(y), U64(scanlines.size)
    byte, length, count = state[BYTE], state[LENGTH], state[COUNT]
    at = y * row
    before = state[BYTES] - at  # from places of the stream to those of the block
    begun = at - length
    while at < size and count < U64(MOST) and before + at < U64(COVERED):
        byte, begun, count = _go_on(runs, count, byte, begun, U64(scanlines[at]), at)
        at += U64(1)
        end = at + row - U64(1)
        while at < end:
            bits, step = U64(scanlines[at] != scanlines[at - U64(1)]), U64(1)
            if at + STEP <= size:
                bits, step = unequal_bits(scanlines, at, scanlines, at - U64(1)), STEP
                if at + STEP > end:
                    step = end - at
                    bits &= (U64(1) << step) - U64(1)
            while bits:
                here = at + trailing_zeros(bits)
                bits &= bits - U64(1)
                runs[count] = byte | here - begun << U64(8)
                byte, begun = U64(scanlines[here]), here
                count += U64(1)
            at += step
        y += U64(1)
    state[BYTE], state[LENGTH], state[COUNT], state[BYTES] = byte, at - begun, count, before + at
    return y


@inlined
def _go_on(runs: Any, count: Any, byte: Any, begun: Any, value: Any, at: Any) -> Any:
    """Let the byte at `at` go on with the last run or begin another; that run, and the count."""
    if value != byte:
        runs[count] = byte | at - begun << U64(8)
        count += U64(at != begun)  # none where a stream or block begins
        byte, begun = value, at
    return byte, begun, count


@inlined
def _residual(labels: Any, at: Any, back: Any) -> Any:
    """What a filter leaves of a label: back is the distance of the one above, 0 for None."""
    value = U64(labels[at])
    if back:
        value = value - U64(labels[at - back]) & U64(255)
    return value
