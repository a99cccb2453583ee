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


def painted(outline: NDArray[np.float64], width: int, height: int) -> tuple[NDArray[np.bool_], int]:
    """The pixels of a polygon in the rows that it touches, bool (ROWS, width), and their first row.

    outline: float64 (N, 2), x and y in pixels, closed by itself. width, height: of the image, in
    pixels; what lies outside is cut as Agg does it.
    """
    segments = clipped(outline, width, height)
    if not len(segments):
        return np.zeros((0, width), np.bool_), 0
    rows = segments[:, [1, 3]]
    first, last = int(rows.min()) >> 8, min(height - 1, int(rows.max()) >> 8)
    mask = np.zeros((last - first + 1, width), np.bool_)
    columns = segments[:, [0, 2]]
    left, right = int(columns.min()) >> 8, int(columns.max()) >> 8
    span = right - left + 1
    cells = np.empty((min(len(mask), max(1, CELLS // span)), span, 2), np.int64)
    _paint(segments, np.int64(left), np.int64(first), cells, mask)
    return mask, first


def clipped(outline: NDArray[np.float64], width: int, height: int) -> Segments:
    """The lines of an outline inside of an image, those beside it moved to its edge.

    By `rasterizer_sl_clip` over doubles: the same intersections, rounded in the same way.
    """
    points = np.asarray(outline, np.float64)
    lines = np.concatenate((points, np.roll(points, -1, axis=0)), axis=1)
    if (points < 0).any() or (points > (width, height)).any():
        lines = _cut_rows(_cut_columns(lines, width, height), height)
    whole = (lines * 256 + 0.5).astype(np.int64)
    return whole[whole[:, 1] != whole[:, 3]]


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
def _add_row(row, x1, y1, x2, y2, left):  # type: ignore[no-untyped-def]
    """Add a line within one row to its cells (SPAN, 2): how high it is, and twice its area.

    x1, x2: in 256ths of a pixel of the image, y1, y2: of the row.
    """
    high = y2 - y1
    if high == 0:
        return
    first, last = x1 >> _SHIFT, x2 >> _SHIFT
    if first == last:
        row[U64(first - left), 0] += high
        row[U64(first - left), 1] += ((x1 & _PART) + (x2 & _PART)) * high
        return
    wide, step, border = x2 - x1, np.int64(1), _ONE
    if wide < 0:
        wide, step, border = -wide, np.int64(-1), np.int64(0)
    begun = abs(border - (x1 & _PART)) * high
    total = begun // wide
    row[U64(first - left), 0] += total
    row[U64(first - left), 1] += ((x1 & _PART) + border) * total
    cell = first + step
    while cell != last:
        begun += _ONE * high
        more = begun // wide - total
        row[U64(cell - left), 0] += more
        row[U64(cell - left), 1] += _ONE * more
        total += more
        cell += step
    row[U64(last - left), 0] += high - total
    row[U64(last - left), 1] += ((x2 & _PART) + _ONE - border) * (high - total)


@njit
def _paint(segments, left, first, cells, mask):  # type: ignore[no-untyped-def]
    """Set the pixels of which a 256th is enclosed. left, first: of cells and mask in the image."""
    rows = np.int64(cells.shape[0])
    for top in range(first, first + mask.shape[0], rows):
        bottom = min(top + rows, first + mask.shape[0])
        cells[...] = 0
        for place in range(U64(segments.shape[0])):
            x1, y1 = segments[place, U64(0)], segments[place, U64(1)]
            x2, y2 = segments[place, U64(2)], segments[place, U64(3)]
            wide, high = x2 - x1, y2 - y1
            step, border, begun = np.int64(1), _ONE, _ONE - (y1 & _PART)
            if high < 0:
                high, step, border, begun = -high, np.int64(-1), np.int64(0), y1 & _PART
            start, end = y1 >> _SHIFT, y2 >> _SHIFT
            if max(start, end) < top or min(start, end) >= bottom:
                continue
            row = start
            if step > 0 and row < top:
                row = top
            elif step < 0 and row >= bottom:
                row = bottom - 1
            last = min(end, bottom - 1) if step > 0 else max(end, top)
            while True:
                passed = abs(row - start)
                x, y = x1, y1 & _PART
                if passed:
                    x = x1 + (begun + (passed - 1) * _ONE) * wide // high
                    y = _ONE - border
                to, until = x2, y2 & _PART
                if row != end:
                    to = x1 + (begun + passed * _ONE) * wide // high
                    until = border
                _add_row(cells[U64(row - top)], x, y, to, until, left)
                if row == last:
                    break
                row += step
        _sweep(cells, left, U64(bottom - top), mask[U64(top - first) :])


@inlined
def _sweep(cells, left, rows, mask):  # type: ignore[no-untyped-def]
    """Set the pixels of some rows by their cells."""
    width = U64(mask.shape[1])
    for row in range(rows):
        cover = np.int64(0)
        for column in range(U64(cells.shape[1])):
            cover += cells[row, column, U64(0)]
            area = (cover << np.int64(9)) - cells[row, column, U64(1)]
            if area >> np.int64(9) != 0 and column + U64(left) < width:
                mask[row, column + U64(left)] = True
