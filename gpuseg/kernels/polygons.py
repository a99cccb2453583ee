"""Polygons painted into images by the rule of COCO; see `reference_polygons`.

Crossings are found by columns of pixels, not by steps of the fine grid: so the work is bounded by
edges and the width of the image, wherever the vertices are. They are marked in a byte a pixel,
and rows are painted one after the other, each marked where the one above is, or the other way
round where crossings are.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.jit import U64, inlined, njit

Box = tuple[int, int, int, int]
"""Part of an image: left, top, columns, rows, in pixels."""


def paint_polygon(
    outline: NDArray[np.float64],
    value: int,
    pixels: NDArray[np.unsignedinteger],
    marks: NDArray[np.uint8],
) -> None:
    """Give the pixels that a polygon covers a value.

    outline: float64 (N, 2), x and y in pixels, up to 2**24 away, C-contiguous. pixels: uint8,
    uint16 or uint32 (H, W), C-contiguous, written. marks: uint8 (H * W,) of 0, to work in; they
    are 0 again.
    """
    given = outline.view()
    given.flags.writeable = False  # kernels are compiled once for what is read
    paint_marked(_mark(given, pixels.shape[0], pixels.shape[1], marks), value, pixels, marks)


def paint_marked(
    box: Box, value: int, pixels: NDArray[np.unsignedinteger], marks: NDArray[np.uint8]
) -> None:
    """Give pixels a value below an odd number of marks in their column, and forget the marks.

    marks: uint8 (H * W,), of which the first columns * rows are those of the box, row by row: 1 at
    a mark. pixels: as in `paint_polygon`.
    """
    if box[2] and box[3]:
        _paint(marks, box, value, pixels.reshape(-1), pixels.shape[1])


@njit
def _mark(points: Any, height: Any, width: Any, marks: Any) -> Any:
    """Mark the crossings of a polygon: those in its box, which is returned."""
    count = U64(points.shape[0])
    left, right, top, bottom = _reach(points, height, width)
    columns, rows = right - left, bottom - top
    if columns <= 0 or rows <= 0:
        return left, top, 0, 0
    for k in range(count):
        other = k + U64(1) if k + U64(1) < count else U64(0)
        xs, ys = _fine(points[k, 0]), _fine(points[k, 1])
        xe, ye = _fine(points[other, 0]), _fine(points[other, 1])
        is_steep = abs(ye - ys) > abs(xe - xs)
        if (ys > ye) if is_steep else (xs > xe):
            xs, ys, xe, ye = xe, ye, xs, ys
        first = max(_column(min(xs, xe)), left)
        end = min(_column(max(xs, xe)), right)
        if first >= end:
            continue
        slope = (xe - xs) / (ye - ys) if is_steep else (ye - ys) / (xe - xs)
        for x in range(first, end):
            if is_steep:
                v = ys + _before(xs, slope, 5 * x + 3)
            else:
                step = 5 * x + 2 - xs
                v = min(np.int64(ys + slope * step + 0.5), np.int64(ys + slope * (step + 1) + 0.5))
            y = _row(v, height) - top
            if y < rows:  # below the last row there is nothing to paint
                marks[U64(y * columns + x - left)] ^= 1
    return left, top, columns, rows


@inlined
def _reach(points: Any, height: Any, width: Any) -> Any:
    """The columns and rows of an image that a polygon may cover: first and end of either."""
    left = right = top = bottom = np.int64(0)
    for k in range(U64(points.shape[0])):
        x, y = _fine(points[k, 0]), _fine(points[k, 1])
        left, right = (min(left, x), max(right, x)) if k else (x, x)
        top, bottom = (min(top, y), max(bottom, y)) if k else (y, y)
    left, right = _column(left), min(_column(right), width)
    return left, right, _row(top, height), _row(bottom, height)


@inlined
def _fine(coordinate: Any) -> Any:
    """A coordinate on the fine grid."""
    return np.int64(5 * coordinate + 0.5)


@inlined
def _column(u: Any) -> Any:
    """How many columns of pixels, from the left of the image, have their middle left of u."""
    return (u + 2) // 5 if u > 0 else np.int64(0)


@inlined
def _row(v: Any, height: Any) -> Any:
    """The first row that lies below a crossing, up to the height of the image."""
    return min((v + 2) // 5 if v > 0 else np.int64(0), np.int64(height))


@inlined
def _before(xs: Any, slope: Any, middle: Any) -> Any:
    """The last step of a steep edge before it is over the middle of a column.

    Division says nearly which, and the sums of the specification, which round, say the rest.
    """
    rises = slope > 0
    step = np.int64(math.ceil((middle - 0.5 - xs) / slope))
    while (xs + slope * (step - 1) + 0.5 >= middle) == rises:
        step -= 1
    while (xs + slope * step + 0.5 >= middle) != rises:
        step += 1
    return step - 1


@njit
def _paint(marks: Any, box: Any, value: Any, pixels: Any, width: Any) -> Any:
    left, top, columns, rows = U64(box[0]), U64(box[1]), U64(box[2]), U64(box[3])
    inside = np.zeros(columns, np.uint8)
    for y in range(rows):
        at, to = y * columns, (top + y) * U64(width) + left
        for x in range(columns):
            inside[x] ^= marks[at + x]
            marks[at + x] = 0
        for x in range(columns):
            pixels[to + x] = value if inside[x] else pixels[to + x]
