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

CELLS = 1 << 17
"""Pixels that are summed up at a time; each takes 16 bytes."""

_ONE = np.int64(256)
_SHIFT = np.int64(8)
_PART = np.int64(255)


def painted(
    outline: NDArray[np.float64], width: int, height: int
) -> tuple[NDArray[np.bool_], int, int]:
    """The pixels of a polygon, bool (ROWS, SPAN), and the row and column of the first of them.

    outline: float64 (N, 2), x and y in pixels, closed by itself. width, height: of the image, in
    pixels; what lies outside is cut as Agg does it.
    """
    segments = clipped(outline, width, height)
    if not len(segments):
        return np.zeros((0, 0), np.bool_), 0, 0
    corners = segments.reshape(-1, 2)
    left, top = (corners.min(axis=0) >> 8).tolist()
    right, bottom = (corners.max(axis=0) >> 8).tolist()
    rows, span = min(bottom + 1, height) - top, right + 1 - left  # a cell at the right edge, too
    mask = np.zeros((rows, min(right + 1, width) - left), np.bool_)
    cells = np.empty((min(rows, max(1, CELLS // span)), span, 2), np.int64)
    _paint(segments - 256 * np.array([left, top, left, top]), cells, mask)
    return mask, top, left


def clipped(outline: NDArray[np.float64], width: int, height: int) -> Segments:
    """The lines of an outline inside of an image, those beside it moved to its edge.

    By `rasterizer_sl_clip` over doubles: the same intersections, rounded in the same way.
    """
    points = np.asarray(outline, np.float64)
    lines = np.concatenate((points, np.roll(points, -1, axis=0)), axis=1)
    if (points < 0).any() or (points > (width, height)).any():
        lines = _cut_rows(_cut_columns(lines, width, height), height)
    whole: Segments = (lines * 256 + 0.5).astype(np.int64)
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


@inlined
def _sweep(cells: Any, mask: Any) -> None:
    """Set the pixels of some rows, (ROWS, SPAN), by their cells."""
    for row in range(U64(mask.shape[0])):
        cover = np.int64(0)
        for column in range(U64(mask.shape[1])):
            cover += cells[row, column, U64(0)]
            area = (cover << np.int64(9)) - cells[row, column, U64(1)]
            if area >> np.int64(9) != 0:
                mask[row, column] = True


@njit
def _paint(segments: Any, cells: Any, mask: Any) -> None:
    """Set the pixels of which a 256th is enclosed.

    segments: in 256ths of a pixel of the mask. cells: for some of its rows, a column more.
    """
    for top in range(0, mask.shape[0], cells.shape[0]):
        cells[...] = 0
        up = np.int64(top) << _SHIFT
        for place in range(U64(segments.shape[0])):
            x1, y1 = segments[place, U64(0)], segments[place, U64(1)] - up
            x2, y2 = segments[place, U64(2)], segments[place, U64(3)] - up
            _add_line(cells, x1, y1, x2, y2)
        _sweep(cells, mask[top : top + cells.shape[0]])
