"""Cubic Bézier curves as lines, in the same points as matplotlib's backend Agg draws them.

Anti-Grain Geometry 2.4 halves a curve until its control points lie within half a pixel of the
straight line (`curve4_div` with a scale of 1, and no tolerance of angles or cusps), and of each
last half takes one point: the middle between its two control points.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.jit import inlined, njit

_NEAR = 0.25
"""The square of half a pixel."""

_LEVEL = 1e-30
"""Twice the area of a triangle that is none."""

_DEEPEST = 32
"""Halvings after which a curve is left as it is."""

MOST = 1 << 16
"""Points of a curve: one over 16 million pixels has some thousands."""


def flattened(ends: NDArray[np.float64]) -> NDArray[np.float64]:
    """The points of a curve from its beginning to its end, both included: float64 (N, 2).

    ends: float64 (4, 2): where it begins, its two control points, where it ends; in pixels.
    Raises ValueError for more than MOST points.
    """
    points = np.empty((64, 2), np.float64)
    count = int(_flatten(ends, points))
    if count > MOST:
        raise ValueError(f"has a curve of more than {MOST:,} points")
    if count > len(points):
        points = np.empty((count, 2), np.float64)
        _flatten(ends, points)
    return points[:count]


@inlined
def _apart(x1: Any, y1: Any, x2: Any, y2: Any) -> Any:
    """The square of a distance."""
    return (x2 - x1) * (x2 - x1) + (y2 - y1) * (y2 - y1)


@inlined
def _beside(x: Any, y: Any, curve: Any) -> Any:
    """How far a point is from the line of a flat curve (8,), squared, and if it lies beside it."""
    wide, high = curve[6] - curve[0], curve[7] - curve[1]
    scale = 1 / (wide * wide + high * high)
    along = scale * ((x - curve[0]) * wide + (y - curve[1]) * high)
    if along <= 0:
        return _apart(x, y, curve[0], curve[1]), False
    if along >= 1:
        return _apart(x, y, curve[6], curve[7]), False
    return _apart(x, y, curve[0] + along * wide, curve[1] + along * high), True


@inlined
def _last(curve: Any) -> Any:
    """Whether a curve is halved no more, whether it gives a point then, and which."""
    x1, y1, x2, y2, x3, y3, x4, y4 = curve
    wide, high = x4 - x1, y4 - y1
    second = abs((x2 - x4) * high - (y2 - y4) * wide)
    third = abs((x3 - x4) * high - (y3 - y4) * wide)
    if second > _LEVEL or third > _LEVEL:
        far = (second if second > _LEVEL else 0.0) + (third if third > _LEVEL else 0.0)
        near = far * far <= _NEAR * (wide * wide + high * high)
        return near, True, (x2 + x3) / 2, (y2 + y3) / 2
    if wide * wide + high * high == 0:
        second, third = _apart(x1, y1, x2, y2), _apart(x4, y4, x3, y3)
    else:
        second, inside = _beside(x2, y2, curve)
        third, also = _beside(x3, y3, curve)
        if inside and also:
            return True, False, 0.0, 0.0
    if second > third:
        return second < _NEAR, True, x2, y2
    return third < _NEAR, True, x3, y3


@njit
def _flatten(ends: Any, points: Any) -> Any:
    """Write the points of a curve, as many as there is room for; their number."""
    waiting = np.empty((_DEEPEST + 2, 8), np.float64)
    depths = np.empty(_DEEPEST + 2, np.int64)
    for place in range(4):
        waiting[0, 2 * place], waiting[0, 2 * place + 1] = ends[place, 0], ends[place, 1]
    depths[0], left, count = 0, 1, 1
    points[0] = ends[0]
    while left:
        left -= 1
        depth = depths[left]
        if depth > _DEEPEST:
            continue
        x1, y1, x2, y2, x3, y3, x4, y4 = waiting[left]
        done, marks, x, y = _last((x1, y1, x2, y2, x3, y3, x4, y4))
        if done:
            if marks:
                if count < points.shape[0]:
                    points[count, 0], points[count, 1] = x, y
                count += 1
                if count > MOST:
                    return count
            continue
        x12, y12, x23, y23 = (x1 + x2) / 2, (y1 + y2) / 2, (x2 + x3) / 2, (y2 + y3) / 2
        x34, y34 = (x3 + x4) / 2, (y3 + y4) / 2
        x123, y123, x234, y234 = (x12 + x23) / 2, (y12 + y23) / 2, (x23 + x34) / 2, (y23 + y34) / 2
        x, y = (x123 + x234) / 2, (y123 + y234) / 2
        waiting[left] = (x, y, x234, y234, x34, y34, x4, y4)
        waiting[left + 1] = (x1, y1, x12, y12, x123, y123, x, y)
        depths[left], depths[left + 1] = depth + 1, depth + 1
        left += 2
    if count < points.shape[0]:
        points[count] = ends[3]
    return count + 1
