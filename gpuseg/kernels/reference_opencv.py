"""The specification of which pixels polygons cover by the rule of OpenCV, in plain Python.

That of OpenCV (4.14, `cv::fillPoly` of whole vertices with lines of 8 neighbours). Each edge is a
line as Bresenham has it, cut at the image first. What lies between the first and the second edge
of a row, the third and the fourth and so on is covered, too, from the first whole pixel to the
last; from row to row, an edge moves by 2**-16ths of a pixel, rounded toward zero. Of an edge with
a vertex outside of the image, that starts where the line was cut, at a whole pixel: so pixels at
the side of an image may be covered that are only near to a polygon.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

ONE = 1 << 16
"""Parts of a pixel."""

Vertex = tuple[int, int]


def covered(outlines: Sequence[NDArray[np.int64]], height: int, width: int) -> NDArray[np.bool_]:
    """Which pixels of an image an odd number of polygons covers: bool (height, width).

    outlines: int64 (N, 2) each, x and y of vertices in pixels, closed by itself.
    """
    mask = np.zeros((height, width), np.bool_)
    edges = []
    for outline in outlines:
        vertices: list[Vertex] = [(x, y) for x, y in outline.tolist()]
        for start, end in zip([vertices[-1], *vertices], vertices, strict=False):
            is_seen, first, last = cut(start, end, height, width)
            if is_seen:
                for x, y in line(first, last):
                    mask[y, x] = True
            if start[1] != end[1]:
                top, bottom = sorted((start[1], end[1]))
                edges.append((top, bottom, *moving(start, end, first, last)))
    for y in range(height):
        xs = sorted(x + (y - at) * step for top, bottom, x, at, step in edges if top <= y < bottom)
        for left, right in zip(xs[::2], xs[1::2], strict=True):
            mask[y, max(0, -(-left // ONE)) : max(0, right // ONE + 1)] = True
    return mask


def cut(start: Vertex, end: Vertex, height: int, width: int) -> tuple[bool, Vertex, Vertex]:
    """The part of an edge inside an image (`cv::clipLine`), and whether there is one."""
    (x0, y0), (x1, y1) = start, end
    side0, side1 = (
        _side(x0, width) + 4 * _side(y0, height),
        _side(x1, width) + 4 * _side(y1, height),
    )
    if side0 & side1 or not side0 | side1:
        return not side0 | side1, start, end
    if side0 & 12:
        to = 0 if side0 < 8 else height - 1
        x0, y0 = x0 + int(float(to - y0) * (x1 - x0) / (y1 - y0)), to
    if side1 & 12:
        to = 0 if side1 < 8 else height - 1
        x1, y1 = x1 + int(float(to - y1) * (x1 - x0) / (y1 - y0)), to
    side0, side1 = _side(x0, width), _side(x1, width)
    if not side0 & side1:
        if side0:
            to = 0 if side0 == 1 else width - 1
            x0, y0 = to, y0 + int(float(to - x0) * (y1 - y0) / (x1 - x0))
        if side1:
            to = 0 if side1 == 1 else width - 1
            x1, y1 = to, y1 + int(float(to - x1) * (y1 - y0) / (x1 - x0))
    return not side0 & side1, (x0, y0), (x1, y1)


def _side(at: int, length: int) -> int:
    """1 before, 2 behind an image."""
    return (at < 0) + 2 * (at >= length)


def line(start: Vertex, end: Vertex) -> Iterator[Vertex]:
    """The pixels of a line, from the left (`cv::LineIterator`)."""
    (x, y), (x1, y1) = (start, end) if start[0] <= end[0] else (end, start)
    down = 1 if y1 >= y else -1
    across, along = x1 - x, abs(y1 - y)
    is_steep = along > across
    longer, shorter = (along, across) if is_steep else (across, along)
    left = longer - 2 * shorter
    for _ in range(longer + 1):
        yield x, y
        aside = left < 0
        left += 2 * longer * aside - 2 * shorter
        x, y = (x + aside, y + down) if is_steep else (x + 1, y + down * aside)


def moving(start: Vertex, end: Vertex, first: Vertex, last: Vertex) -> tuple[int, int, int]:
    """How an edge runs: its x in some row, that row, and what is added in the next.

    first, last: where it was cut.
    """
    rows = (start[1], end[1]) if first[1] == last[1] else (first[1], last[1])
    moved, down = (last[0] - first[0]) * ONE, rows[1] - rows[0]
    step = abs(moved) // abs(down) * (1 if (moved < 0) == (down < 0) else -1)
    upper = start[1] > end[1]
    return (first, last)[upper][0] * ONE, rows[upper], step
