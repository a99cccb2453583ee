"""The specification of `pillow_polygons`: which pixels a polygon covers by Pillow, in plain Python.

What Pillow 12 does (`ImagingDrawPolygon` and `polygon_generic` of src/libImaging/Draw.c, as they
are in 12.3), said anew: coordinates are cut to whole numbers, and in each row of pixels an edge
crosses at a float of 32 bits. Crossings are paired from the left; what lies between two of a pair
is covered, their own pixels, too, if they are not farther than half a pixel away. An edge crosses
twice in its last row, unless that is the last one of the polygon. Horizontal edges are covered.
Where two edges have a corner and run to the same side of it, almost along the row, the later one
crosses where its next row begins, not in the corner.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

F32 = np.float32
Edge = tuple[int, int, int, int, F32]
"""Of two vertices the x and y of one, the first row, the last row, and columns a row."""


def covered(outline: NDArray[np.float64], height: int, width: int) -> NDArray[np.bool_]:
    """The pixels of a polygon, bool (H, W).

    outline: float64 (N, 2), x and y in pixels, up to 2**24 away, N from 2.
    """
    found = np.zeros((height, width), np.bool_)
    points = [(int(x), int(y)) for x, y in outline.tolist()]
    end = min(max(0, *(y for _, y in points)), height)
    edges: list[Edge] = []
    for (x0, y0), (x1, y1) in _pairs(points):
        if y0 != y1:
            edges.append((x0, y0, min(y0, y1), max(y0, y1), F32(x1 - x0) / F32(y1 - y0)))
        elif 0 <= y0 < height:
            found[y0, max(min(x0, x1), 0) : max(max(x0, x1) + 1, 0)] = True
    for y in range(height):
        here = [edge for edge in edges if edge[2] <= y <= edge[3]]
        crossings = sorted(x for i in range(len(here)) for x in _crossings(here, i, y, end))
        for left, right in zip(crossings[::2], crossings[1::2], strict=False):
            found[y, max(_up(left), 0) : max(_down(right) + 1, 0)] = True
    return found


def _pairs(points: list[tuple[int, int]]) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    pairs = list(zip(points, [*points[1:], points[0]], strict=True))
    return pairs if points[-1] != points[0] else pairs[:-1]


def _crossings(here: list[Edge], i: int, y: int, end: int) -> list[F32]:
    """Where the i-th edge crosses a row. end: the last row of the polygon."""
    edge = here[i]
    x = _at(edge, y)
    if y == edge[3] and y < end:
        return [x, x]
    if edge[4] == 0 or y not in edge[2:4]:
        return [x]
    side, step = (2, 1) if y == edge[2] else (3, -1)
    for other in here[:i]:
        if other[side] == y and other[4] != 0 and _round(_at(other, y)) == _round(x):
            return [_beside(x, _at(edge, y + step), _at(other, y + step))]
    return [x]


def _at(edge: Edge, y: int) -> F32:
    return F32(F32(F32(y - edge[1]) * edge[4]) + F32(edge[0]))


def _beside(x: F32, one: F32, other: F32) -> F32:
    """A crossing in a corner, moved to where both edges are in the row beside it."""
    if x > one + F32(1) and x > other + F32(1):
        return F32(F32(_round(max(one, other))) + F32(1))
    if x < one - F32(1) and x < other - F32(1):
        return F32(F32(_round(min(one, other))) - F32(1))
    return x


def _round(x: F32) -> int:
    """Halves go away from 0."""
    return math.floor(float(x) + 0.5) if x >= 0 else -math.floor(0.5 - float(x))


def _up(x: F32) -> int:
    return math.floor(x + F32(0.5)) if x >= 0 else -math.floor(abs(float(x)) + 0.5)


def _down(x: F32) -> int:
    return math.ceil(x - F32(0.5)) if x >= 0 else -math.ceil(abs(float(x)) - 0.5)
