"""Polygons painted into images by the rules of Pillow; see `reference_pillow`.

Pillow looks at each edge in each row, and in a corner at each edge before it. Here edges wait in
the row where they begin, and a row looks at those that cross it. They stay in the order of the
outline, which corners depend on.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.jit import U64, inlined, njit, part
from gpuseg.kernels.sorting import sort

FEW = 32
"""Edges in a row up to which those before an edge are gone through for the one in its corner."""

_NONE = U64(1 << 63)
_X, _Y, _FIRST, _LAST = U64(0), U64(1), U64(2), U64(3)
"""Columns of the table of edges: a vertex, and the first and the last row."""


def paint_polygon(
    outline: NDArray[np.float64], value: int, pixels: NDArray[np.unsignedinteger]
) -> None:
    """Give the pixels that a polygon covers a value.

    outline: float64 (N, 2), x and y in pixels, up to 2**24 away, C-contiguous, N from 2.
    pixels: uint8, uint16 or uint32 (H, W), C-contiguous, written.
    """
    if outline.flags.writeable:  # kernels are compiled once for what is read
        outline = outline.view()
        outline.flags.writeable = False
    _paint(outline, value, pixels)


@njit
def _paint(points: Any, value: Any, pixels: Any) -> None:
    height = pixels.shape[0]
    edges = np.empty((points.shape[0], 4), np.int64)
    slopes = np.empty(points.shape[0], np.float32)
    count, end = _take_edges(points, edges, slopes, value, pixels)
    if not count:
        return
    top = height
    for e in range(count):
        top = min(top, max(edges[e, _FIRST], 0))
    rows = min(end, height - 1) - top + 1
    order, starts = _by_row(edges, count, top, rows)
    active, others = np.empty(count, np.uint64), np.empty(count, np.uint64)
    crossings = np.empty(U64(2) * count, np.float32)
    held = U64(0)
    for row in range(U64(rows)):
        y = top + np.int64(row)
        if starts[row] < starts[row + U64(1)]:
            held = _merge(active, held, order, starts[row], starts[row + U64(1)], others)
        if held > FEW:
            _find_firsts(edges, slopes, active, held, y, others)
        found = _cross(edges, slopes, active, held, (y, end), others, crossings)
        sort(crossings, found)
        for i in range(U64(1), found, U64(2)):
            _fill(pixels, U64(y), _up(crossings[i - U64(1)]), _down(crossings[i]), value)
        if found > held or y == end:
            held = _going_on(edges, active, held, y)


@inlined
def _take_edges(points: Any, edges: Any, slopes: Any, value: Any, pixels: Any) -> Any:
    """The edges that cross rows, how many, and the last row; others are painted at once."""
    size, count, end = U64(points.shape[0]), U64(0), np.int64(0)
    height = pixels.shape[0]
    for i in range(size):
        other = i + U64(1) if i + U64(1) < size else U64(0)
        x0, y0 = np.int64(points[i, 0]), np.int64(points[i, 1])
        x1, y1 = np.int64(points[other, 0]), np.int64(points[other, 1])
        end = max(end, y0)
        if y0 == y1:
            closes = other == 0 and x0 == x1  # which Pillow leaves out
            if 0 <= y0 < height and not closes:
                _fill(pixels, U64(y0), min(x0, x1), max(x0, x1), value)
        elif max(y0, y1) >= 0 and min(y0, y1) < height:
            edges[count, _X], edges[count, _Y] = x0, y0
            edges[count, _FIRST], edges[count, _LAST] = min(y0, y1), max(y0, y1)
            slopes[count] = np.float32(x1 - x0) / np.float32(y1 - y0)
            count += U64(1)
    return count, min(end, height)


@inlined
def _by_row(edges: Any, count: Any, top: Any, rows: Any) -> Any:
    """Edges by the row that they begin in, in their order; where those of each row begin."""
    starts = np.zeros(U64(rows) + U64(2), np.uint64)
    for e in range(count):
        starts[U64(max(edges[e, _FIRST], top) - top) + U64(2)] += U64(1)
    row: Any
    for row in range(U64(1), U64(rows) + U64(2)):
        starts[row] += starts[row - U64(1)]
    order = np.empty(count, np.uint64)
    for e in range(count):
        begin: Any = U64(max(edges[e, _FIRST], top) - top) + U64(1)
        order[starts[begin]] = e
        starts[begin] += U64(1)
    return order, starts


@inlined
def _merge(active: Any, held: Any, order: Any, start: Any, stop: Any, kept: Any) -> Any:
    """Edges that cross already, and those that begin, in their order. kept: memory."""
    for k in range(held):
        kept[k] = active[k]
    i: Any = U64(0)
    for count in range(held + stop - start):
        begun = count - i  # of those that begin
        if start + begun == stop or (i < held and kept[i] < order[start + begun]):
            active[count] = kept[i]
            i += U64(1)
        else:
            active[count] = order[start + begun]
    return held + stop - start


@inlined
def _going_on(edges: Any, active: Any, held: Any, y: Any) -> Any:
    """Forget the edges whose last row this is."""
    kept = U64(0)
    for i in range(held):
        if edges[active[i], _LAST] > y:
            active[kept] = active[i]
            kept += U64(1)
    return kept


@inlined
def _cross(
    edges: Any, slopes: Any, active: Any, held: Any, rows: Any, firsts: Any, crossings: Any
) -> Any:
    """Where edges cross a row, in their order; how many crossings there are.

    rows: it, and the last one of the polygon.
    """
    y, end = rows
    found = U64(0)
    for i in range(held):
        e = active[i]
        x = _at(edges, slopes, e, y)
        crossings[found] = x
        if y == edges[e, _LAST] and y < end:
            found += U64(1)
            crossings[found] = x
        elif slopes[e] != 0 and (y == edges[e, _FIRST] or y == edges[e, _LAST]):
            side = _FIRST if y == edges[e, _FIRST] else _LAST
            other = firsts[i] if held > FEW else _before(edges, slopes, active, i, side, y)
            if other != _NONE and other != e:
                beside = y + 1 if side == _FIRST else y - 1
                one = _at(edges, slopes, e, beside)
                crossings[found] = _beside(x, one, _at(edges, slopes, other, beside))
        found += U64(1)
    return found


@inlined
def _before(edges: Any, slopes: Any, active: Any, i: Any, side: Any, y: Any) -> Any:
    """The first edge that has the same corner, of those before the i-th."""
    corner = _round(_at(edges, slopes, active[i], y))
    for k in range(i):
        e = active[k]
        if edges[e, side] == y and slopes[e] != 0 and _round(_at(edges, slopes, e, y)) == corner:
            return e
    return _NONE


@part
def _find_firsts(edges: Any, slopes: Any, active: Any, held: Any, y: Any, firsts: Any) -> None:
    """Of each edge that begins or ends in a row, the first one that does so in its corner."""
    count = U64(0)
    for i in range(held):
        count += U64(_is_corner(edges, slopes, active[i], y))
    corners, places = np.empty(count, np.int64), np.empty(count, np.uint64)
    count = U64(0)
    for i in range(held):
        e = active[i]
        firsts[i] = e
        if _is_corner(edges, slopes, e, y):
            begins = np.int64(edges[e, _FIRST] == y)
            corners[count] = 2 * _round(_at(edges, slopes, e, y)) + begins
            places[count] = i
            count += U64(1)
    order = np.argsort(corners, kind="mergesort")  # which keeps the order of equal ones
    for k in range(U64(1), count):
        if corners[order[k]] == corners[order[k - U64(1)]]:
            firsts[places[order[k]]] = firsts[places[order[k - U64(1)]]]


@inlined
def _is_corner(edges: Any, slopes: Any, e: Any, y: Any) -> Any:
    return slopes[e] != 0 and (edges[e, _FIRST] == y or edges[e, _LAST] == y)


@inlined
def _at(edges: Any, slopes: Any, e: Any, y: Any) -> Any:
    return np.float32(y - edges[e, _Y]) * slopes[e] + np.float32(edges[e, _X])


@inlined
def _beside(x: Any, one: Any, other: Any) -> Any:
    if x > one + np.float32(1) and x > other + np.float32(1):
        return np.float32(_round(max(one, other))) + np.float32(1)
    if x < one - np.float32(1) and x < other - np.float32(1):
        return np.float32(_round(min(one, other))) - np.float32(1)
    return x


@inlined
def _fill(pixels: Any, y: Any, left: Any, right: Any, value: Any) -> None:
    """Paint a row from column to column, both of them, too."""
    width = pixels.shape[1]
    if right >= 0 and left < width:
        for x in range(U64(max(left, 0)), U64(min(right, width - 1) + 1)):
            pixels[y, x] = value


@inlined
def _round(x: Any) -> Any:
    wide = np.float64(x)
    return np.int64(math.floor(wide + 0.5) if wide >= 0 else -math.floor(0.5 - wide))


@inlined
def _up(x: Any) -> Any:
    return np.int64(math.floor(x + np.float32(0.5)) if x >= 0 else -math.floor(0.5 - np.float64(x)))


@inlined
def _down(x: Any) -> Any:
    return np.int64(math.ceil(x - np.float32(0.5)) if x >= 0 else -math.ceil(-np.float64(x) - 0.5))
