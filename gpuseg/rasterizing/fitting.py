"""Which shapes are drawn in moments: the others, a line or two of JSON, could take minutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gpuseg.shapes import BadShape, Ellipse, Line, Part, Picture, Points, Polygon, Runs

LARGEST_RADIUS = 1 << 18
"""Pixels: Pillow's time for an ellipse goes with its radius and more, wherever the image is."""

LONGEST_LINE = 1 << 24
"""Pixels of a line that is one wide: Pillow goes along all of it, wherever the image is."""

MOST_STEPS = 1 << 26
"""Rows and columns of the image that the edges of an outline, or a line, cross, all together. They
are what drawing takes its time for."""


def fitting(picture: Picture) -> Picture:
    """The picture without shapes that would take any memory or time, which are bad.

    Those are masks of more pixels than the image, for they come packed, huge ellipses, lines that
    are far longer than any image, and outlines that cross all of it again and again.
    """
    size = picture.width, picture.height
    bad = {
        shape.number: BadShape(shape.number, shape.label, why)
        for shape in picture.shapes
        for part in shape.parts
        if (why := _why_huge(part, size))
    }
    if not bad:
        return picture
    shapes = tuple(shape for shape in picture.shapes if shape.number not in bad)
    return replace(picture, shapes=shapes, bad=(*picture.bad, *bad.values()))


def _why_huge(part: Part, size: tuple[int, int]) -> str:
    """What is too large of a part, "" for nothing. size: width and height of the image."""
    if isinstance(part, Runs) and part.width * part.height > size[0] * size[1]:
        return f"has a mask of {part.width:,} x {part.height:,} pixels, more than its image"
    if isinstance(part, Ellipse) and max(part.rx, part.ry) > LARGEST_RADIUS:
        return f"has a radius of more than {LARGEST_RADIUS:,} pixels"
    if isinstance(part, Line):
        if part.width == 1 and _length(part.points) > LONGEST_LINE:
            return f"has a line of more than {LONGEST_LINE:,} pixels"
        return _why_tangled((part.points,), size)
    return _why_tangled((part.outline, *part.holes), size) if isinstance(part, Polygon) else ""


def _why_tangled(outlines: Sequence[Points], size: tuple[int, int]) -> str:
    if sum(map(len, outlines)) * sum(size) <= MOST_STEPS:  # so nearly always
        return ""
    steps = sum(int(_apart(np.clip(outline, 0, size)).sum()) for outline in outlines)
    if steps <= MOST_STEPS:
        return ""
    return (
        f"has edges that cross {steps:,} rows and columns of its image, and {MOST_STEPS:,} are "
        "the most"
    )


def _length(points: Points) -> int:
    return int(_apart(points)[:-1].max(axis=1).sum())


def _apart(points: Points) -> Points:
    """How far each vertex is from the next, the last one from the first: float64 (N, 2)."""
    return np.abs(points - np.roll(points, -1, axis=0))
