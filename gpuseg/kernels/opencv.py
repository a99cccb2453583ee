"""Polygons painted into masks by the rule of OpenCV; see `reference_opencv`.

Edges are held by their upper row, those of the row at hand in a list of their own: so memory is
bounded by edges, and work by edges and the rows of the mask that they cross.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.jit import U64, inlined, njit, part
from gpuseg.kernels.sorting import sort

ONE = 1 << 16


def paint_polygons(
    outlines: Sequence[NDArray[np.float64]],
    value: int,
    mask: NDArray[np.uint8],
    corner: tuple[int, int],
    size: tuple[int, int],
) -> None:
    """Give the pixels that an odd number of polygons covers a value.

    outlines: float64 (N, 2) each, x and y of vertices, whole pixels, up to 2**24 away. mask:
    uint8 (H, W), written, a part of an image; corner: its left and top there. size: width and
    height of the image.
    """
    points = np.concatenate(outlines).astype(np.int64)
    ends = np.cumsum([len(outline) for outline in outlines])
    points.flags.writeable = ends.flags.writeable = False  # compiled once for what is read
    _paint(points, ends, (size[0], size[1], corner[0], corner[1]), value, mask)


@njit
def _paint(points: Any, ends: Any, place: Any, value: Any, mask: Any) -> Any:
    """place: width and height of the image, left and top of the mask in it."""
    count = len(points)
    edges = np.empty((count, 5), np.int64)  # upper row, end, x in a row, that row, step
    found, begin = 0, 0
    for outline in range(len(ends)):
        end = ends[outline]
        previous = end - 1
        for k in range(begin, end):
            x0, y0 = points[previous, 0], points[previous, 1]
            x1, y1 = points[k, 0], points[k, 1]
            previous = k
            seen, cx0, cy0, cx1, cy1 = _cut(x0, y0, x1, y1, place[0], place[1])
            if seen:
                left, top = place[2], place[3]
                _line(cx0 - left, cy0 - top, cx1 - left, cy1 - top, value, mask)
            if y0 == y1:
                continue
            moved = (cx1 - cx0) * ONE
            row0, row1 = (y0, y1) if cy0 == cy1 else (cy0, cy1)
            edges[found, 0], edges[found, 1] = min(y0, y1), max(y0, y1)
            edges[found, 2] = (cx0 if y0 < y1 else cx1) * ONE
            edges[found, 3] = row0 if y0 < y1 else row1
            edges[found, 4] = _divided(moved, row1 - row0)
            found += 1
        begin = end
    if found:
        _fill(edges[:found], place[2], place[3], value, mask)


@part
def _fill(edges: Any, left: Any, top: Any, value: Any, mask: Any) -> Any:
    """What lies between edges, row by row."""
    rows, columns = mask.shape
    order = np.argsort(edges[:, 0], kind="mergesort")
    active, xs = np.empty(len(edges), np.int64), np.empty(len(edges), np.int64)
    count, after = 0, 0
    for row in range(rows):
        y = top + row
        kept = 0
        for k in range(count):
            if edges[active[k], 1] > y:
                active[kept] = active[k]
                kept += 1
        count = kept
        while after < len(order) and edges[order[after], 0] <= y:
            if edges[order[after], 1] > y:
                active[count] = order[after]
                count += 1
            after += 1
        for k in range(count):
            edge = active[k]
            xs[k] = edges[edge, 2] + (y - edges[edge, 3]) * edges[edge, 4]
        sort(xs, U64(count))
        for k in range(0, count - 1, 2):
            first = max(0, -(-xs[k] // ONE) - left)
            for column in range(first, min(columns, xs[k + 1] // ONE + 1 - left)):
                mask[row, column] = value


@inlined
def _line(x0: Any, y0: Any, x1: Any, y1: Any, value: Any, mask: Any) -> Any:
    rows, columns = mask.shape
    x, y = (x0, y0) if x0 <= x1 else (x1, y1)
    down = 1 if (y1 >= y0) == (x0 <= x1) else -1
    across, along = abs(x1 - x0), abs(y1 - y0)
    is_steep = along > across
    longer, shorter = max(along, across), min(along, across)
    rest = longer - 2 * shorter
    for _ in range(longer + 1):
        if 0 <= y < rows and 0 <= x < columns:
            mask[y, x] = value
        aside = rest < 0
        rest += (2 * longer if aside else 0) - 2 * shorter
        if is_steep or aside:
            y += down
        if not is_steep or aside:
            x += 1


@inlined
def _cut(x0: Any, y0: Any, x1: Any, y1: Any, width: Any, height: Any) -> Any:
    """`reference_opencv.cut`."""
    side0 = _side(x0, width) + 4 * _side(y0, height)
    side1 = _side(x1, width) + 4 * _side(y1, height)
    if not side0 & side1 and side0 | side1:
        if side0 & 12:
            to = 0 if side0 < 8 else height - 1
            x0 += np.int64(np.float64(to - y0) * (x1 - x0) / (y1 - y0))
            y0 = to
        if side1 & 12:
            to = 0 if side1 < 8 else height - 1
            x1 += np.int64(np.float64(to - y1) * (x1 - x0) / (y1 - y0))
            y1 = to
        side0, side1 = _side(x0, width), _side(x1, width)
        if not side0 & side1:
            if side0:
                to = 0 if side0 == 1 else width - 1
                y0 += np.int64(np.float64(to - x0) * (y1 - y0) / (x1 - x0))
                x0 = to
            if side1:
                to = 0 if side1 == 1 else width - 1
                y1 += np.int64(np.float64(to - x1) * (y1 - y0) / (x1 - x0))
                x1 = to
            side0 = side1 = 0
    return not side0 | side1, x0, y0, x1, y1


@inlined
def _side(at: Any, length: Any) -> Any:
    return np.int64(at < 0) + 2 * np.int64(at >= length)


@inlined
def _divided(part: Any, whole: Any) -> Any:
    """A quotient rounded toward zero."""
    quotient = abs(part) // abs(whole)
    return quotient if (part < 0) == (whole < 0) else -quotient
