"""Polygons by the rule of OpenCV: the specification against OpenCV, the kernel against both."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gpuseg.kernels.opencv import paint_polygons
from gpuseg.kernels.reference_opencv import covered

Outlines = list[list[tuple[int, int]]]
SIDES = st.integers(1, 40)
NEAR, FAR = st.integers(-12, 50), st.integers(-(1 << 24), 1 << 24)


def outlines(coordinate: st.SearchStrategy[int]) -> st.SearchStrategy[Outlines]:
    vertices = st.lists(st.tuples(coordinate, coordinate), min_size=1, max_size=9)
    return st.lists(vertices, min_size=1, max_size=3)


def by_opencv(shapes: Outlines, height: int, width: int) -> NDArray[np.uint8]:
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, pts=[np.array(shape, np.int32) for shape in shapes], color=1)
    return mask


def by_kernel(shapes: Outlines, height: int, width: int) -> NDArray[np.uint8]:
    mask = np.zeros((height, width), np.uint8)
    paint_polygons([np.array(s, np.float64) for s in shapes], 1, mask, (0, 0), (width, height))
    return mask


@given(outlines(NEAR), SIDES, SIDES)
@settings(max_examples=400)
def test_pixels_are_those_of_opencv(shapes: Outlines, height: int, width: int) -> None:
    wanted = by_opencv(shapes, height, width)
    specified = covered([np.array(s, np.int64) for s in shapes], height, width)
    assert np.array_equal(specified, wanted)
    assert np.array_equal(by_kernel(shapes, height, width), wanted)


@given(outlines(FAR | NEAR), SIDES, SIDES)
@settings(max_examples=200)
def test_vertices_far_away_too(shapes: Outlines, height: int, width: int) -> None:
    specified = covered([np.array(s, np.int64) for s in shapes], height, width)
    assert np.array_equal(by_kernel(shapes, height, width), specified)


@given(outlines(NEAR), st.integers(0, 30), st.integers(0, 30), SIDES, SIDES)
def test_a_mask_may_be_a_part_of_the_image(
    shapes: Outlines, left: int, top: int, height: int, width: int
) -> None:
    whole = by_kernel(shapes, 40, 40)
    mask = np.zeros((min(height, 40 - top), min(width, 40 - left)), np.uint8)
    paint_polygons([np.array(s, np.float64) for s in shapes], 1, mask, (left, top), (40, 40))
    assert np.array_equal(mask, whole[top : top + mask.shape[0], left : left + mask.shape[1]])


def test_a_million_vertices() -> None:
    angles = np.linspace(0, 2 * np.pi, 1_000_000, endpoint=False)
    radius = 400 + 90 * np.sin(9 * angles)
    points = np.column_stack((500 + radius * np.cos(angles), 500 + radius * np.sin(angles)))
    outline = np.floor(points)
    mask = np.zeros((1000, 1000), np.uint8)
    paint_polygons([outline], 1, mask, (0, 0), (1000, 1000))
    wanted = np.zeros((1000, 1000), np.uint8)
    cv2.fillPoly(wanted, pts=[outline.astype(np.int32)], color=1)
    assert np.array_equal(mask, wanted)
