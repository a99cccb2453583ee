"""Runs of regions down the columns, as COCO has them, from their outlines.

A column changes between a region and what is not where it crosses an edge along a row. So what is
sorted are those edges, and no pixel is looked at.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.errors import MaskSizeError
from gpuseg.kernels.jit import U64, njit
from gpuseg.kernels.outlines import FIRST, Outlines

MOST_CHANGES = 1 << 27
"""Places where runs begin and end: two gigabytes, and more than any but noise and stripes have."""

_SHIFT, _LOW = U64(32), U64((1 << 32) - 1)
_ONE = U64(1)


def group_runs(
    found: Outlines, groups: NDArray[np.int64], count: int, shape: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Lengths of the runs of groups of regions, of other pixels and of these by turns.

    groups: int64 (L,), the group of each outline, from 0, -1 for none. count: of groups. shape:
    of the image, rows and columns. Returns the lengths, int64 (K,), and where those of each group
    begin in them, int64 (count + 1,). A group without an outline has one run.
    Raises MaskSizeError for more than 2**27 places where runs begin and end.
    """
    corners, loops = found.corners, found.loops
    size = _changes(corners, loops, groups, None, 0)
    if size > MOST_CHANGES:
        raise MaskSizeError(
            f"its runs begin and end in {size:,} places, and {MOST_CHANGES:,} are the most; is it "
            "noise? Choose --segmentation polygon, make classes of it first, or divide it"
        )
    keys = np.empty(size, np.uint64)
    _changes(corners, loops, groups, keys, shape[0])
    keys.sort()
    lengths = np.empty(len(keys) + count, np.int64)
    starts = np.empty(count + 1, np.int64)
    made = _lengths(keys, shape[0] * shape[1], lengths, starts)
    return lengths[:made], starts


@njit
def _changes(corners: Any, loops: Any, groups: Any, keys: Any, height: Any) -> Any:
    """A key for each column that an edge along a row crosses: the group, and where it is.

    How many there are; keys: None to count them only.
    """
    made, height = U64(0), U64(height)
    count, total = U64(len(loops)), U64(len(corners))
    for k in range(count):
        if groups[k] < 0:
            continue
        group = U64(groups[k]) << _SHIFT
        first = U64(loops[k, FIRST])
        end = U64(loops[k + _ONE, FIRST]) if k + _ONE < count else total
        last = end - _ONE
        for at in range(first, end):
            x, other = U64(corners[at, 0]), U64(corners[last, 0])
            if keys is not None:
                y = U64(corners[at, 1])
                for column in range(min(x, other), max(x, other)):
                    keys[made] = group | column * height + y
                    made += _ONE
            else:
                made += max(x, other) - min(x, other)
            last = U64(at)
    return made


@njit
def _lengths(keys: Any, pixels: Any, lengths: Any, starts: Any) -> Any:
    """Two changes at one place are none: a run goes on in the next column."""
    made, at, end = U64(0), U64(0), U64(len(keys))
    for group in range(U64(len(starts)) - _ONE):
        starts[group] = made
        last = U64(0)
        while at < end and keys[at] >> _SHIFT == group:
            if at + _ONE < end and keys[at + _ONE] == keys[at]:
                at += U64(2)
                continue
            place = keys[at] & _LOW
            lengths[made] = place - last
            made, last, at = made + _ONE, place, at + _ONE
        if last < U64(pixels):
            lengths[made] = U64(pixels) - last
            made += _ONE
    starts[len(starts) - 1] = made
    return made
