"""Filled ellipses as OpenCV draws them, of which CVAT makes its masks of ellipses.

By OpenCV 4 (`modules/imgproc/src/drawing.cpp`: ellipse, EllipseEx, ellipse2Poly, FillConvexPoly,
Line2, clipLine): a polygon with a vertex each 5 degrees, or fewer, in fixed point of 16 binary
places. Its rows are filled from edge to edge, and its edges drawn. The tests compare with OpenCV.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpuseg.shapes import Bitmap

SHIFT = 16
ONE = 1 << SHIFT
HALF = ONE >> 1

Point = tuple[int, int]
"""x and y in fixed point."""

Integers = NDArray[np.int64]

_SINES: list[float] = np.round(np.sin(np.radians(np.arange(451))), 7).astype(np.float32).tolist()
"""Of whole degrees, to 7 decimals, as floats of 32 bits."""


def filled_ellipse(
    centre: tuple[int, int], axes: tuple[int, int], degrees: int, size: tuple[int, int]
) -> Bitmap | None:
    """The pixels of an ellipse in an image, None for none.

    centre: its pixel. axes: half of its own, in pixels, 0 and up. degrees: how far it is turned
    clockwise. size: width and height of the image.
    """
    vertices = _vertices(centre, axes, degrees)
    ends = np.array([np.min(vertices, axis=0), np.max(vertices, axis=0)]) >> SHIFT
    left, top = np.maximum(ends[0], 0).tolist()
    right, bottom = np.minimum(ends[1] + 2, size).tolist()  # a pixel may be rounded up
    if left >= right or top >= bottom:
        return None
    window = _Window(np.zeros((bottom - top, right - left), np.bool_), left, top, size)
    for start, end in zip(vertices[-1:] + vertices[:-1], vertices, strict=True):
        window.draw_line(start, end)
    if len(vertices) > 2:
        for row, firsts, lasts in _spans(vertices, bottom):
            window.fill(row, firsts, lasts)
    return Bitmap(window.mask, left, top)


def _vertices(centre: tuple[int, int], axes: tuple[int, int], degrees: int) -> list[Point]:
    x, y, across, down = (float(v << SHIFT) for v in (*centre, *axes))
    turn = degrees % 360
    sine, cosine = _SINES[turn], _SINES[450 - turn]
    longest = max(axes)
    step = 90 if longest < 3 else 30 if longest < 10 else 18 if longest < 15 else 5
    vertices: list[Point] = []
    for angle in range(0, 361, step):
        right, below = across * _SINES[450 - angle], down * _SINES[angle]
        vertex = (
            round(x + right * cosine - below * sine),
            round(y + right * sine + below * cosine),
        )
        if vertices[-1:] != [vertex]:
            vertices.append(vertex)
    return vertices


def _spans(vertices: list[Point], bottom: int) -> Iterator[tuple[int, Integers, Integers]]:
    """Rows from edge to edge: the first of some, and of each its first and last pixel.

    Two edges go down from the uppermost vertex, one each way round; `bottom` ends the rows.
    """
    rows = [(y + HALF) >> SHIFT for _, y in vertices]
    y, last = min(rows), min(max(rows), bottom - 1)
    top = min(range(len(vertices)), key=lambda place: vertices[place][1])
    at, x, slope, until, unused = [top, top], [-ONE, -ONE], [0, 0], [y, y], len(vertices)
    while y <= last:
        for side, way in enumerate((1, -1)):
            if y < until[side]:
                continue
            before, after = at[side], (at[side] + way) % len(vertices)
            while unused > 0 and rows[after] <= y:
                unused -= 1
                before, after = after, (after + way) % len(vertices)
            unused -= 1
            if unused < 0:
                return
            until[side], at[side], x[side] = rows[after], after, vertices[before][0]
            down = rows[after] - y
            slope[side] = _quotient(2 * (vertices[after][0] - x[side]) + down, 2 * down)
        below = min(*until, last + 1)
        steps = np.arange(max(-y, 0), below - y)  # none above the image
        one, other = (x[side] + slope[side] * steps for side in (0, 1))
        firsts, lasts = np.minimum(one, other), np.maximum(one, other)
        yield max(y, 0), (firsts + HALF) >> SHIFT, (lasts + HALF) >> SHIFT
        x = [x[side] + slope[side] * (below - y) for side in (0, 1)]
        y = below


@dataclass(frozen=True, slots=True)
class _Window:
    """The part of an image that is drawn to: bool (H, W), from (left, top) on."""

    mask: NDArray[np.bool_]
    left: int
    top: int
    size: tuple[int, int]

    def fill(self, row: int, firsts: Integers, lasts: Integers) -> None:
        """Fill rows from their first to their last pixels."""
        starts, ends = np.maximum(firsts - self.left, 0), np.maximum(lasts + 1 - self.left, 0)
        rows = self.mask[row - self.top :]
        for line, start, end in zip(rows, starts.tolist(), ends.tolist(), strict=False):
            line[start:end] = True

    def draw_line(self, start: Point, end: Point) -> None:
        """A line of one pixel in each column or row, whichever are more."""
        clipped = _clipped(start, end, (self.size[0] << SHIFT) - 1, (self.size[1] << SHIFT) - 1)
        if clipped is None:
            return
        (x0, y0), (x1, y1) = clipped
        across, down = abs(x1 - x0), abs(y1 - y0)
        if (x1 < x0) if across > down else (y1 < y0):
            x0, y0, x1, y1 = x1, y1, x0, y0
        self._put(np.array([(x1 + HALF) >> SHIFT]), np.array([(y1 + HALF) >> SHIFT]))
        if across > down:
            steps = np.arange(((x1 - x0) >> SHIFT) + 1)
            slope = _quotient((y1 - y0) << SHIFT, across | 1)
            self._put(((x0 + HALF) >> SHIFT) + steps, (y0 + HALF + slope * steps) >> SHIFT)
        else:
            steps = np.arange(((y1 - y0) >> SHIFT) + 1)
            slope = _quotient((x1 - x0) << SHIFT, down | 1)
            self._put((x0 + HALF + slope * steps) >> SHIFT, ((y0 + HALF) >> SHIFT) + steps)

    def _put(self, x: Integers, y: Integers) -> None:
        height, width = self.mask.shape
        x, y = x - self.left, y - self.top
        inside = (x >= 0) & (x < width) & (y >= 0) & (y < height)
        self.mask[y[inside], x[inside]] = True


def _clipped(start: Point, end: Point, right: int, bottom: int) -> tuple[Point, Point] | None:
    """The part of a line from 0 to right and to bottom, None for nothing of it."""
    ends = [[*start], [*end]]
    limits = (right, bottom)

    def side(point: int, axis: int) -> int:
        return (ends[point][axis] > limits[axis]) - (ends[point][axis] < 0)

    for axis in (1, 0):
        for point in (0, 1):
            if any(side(0, each) and side(0, each) == side(1, each) for each in (0, 1)):
                return None
            if beyond := side(point, axis):
                edge = limits[axis] if beyond > 0 else 0
                run, rise = (ends[1][each] - ends[0][each] for each in (1 - axis, axis))
                ends[point][1 - axis] += int(float(edge - ends[point][axis]) * run / rise)
                ends[point][axis] = edge
    if any(side(point, axis) for point in (0, 1) for axis in (0, 1)):
        return None
    return (ends[0][0], ends[0][1]), (ends[1][0], ends[1][1])


def _quotient(a: int, b: int) -> int:
    """Rounded towards 0, as in C; b above 0."""
    return a // b if a >= 0 else -(-a // b)
