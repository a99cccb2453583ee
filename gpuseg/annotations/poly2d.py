"""Scalabel's poly2d: polygons and paths with straight edges and curves.

By Scalabel's format (doc/src/format.rst: "L" for a vertex, "C" for a control point of a Bézier
curve, `closed` for polygons) and how its toolkit draws it (`poly_to_patch` in
scalabel/label/transforms.py): as a path of matplotlib, `snap` on, so that all points, control
points too, lie on whole pixels before curves are drawn. Between two vertices there are two
control points; behind the last vertex, the second vertex is the first one again. The first form
of BDD100K has lists of [x, y, "L"] instead, which say nothing of `closed`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from gpuseg.annotations.fields import ShapeFaultError, points_of, shown
from gpuseg.shapes import Line, Part, Points, Polygon

MOST_POINTS = 1 << 22
"""Points of an outline with all its curves; a curve over a whole image has some dozens."""

_TYPES = re.compile(r"L(?:L|CCL)*(?:CC)?")
_LEAST = 2
"""Points of an outline: BDD100K has some of two, which its toolkit draws."""


def part_of(value: object, is_area: bool, line_width: int | None) -> Part | None:
    """A polygon; of an open path a line, or None without a width. Raises ShapeFaultError.

    is_area: whether it is a polygon even if it is not called closed.
    """
    if not isinstance(value, Mapping):
        raise ShapeFaultError(f"needs an object for each poly2d, got {shown(value)}")
    closed = value.get("closed")
    if not isinstance(closed, bool):
        raise ShapeFaultError(f"needs true or false for closed, got {shown(closed)}")
    return _part(value.get("vertices"), value.get("types"), closed or is_area, line_width)


def old_part_of(value: object, closed: bool, line_width: int | None) -> Part | None:
    """The same of a list of [x, y, "L"]. Raises ShapeFaultError."""
    if not isinstance(value, list):
        raise ShapeFaultError(f"needs a list of points, got {shown(value)}")
    for point in value:
        if not isinstance(point, list) or len(point) != 3 or point[2] not in ("L", "C"):
            raise ShapeFaultError(f'needs [x, y, "L"] or [x, y, "C"], got {shown(point)}')
    vertices, types = [point[:2] for point in value], "".join(point[2] for point in value)
    return _part(vertices, types, closed, line_width)


def _part(vertices: object, types: object, closed: bool, line_width: int | None) -> Part | None:
    points = points_of(vertices, _LEAST)
    if not isinstance(types, str) or len(types) != len(points):
        raise ShapeFaultError(f"needs {len(points)} letters for types, got {shown(types)}")
    if not _TYPES.fullmatch(types) or (types.endswith("C") and not closed):
        raise ShapeFaultError(
            f"needs two control points (C) between vertices (L) in types, got {shown(types)}"
        )
    if closed:
        return Polygon(outline_of(points, types))
    return None if line_width is None else Line(outline_of(points, types), line_width)


def outline_of(points: Points, types: str) -> Points:
    """Vertices of an outline, its curves as lines: float64 (N, 2). Raises ShapeFaultError.

    types: a letter for each point, which go together.
    """
    whole = np.floor(points + 0.5)  # the `PathSnapper` of matplotlib 3.11, for a line width of 0
    if "C" not in types:
        return whole
    from gpuseg.kernels.bezier import flattened

    ring = np.concatenate((whole, whole[:1]))
    pieces, begin, count = list[Points](), 0, len(points)
    for curve in re.finditer("CC", types):
        start = curve.start()
        try:
            between = flattened(ring[start - 1 : start + 3])
        except ValueError as error:
            raise ShapeFaultError(f"{error}; mend it") from error
        count += len(between)
        if count > MOST_POINTS:
            raise ShapeFaultError(f"has curves of more than {MOST_POINTS:,} points; mend it")
        pieces += (ring[begin:start], between)
        begin = start + 2
    return np.concatenate((*pieces, ring[begin : len(whole)]))
