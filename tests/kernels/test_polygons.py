"""Polygons by the rule of COCO: the specification against pycocotools, the kernel against both."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gpuseg.kernels.polygons import paint_polygon
from gpuseg.kernels.reference_polygons import covered
from tests import pycocotools_judge
from tests.kernels.polygons import OUTLINES, Outline


def painted(outline: Outline, height: int, width: int, kind: str = "u1") -> NDArray[np.bool_]:
    """Which pixels the kernel gives a value, which the type just holds."""
    pixels = np.full((height, width), 7, kind)
    marks = np.zeros(height * width, np.uint8)
    value = int(np.iinfo(kind).max)
    paint_polygon(np.array(outline, np.float64).reshape(-1, 2), value, pixels, marks)
    assert not marks.any()
    assert np.isin(pixels, [7, value]).all()
    return pixels == value


@settings(max_examples=400)
@given(outline=OUTLINES, height=st.integers(1, 40), width=st.integers(1, 40))
@example(outline=[(0, 0), (0, 0), (5, 9), (5, 9)], height=12, width=12)
@example(outline=[(-0.1, -0.1), (4, -0.1), (4, 7.5)], height=7, width=3)
def test_pixels_are_those_of_pycocotools(outline: Outline, height: int, width: int) -> None:
    mask = covered(np.array(outline, np.float64).reshape(-1, 2), height, width)
    if len(outline) > 2:
        np.testing.assert_array_equal(mask, pycocotools_judge.polygon(outline, height, width))
    np.testing.assert_array_equal(painted(outline, height, width), mask)


@pytest.mark.parametrize("kind", ["u1", "u2", "u4"])
def test_each_type_of_pixel(kind: str) -> None:
    outline = [(3.2, 1.0), (60.9, 30.5), (20.0, 44.4)]
    np.testing.assert_array_equal(
        painted(outline, 50, 70, kind), pycocotools_judge.polygon(outline, 50, 70)
    )


def test_a_long_outline() -> None:
    angles = np.linspace(0, 40 * np.pi, 20_000)
    radii = np.random.default_rng(1).uniform(0, 90, angles.size)
    outline = np.column_stack((80 + radii * np.cos(angles), 60 + radii * np.sin(angles)))
    np.testing.assert_array_equal(
        painted(outline.tolist(), 120, 160), pycocotools_judge.polygon(outline, 120, 160)
    )


def test_vertices_as_far_away_as_they_may_be() -> None:
    """Neither time nor memory follows from coordinates, only from the image."""
    far = float(1 << 24)
    assert painted([(-far, -far), (far, -far), (far, far), (-far, far)], 30, 40).all()
    half = painted([(-far, -far), (far, far), (-far, far)], 30, 40)
    np.testing.assert_array_equal(half, np.tri(30, 40, dtype=bool))
    thin = painted([(1, -far), (9, far), (17, -far)], 30, 40)
    assert (thin == ((np.arange(40) > 4) & (np.arange(40) < 13))).all()


@pytest.mark.parametrize("outline", [[], [(3, 3)], [(3, 3), (9, 9)], [(3, 3), (9, 4), (3, 3)]])
def test_what_encloses_nothing_covers_nothing(outline: Outline) -> None:
    assert not painted(outline, 12, 12).any()


def test_only_what_is_covered_is_written() -> None:
    pixels = np.arange(20 * 30, dtype=np.uint16).reshape(20, 30)
    before = pixels.copy()
    outline = np.array([(4, 4), (20, 5), (11, 15)], np.float64)
    paint_polygon(outline, 999, pixels, np.zeros(600, np.uint8))
    np.testing.assert_array_equal(pixels, np.where(covered(outline, 20, 30), 999, before))
