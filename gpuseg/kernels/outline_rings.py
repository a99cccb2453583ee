"""Rings of regions: their outlines with holes joined to them; and points as text."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.jit import U64, njit, part
from gpuseg.kernels.outlines import BEFORE, FIRST, REACH, Outlines

_ONE = U64(1)
_ZERO, _TEN, _COMMA = U64(48), U64(10), U64(44)

_LONGEST = 11
"""Bytes of a coordinate of 32 bits, and the comma behind it."""


def rings(found: Outlines) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """The outline of each region with its holes, as one ring of corners.

    A hole is joined by a way along the edges of pixels of its region, there and back. Returns
    points, int32 (M, 2), and where the ring of each row of `loops` begins in them, int64 (L + 1,);
    those of holes are empty.
    """
    holes = int((found.loops[:, BEFORE] >= 0).sum())
    points = np.empty((len(found.corners) + 3 * holes, 2), np.int32)
    starts = np.empty(len(found.loops) + 1, np.int64)
    made = _join(found.corners, found.loops, points, starts)
    return points[:made], starts


def points_text(points: NDArray[np.int32]) -> bytes:
    """Coordinates as text, `x,y,x,y`. points: int32 (N, 2), from 0, C-contiguous, at least one."""
    text = np.empty(2 * _LONGEST * len(points), np.uint8)
    return text[: _write_text(points, text)].tobytes()


@njit
def _join(corners: Any, loops: Any, points: Any, starts: Any) -> Any:
    """Corners become a list in which each names the next; holes are put in between.

    Holes come from top to bottom, and outlines go up where holes are joined to them, so of
    several behind one corner the last comes first.
    """
    count, total = len(loops), len(corners)
    following = np.empty(len(points), np.int32)
    extra = total
    for k in range(count):
        first = loops[k, FIRST]
        end = loops[k + 1, FIRST] if k + 1 < count else total
        for at in range(first, end):
            following[at] = at + 1
        following[end - 1] = first
    for k in range(count):
        before = loops[k, BEFORE]
        if before >= 0:
            first = loops[k, FIRST]
            following[extra], following[extra + 1] = first + 1, extra + 2
            following[extra + 2] = following[before]
            following[before], following[first] = extra, extra + 1
            extra += 3
    return _write(corners, loops, following, points, starts)


@part
def _write(corners: Any, loops: Any, following: Any, points: Any, starts: Any) -> Any:
    """Walk through the lists of all outlines that are no holes; how many points there are."""
    count, total = len(loops), len(corners)
    joint = np.empty((len(points) - total, 2), np.int32)
    at = 0
    for k in range(count):
        if loops[k, BEFORE] >= 0:
            x, y = corners[loops[k, FIRST] + 1]
            joint[at, 1] = joint[at + 1, 1] = joint[at + 2, 1] = y
            joint[at, 0] = joint[at + 2, 0] = loops[k, REACH]
            joint[at + 1, 0] = x
            at += 3
    made = 0
    for k in range(count):
        starts[k] = made
        if loops[k, BEFORE] >= 0:
            continue
        at = first = loops[k, FIRST]
        while True:
            x, y = corners[at] if at < total else joint[at - total]
            if made == starts[k] or points[made - 1, 0] != x or points[made - 1, 1] != y:
                points[made, 0], points[made, 1] = x, y
                made += 1
            at = following[at]
            if at == first:
                break
    starts[count] = made
    return made


@njit
def _write_text(points: Any, text: Any) -> Any:
    """How many bytes were written: without the last comma."""
    at = U64(0)
    for k in range(U64(len(points))):
        for axis in range(U64(2)):
            value, digits = U64(points[k, axis]), _ONE
            rest = value // _TEN
            while rest:
                rest //= _TEN
                digits += _ONE
            for place in range(digits):
                text[at + digits - _ONE - place] = _ZERO + value % _TEN
                value //= _TEN
            text[at + digits] = _COMMA
            at += digits + _ONE
    return at - _ONE
