"""Which pixels matplotlib paints of a polygon whose edges are not smoothed.

Its backend Agg (Anti-Grain Geometry 2.4) holds coordinates in 256ths of a pixel and sums up, cell
by cell, how much of each pixel an outline encloses; where outlines wind about it twice, twice. It
paints the pixels of which any 256th is enclosed (`RendererAgg::draw_path` with `isaa` off,
matplotlib 3.11; Agg's `rasterizer_scanline_aa`, `rasterizer_cells_aa`, `rasterizer_sl_clip`).
Sums are rounded down, so one that is negative, of an outline that goes the other way round, has
a 256th sooner. What matters is done here, in the same integers: Agg goes on from row to row by
adding quotients and remainders, here the place at each row is one division.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.jit import U64, inlined, njit

Segments = NDArray[np.int64]
"""Lines in 256ths of a pixel, int64 (N, 4): x1, y1, x2, y2; none is level."""

CELLS = 1 << 16
"""Pixels that are summed up at a time, or those of a row; each takes 16 bytes."""

_ONE = np.int64(256)
_SHIFT = np.int64(8)
_PART = np.int64(255)


def paint_polygon(
    outline: NDArray[np.float64],
    value: int,
    pixels: NDArray[np.unsignedinteger],
    cells: NDArray[np.int64],
) -> None:
    """Give the pixels of a polygon a value.

    outline: float64 (N, 2), x and y in pixels, closed by itself. pixels: uint8, uint16 or uint32
    (H, W), C-contiguous; what lies outside is cut as Agg does it. cells: of `cells_for`.
    """
    height, width = pixels.shape
    segments = clipped(outline, width, height)
    if not len(segments):
        return
    corners = segments.reshape(-1, 2)
    left, top = (corners.min(axis=0) >> 8).tolist()
    right, bottom = (corners.max(axis=0) >> 8).tolist()
    span, bottom = right + 1 - left, min(bottom + 1, height)  # a cell at the right edge, too
    step = len(cells) // span
    for row in range(top, bottom, step):
        rows = min(step, bottom - row)
        band = cells[: rows * span].reshape(rows, span, 2)
        _add(segments, left, row, band)
        _sweep(band, value, pixels[row : row + rows, left : right + 1])


def cells_for(width: int) -> NDArray[np.int64]:
    """Memory for images of a width, all zeros between two polygons: int64 (N, 2)."""
    return np.zeros((max(CELLS, width + 1), 2), np.int64)


def clipped(outline: NDArray[np.float64], width: int, height: int) -> Segments:
    """The lines of an outline inside of an image, those beside it moved to its edge.

    By `rasterizer_sl_clip` over doubles: the same intersections, rounded in the same way.
    """
    segments = np.empty((len(outline), 4), np.int64)
    count = int(_lines(np.ascontiguousarray(outline, np.float64), width, height, segments))
    if count >= 0:
        return segments[:count]
    lines = np.concatenate((outline, np.roll(outline, -1, axis=0)), axis=1)
    whole = (_cut_rows(_cut_columns(lines, width, height), height) * 256 + 0.5).astype(np.int64)
    steep: Segments = whole[whole[:, 1] != whole[:, 3]]
    return steep


def _cut_columns(lines: NDArray[np.float64], width: int, height: int) -> NDArray[np.float64]:
    """Lines that end at the left and right edge, and go on along it to the same rows."""
    above, below = lines[:, [1, 3]] < 0, lines[:, [1, 3]] > height
    x1, y1, x2, y2 = lines[~(above.all(axis=1) | below.all(axis=1))].T
    edges = [np.where(x < 0, 0.0, np.where(x > width, float(width), x)) for x in (x1, x2)]
    across = np.where(x1 == x2, 1.0, x2 - x1)
    starts, ends = (
        np.where(edge == x, y, y1 + (edge - x1) * (y2 - y1) / across)
        for x, y, edge in zip((x1, x2), (y1, y2), edges, strict=True)
    )
    (left, right) = edges
    beside = (left == right) & ((left != x1) & (right != x2))
    starts, ends = np.where(beside, y2, starts), np.where(beside, y2, ends)
    pieces = (
        np.column_stack((left, y1, left, starts))[left != x1],
        np.column_stack((left, starts, right, ends))[~beside],
        np.column_stack((right, ends, right, y2))[(right != x2) & ~beside],
    )
    return np.concatenate(pieces)


def _cut_rows(lines: NDArray[np.float64], height: int) -> NDArray[np.float64]:
    """Lines without what lies above the image and below."""
    above, below = lines[:, [1, 3]] < 0, lines[:, [1, 3]] > height
    x1, y1, x2, y2 = lines[~(above.all(axis=1) | below.all(axis=1))].T
    down = np.where(y1 == y2, 1.0, y2 - y1)
    cut = []
    for x, y in ((x1, y1), (x2, y2)):
        edge = np.where(y < 0, 0.0, np.where(y > height, float(height), y))
        cut += [np.where(edge == y, x, x1 + (edge - y1) * (x2 - x1) / down), edge]
    return np.column_stack(cut)


@inlined
def _add_row(row: Any, x1: Any, y1: Any, x2: Any, y2: Any) -> None:
    """Add a line within one row to its cells (SPAN, 2): how high it is, and twice its area.

    x1, x2: in 256ths of a pixel of the cells, y1, y2: of the row.
    """
    high = y2 - y1
    if high == 0:
        return
    first, last = x1 >> _SHIFT, x2 >> _SHIFT
    if first == last:
        row[U64(first), 0] += high
        row[U64(first), 1] += ((x1 & _PART) + (x2 & _PART)) * high
        return
    wide, step, border = x2 - x1, np.int64(1), _ONE
    if wide < 0:
        wide, step, border = -wide, np.int64(-1), np.int64(0)
    passed = abs(border - (x1 & _PART)) * high
    total = passed // wide
    row[U64(first), 0] += total
    row[U64(first), 1] += ((x1 & _PART) + border) * total
    cell = first + step
    while cell != last:
        passed += _ONE * high
        more = passed // wide - total
        row[U64(cell), 0] += more
        row[U64(cell), 1] += _ONE * more
        total += more
        cell += step
    row[U64(last), 0] += high - total
    row[U64(last), 1] += ((x2 & _PART) + _ONE - border) * (high - total)


@inlined
def _add_line(cells: Any, x1: Any, y1: Any, x2: Any, y2: Any) -> None:
    """Add a line to the cells (ROWS, SPAN, 2) of those rows that it crosses, if any."""
    wide, high = x2 - x1, y2 - y1
    step, border, begun = np.int64(1), _ONE, _ONE - (y1 & _PART)
    if high < 0:
        high, step, border, begun = -high, np.int64(-1), np.int64(0), y1 & _PART
    start, end, rows = y1 >> _SHIFT, y2 >> _SHIFT, np.int64(cells.shape[0])
    if max(start, end) < 0 or min(start, end) >= rows:
        return
    row, last = max(np.int64(0), min(start, rows - 1)), max(np.int64(0), min(end, rows - 1))
    while True:
        passed = abs(row - start)
        x, y, until_x, until_y = x1, y1 & _PART, x2, y2 & _PART
        if passed:
            x = x1 + (begun + (passed - 1) * _ONE) * wide // high
            y = _ONE - border
        if row != end:
            until_x = x1 + (begun + passed * _ONE) * wide // high
            until_y = border
        _add_row(cells[U64(row)], x, y, until_x, until_y)
        if row == last:
            return
        row += step


@njit
def _lines(points: Any, width: Any, height: Any, segments: Any) -> Any:
    """Write the lines of an outline, and return how many; -1 where it leaves the image."""
    count = 0
    last = points.shape[0] - 1
    for place in range(points.shape[0]):
        x, y = points[place, 0], points[place, 1]
        if not (0 <= x <= width and 0 <= y <= height):
            return -1
        behind = place - 1 if place else last
        x1, y1 = np.int64(points[behind, 0] * 256 + 0.5), np.int64(points[behind, 1] * 256 + 0.5)
        x2, y2 = np.int64(x * 256 + 0.5), np.int64(y * 256 + 0.5)
        if y1 != y2:
            segments[count, 0], segments[count, 1] = x1, y1
            segments[count, 2], segments[count, 3] = x2, y2
            count += 1
    return count


@njit
def _add(segments: Any, left: Any, top: Any, cells: Any) -> None:
    """Add lines to the cells (ROWS, SPAN, 2) of the rows that they cross.

    left, top: of the first cell, in pixels.
    """
    across, down = np.int64(left) << _SHIFT, np.int64(top) << _SHIFT
    for place in range(U64(segments.shape[0])):
        x1, y1 = segments[place, U64(0)] - across, segments[place, U64(1)] - down
        x2, y2 = segments[place, U64(2)] - across, segments[place, U64(3)] - down
        _add_line(cells, x1, y1, x2, y2)


@njit
def _sweep(cells: Any, value: Any, pixels: Any) -> None:
    """Give pixels of which a 256th is enclosed a value, and cells zeros. cells: a column more."""
    for row in range(U64(pixels.shape[0])):
        cover = np.int64(0)
        for column in range(U64(pixels.shape[1])):
            cover += cells[row, column, U64(0)]
            area = (cover << np.int64(9)) - cells[row, column, U64(1)]
            if area >> np.int64(9) != 0:
                pixels[row, column] = value
    cells[...] = 0
