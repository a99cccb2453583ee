"""Void borders: what lies near to where two instances meet, in time that no width changes.

A square of pixels is not all of one instance just where two of its pixels beside each other, or
one above the other, differ. So each row tells, of each column, the last row in which a pair lies
near enough to the left or the right; and a pixel is void where that row is near enough, too.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.jit import U64, inlined, njit

Pixels = NDArray[np.unsignedinteger]


def draw_outline(instances: Pixels, width: int, made: Pixels, void: int) -> None:
    """Give the pixels that `reference_outline.void_outline` finds the value `void`.

    instances: uint8, uint16 or uint32 (H, W), C-contiguous. width: at least 1, in pixels.
    made: (H, W), C-contiguous, another array, which is written.
    """
    given = instances.view()
    given.flags.writeable = False  # kernels are compiled once for what is read
    beside = np.zeros(instances.shape[1], np.int64)
    above = np.zeros(instances.shape[1], np.int64)
    _draw(given, U64(width), made, made.dtype.type(void), beside, above)


@njit
def _draw(instances: Any, width: Any, made: Any, void: Any, beside: Any, above: Any) -> None:
    """beside, above: int64 (W,), of zeros: per column, 1 + the lower row of the last pair of
    neighbours in a row, and of those in a column, that differ and lie near enough.
    """
    height, across = U64(instances.shape[0]), U64(instances.shape[1])
    one = U64(1)
    for y in range(height + width):
        if y < height:
            _look_beside(instances, y, width, across, beside)
            if y:
                _look_above(instances, y, width, across, above)
        if y >= width:
            # rows to -> y - width - width and up are near, of pairs in a column one less
            to = y - width
            least = np.int64(to - width + one) if to >= width else np.int64(1)
            for x in range(across):
                if (beside[x] >= least) | (above[x] > least):
                    made[to, x] = void


@inlined
def _look_beside(instances: Any, y: Any, width: Any, across: Any, found: Any) -> None:
    """Note row y in the columns that are near to a pair of neighbours in it that differ."""
    one, done, mark = U64(1), U64(0), np.int64(y + U64(1))
    for x in range(one, across):
        if instances[y, x] != instances[y, x - one]:
            for k in range(max(done, x - min(x, width)), min(across, x + width)):
                found[k] = mark
            done = min(across, x + width)


@inlined
def _look_above(instances: Any, y: Any, width: Any, across: Any, found: Any) -> None:
    """Note row y in the columns that are near to a pixel of it that differs from that above."""
    one, done, mark = U64(1), U64(0), np.int64(y + U64(1))
    for x in range(across):
        if instances[y, x] != instances[y - one, x]:
            for k in range(max(done, x - min(x, width)), min(across, x + width + one)):
                found[k] = mark
            done = min(across, x + width + one)
