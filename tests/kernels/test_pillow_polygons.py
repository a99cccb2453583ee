"""Polygons by the rules of Pillow: the specification and the kernel against Pillow itself."""

from __future__ import annotations

from time import perf_counter

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from gpuseg.kernels import pillow_polygons
from gpuseg.kernels.pillow_polygons import paint_polygon
from gpuseg.kernels.reference_pillow import covered
from tests.kernels.polygons import OUTLINES, Outline


def by_pillow(outline: NDArray[np.float64], height: int, width: int) -> NDArray[np.bool_]:
    image = Image.new("L", (width, height))
    ImageDraw.Draw(image).polygon(outline.ravel().tolist(), fill=1)
    return np.asarray(image) != 0


def painted(
    outline: NDArray[np.float64], height: int, width: int, kind: str = "u1"
) -> NDArray[np.bool_]:
    """Which pixels the kernel gives a value, which the type just holds."""
    pixels = np.full((height, width), 7, kind)
    value = int(np.iinfo(kind).max)
    paint_polygon(outline, value, pixels)
    assert np.isin(pixels, [7, value]).all()
    return pixels == value


def zigzag(count: int, width: int, rows: int) -> NDArray[np.float64]:
    """Vertices by turns in rows beside each other, so that many have one corner."""
    x = np.random.default_rng(count).integers(0, width, count)
    return np.column_stack((x, np.arange(count) % rows)).astype(np.float64)


@settings(max_examples=500)
@given(
    outline=OUTLINES.filter(lambda found: len(found) > 1),
    height=st.integers(1, 40),
    width=st.integers(1, 40),
)
@example(outline=[(0, 0), (9, 1), (0, 1)], height=3, width=12)  # corners almost along the row
@example(outline=[(30, 2), (3, 3), (30, 4), (0, 5)], height=7, width=20)
@example(outline=[(5, -9), (9, 90), (1, 90), (5, -9)], height=9, width=12)
@example(outline=[(2, 2), (5, 2), (9, 2), (7, 2)], height=4, width=12)
def test_pixels_are_those_of_pillow(outline: Outline, height: int, width: int) -> None:
    points = np.array(outline, np.float64)
    wanted = by_pillow(points, height, width)
    np.testing.assert_array_equal(covered(points, height, width), wanted)
    np.testing.assert_array_equal(painted(points, height, width), wanted)


@settings(max_examples=60)
@given(st.integers(2, 300), st.integers(2, 5), st.integers(1, 40))
def test_many_edges_in_a_row(count: int, rows: int, width: int) -> None:
    """More than are gone through one by one."""
    points = zigzag(count, width, rows)
    wanted = by_pillow(points, rows + 1, width)
    np.testing.assert_array_equal(painted(points, rows + 1, width), wanted)


def test_many_edges_are_more_than_few() -> None:
    assert pillow_polygons.FEW < 300 / 5


@pytest.mark.parametrize("kind", ["u1", "u2", "u4"])
def test_each_type_of_pixel(kind: str) -> None:
    points = np.array([(3.2, 1.0), (60.9, 30.5), (20.0, 44.4)])
    np.testing.assert_array_equal(painted(points, 50, 70, kind), by_pillow(points, 50, 70))


def test_a_long_outline() -> None:
    angles = np.linspace(0, 40 * np.pi, 8_000)
    radii = np.random.default_rng(1).uniform(0, 90, angles.size)
    points = np.column_stack((80 + radii * np.cos(angles), 60 + radii * np.sin(angles)))
    np.testing.assert_array_equal(painted(points, 120, 160), by_pillow(points, 120, 160))


def test_vertices_as_far_away_as_they_may_be() -> None:
    far = float(1 << 24)
    corners = np.array([(-far, -far), (far, -far), (far, far), (-far, far)])
    assert painted(corners, 30, 40).all()
    for points in (corners[[0, 2, 3]], np.array([(1, -far), (9, far), (17, -far)])):
        np.testing.assert_array_equal(painted(points, 30, 40), by_pillow(points, 30, 40))


def test_a_million_vertices() -> None:
    """In seconds, also where nearly all have a corner in one row; Pillow would take minutes."""
    start = perf_counter()
    assert painted(zigzag(1_000_000, 2_000, 2), 2, 2_000).all()
    angles = np.linspace(0, 2 * np.pi, 1_000_000)
    circle = np.column_stack((500 + 400 * np.cos(angles), 500 + 400 * np.sin(angles)))
    assert painted(circle, 1_000, 1_000).mean() == pytest.approx(np.pi * 0.16, rel=0.01)
    assert perf_counter() - start < 60
