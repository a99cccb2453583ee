"""Shapes as other shapes: turned boxes and ellipses as polygons, runs as bitmaps."""

from __future__ import annotations

import math

import numpy as np

from gpuseg.shapes import Bitmap, Box, Ellipse, Points, Runs

SIDES = 720
"""Vertices of an ellipse as a polygon, as Datumaro has it (1.13, `Ellipse.as_polygon`)."""


def turned(points: Points, x: float, y: float, degrees: float) -> Points:
    """Points turned clockwise (y points down) about (x, y), float64 (N, 2)."""
    angle = math.radians(degrees)
    sine, cosine = math.sin(angle), math.cos(angle)
    across, down = points[:, 0] - x, points[:, 1] - y
    return np.column_stack((x + across * cosine - down * sine, y + across * sine + down * cosine))


def box_corners(part: Box) -> Points:
    """The corners of a box, turned: float64 (4, 2), from the upper left one clockwise."""
    corners = np.array(
        [
            [part.left, part.top],
            [part.right, part.top],
            [part.right, part.bottom],
            [part.left, part.bottom],
        ]
    )
    if not part.rotation:
        return corners
    x, y = (part.left + part.right) / 2, (part.top + part.bottom) / 2
    return turned(corners, x, y, part.rotation)


def ellipse_outline(part: Ellipse) -> Points:
    """An ellipse as a polygon of SIDES vertices, float64 (SIDES, 2)."""
    angles = np.linspace(0, 2 * math.pi, SIDES, endpoint=False)
    points = np.column_stack((part.x + part.rx * np.cos(angles), part.y + part.ry * np.sin(angles)))
    return turned(points, part.x, part.y, part.rotation) if part.rotation else points


def unpacked(part: Runs) -> Bitmap:
    """Runs as a bitmap."""
    flat = np.repeat(np.arange(part.counts.size) % 2 == 1, part.counts)
    if part.by_column:
        mask = flat.reshape(part.width, part.height).T
    else:
        mask = flat.reshape(part.height, part.width)
    return Bitmap(np.ascontiguousarray(mask), part.left, part.top)
