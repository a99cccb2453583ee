"""The specification of which pixels a polygon covers by the rule of COCO, in plain NumPy.

That of pycocotools (2.0.11, `rleFrPoly` in maskApi.c). Vertices go to a grid five times as fine.
Each edge becomes points there, one for each step along its longer side, as Bresenham's lines do.
Where an edge steps over the middle of a pixel's column, from 5 * x + 2 to 5 * x + 3 or back, it
crosses that column, at the smaller y of the two. A pixel is covered where the number of crossings
at or above it, in its column, is odd: so the left and upper pixels of a border belong to a
polygon, and what is enclosed twice does not.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SCALE = 5
"""Steps of the fine grid to a pixel."""


def covered(outline: NDArray[np.float64], height: int, width: int) -> NDArray[np.bool_]:
    """Which pixels of an image a polygon covers: bool (height, width).

    outline: float64 (N, 2), x and y of its vertices in pixels, closed by itself.
    """
    crossings = np.zeros((height + 1, width), np.bool_)
    fine = np.trunc(SCALE * outline + 0.5).astype(np.int64)
    for start, end in zip(fine, np.roll(fine, -1, axis=0), strict=True):
        u, v = _points(start, end)
        left, upper = np.minimum(u[1:], u[:-1]), np.minimum(v[1:], v[:-1])
        x = left // SCALE
        at = (u[1:] != u[:-1]) & (left % SCALE == SCALE // 2) & (x >= 0) & (x < width)
        y = np.clip(-((SCALE // 2 - upper[at]) // SCALE), 0, height)  # rounded up
        np.logical_xor.at(crossings, (y, x[at]), True)
    inside: NDArray[np.bool_] = np.logical_xor.accumulate(crossings[:-1], axis=0)
    return inside


def _points(start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.int64]:
    """An edge on the fine grid, int64 (2, K): x and y of each of its points."""
    longer = int(np.abs(end[1] - start[1]) > np.abs(end[0] - start[0]))
    if start[longer] > end[longer]:
        start, end = end, start
    length = end[longer] - start[longer]
    if not length:
        return start.reshape(2, 1)
    steps = np.arange(length + 1)
    slope = (end[1 - longer] - start[1 - longer]) / length
    aside = np.trunc(start[1 - longer] + slope * steps + 0.5).astype(np.int64)
    along = start[longer] + steps
    return np.stack((aside, along) if longer else (along, aside))
