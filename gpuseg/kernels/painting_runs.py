"""Bitmaps in runs painted into images, without being unpacked; see `shapes.Runs`.

Runs down the columns are painted as polygons are: their first pixels and those behind their last
are marked, and rows follow each other (`polygons.paint_marked`). Runs along the rows are filled.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.jit import inlined, njit
from gpuseg.kernels.polygons import paint_marked


def paint_columns(
    counts: NDArray[np.int64],
    place: tuple[int, int, int, int],
    value: int,
    pixels: NDArray[np.unsignedinteger],
    marks: NDArray[np.uint8],
) -> None:
    """Give the pixels of a bitmap whose runs go down the columns a value.

    counts: int64 (K,), of 0 and up, runs of 0 and 1 by turns; what goes beyond the bitmap is left
    out. place: left, top, width, height of the bitmap in pixels; it is cut at the image. pixels,
    marks: as in `polygons.paint_polygon`.
    """
    box = _mark_columns(_given(counts), place, pixels.shape[0], pixels.shape[1], marks)
    paint_marked(box, value, pixels, marks)


def paint_rows(
    counts: NDArray[np.int64],
    place: tuple[int, int, int, int],
    value: int,
    pixels: NDArray[np.unsignedinteger],
) -> None:
    """As `paint_columns`, where the runs go along the rows."""
    _fill_rows(_given(counts), place, value, pixels)


def _given(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    view = counts.view()
    view.flags.writeable = False  # kernels are compiled once for what is read
    return view


@njit
def _mark_columns(counts: Any, place: Any, height: Any, width: Any, marks: Any) -> Any:
    """Mark where runs of 1 begin and end: the box that they are in, by row, is returned."""
    left, top, right, bottom = _cut(_reach(counts, place), height, width)
    columns, rows = right - left, bottom - top
    if columns <= 0 or rows <= 0:
        return left, top, 0, 0
    size, tall = place[2] * place[3], place[3]
    end = np.int64(0)
    for k in range(counts.size):
        begin = end
        end = min(begin + counts[k], size)
        if k % 2 == 0 or begin == end:
            continue
        # of the columns of the bitmap that the run is in, those in the image
        first, last = begin // tall, (end - 1) // tall
        for x in range(max(first, left - place[0]), min(last + 1, right - place[0])):
            upper = begin - x * tall if x == first else 0
            lower = end - x * tall if x == last else tall
            upper, lower = max(upper + place[1] - top, 0), min(lower + place[1] - top, rows)
            if upper < lower:
                at = x + place[0] - left
                marks[upper * columns + at] ^= 1
                if lower < rows:
                    marks[lower * columns + at] ^= 1
    return left, top, columns, rows


@inlined
def _reach(counts: Any, place: Any) -> Any:
    """The part of a bitmap with runs down the columns where they are 1: left, top, width, height.

    Whole columns where a run goes on from one to the next.
    """
    size, tall = place[2] * place[3], place[3]
    nothing: Any = np.int64(0)
    left = right = top = bottom = end = nothing
    for k in range(counts.size):
        begin = end
        end = min(begin + counts[k], size)
        if k % 2 == 0 or begin == end:
            continue
        first, last = begin // tall, (end - 1) // tall
        upper, lower = (begin % tall, (end - 1) % tall + 1) if first == last else (0, tall)
        if right == 0:
            left, top = first, upper
        right = last + 1
        top, bottom = min(top, upper), max(bottom, lower)
    return place[0] + left, place[1] + top, right - left, bottom - top


@njit
def _fill_rows(counts: Any, place: Any, value: Any, pixels: Any) -> Any:
    left, top, right, bottom = _cut(place, pixels.shape[0], pixels.shape[1])
    if left >= right or top >= bottom:
        return
    size, wide = place[2] * place[3], place[2]
    end = np.int64(0)
    for k in range(counts.size):
        begin = end
        end = min(begin + counts[k], size)
        if k % 2 == 0 or begin == end:
            continue
        first, last = begin // wide, (end - 1) // wide
        for y in range(max(first, top - place[1]), min(last + 1, bottom - place[1])):
            start = begin - y * wide if y == first else 0
            stop = end - y * wide if y == last else wide
            row = pixels[y + place[1]]
            for x in range(max(start + place[0], left), min(stop + place[0], right)):
                row[x] = value


@inlined
def _cut(place: Any, height: Any, width: Any) -> Any:
    """The part of a bitmap that is in the image: its first and end columns and rows."""
    left, top = max(place[0], 0), max(place[1], 0)
    return left, top, min(place[0] + place[2], width), min(place[1] + place[3], height)
