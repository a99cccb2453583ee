"""How large shapes are, to be drawn by size: from their outlines, not from their pixels."""

from __future__ import annotations

import math

import numpy as np

from gpuseg.shapes import Bitmap, Box, Ellipse, Line, Part, Points, Polygon, Runs, Shape


def area_of(shape: Shape) -> float:
    """The area of all its parts in pixels, also of what lies outside of the image."""
    return sum(map(_area, shape.parts))


def _area(part: Part) -> float:
    if isinstance(part, Polygon):
        return max(0.0, _enclosed(part.outline) - sum(map(_enclosed, part.holes)))
    if isinstance(part, Box):
        return abs((part.right - part.left) * (part.bottom - part.top))
    if isinstance(part, Ellipse):
        return math.pi * part.rx * part.ry
    if isinstance(part, Line):
        steps = np.hypot(*np.diff(part.points, axis=0).T)
        return float(steps.sum()) * part.width
    if isinstance(part, Runs):
        return float(part.counts[1::2].sum())
    assert isinstance(part, Bitmap)  # noqa: S101  # no other kind is left
    return float(np.count_nonzero(part.mask))


def _enclosed(outline: Points) -> float:
    """By the formula of Gauss."""
    x, y = outline.T
    return abs(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1)))) / 2
