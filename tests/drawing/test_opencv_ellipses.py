"""Filled ellipses, pixel by pixel those of OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from gpuseg.drawing.cvat_canvas import CvatCanvas
from gpuseg.drawing.opencv_ellipses import filled_ellipse
from gpuseg.shapes import Box, Ellipse, Polygon

SIDES = st.integers(1, 90)
PLACES = st.integers(-60, 150)
AXES = st.one_of(st.integers(0, 16), st.integers(0, 120))


def drawn(
    centre: tuple[int, int], axes: tuple[int, int], degrees: int, size: tuple[int, int]
) -> np.ndarray:
    width, height = size
    made = np.zeros((height, width), np.uint8)
    found = filled_ellipse(centre, axes, degrees, size)
    if found is not None:
        high, wide = found.mask.shape
        made[found.top : found.top + high, found.left : found.left + wide] = found.mask
    return made


def judged(
    centre: tuple[int, int], axes: tuple[int, int], degrees: float, size: tuple[int, int]
) -> np.ndarray:
    made = np.zeros(size[::-1], np.uint8)
    cv2.ellipse(made, centre, axes, degrees, 0, 360, 1, thickness=-1)
    return made


@given(
    st.tuples(PLACES, PLACES),
    st.tuples(AXES, AXES),
    st.integers(-360, 720),
    st.tuples(SIDES, SIDES),
)
@example((9, 7), (4, 10), 77, (10, 23))  # its edges cross the border of the image
@example((5, 5), (0, 0), 0, (10, 10))
def test_as_opencv(
    centre: tuple[int, int], axes: tuple[int, int], degrees: int, size: tuple[int, int]
) -> None:
    want = judged(centre, axes, degrees, size)
    np.testing.assert_array_equal(drawn(centre, axes, degrees, size), want)


def test_many_as_opencv() -> None:
    rng = np.random.default_rng(20)
    for largest in (3, 10, 15, 40, 150):
        for _ in range(200):
            x, y, across, down = rng.integers(0, largest + 1, 4).tolist()
            size = tuple((largest + rng.integers(1, largest + 5, 2)).tolist())
            told = ((x, y), (across, down), int(rng.integers(0, 361)), size)
            np.testing.assert_array_equal(drawn(*told), judged(*told))


@pytest.mark.parametrize("centre", [(5, 5), (1 << 24, 5), (-(1 << 24), 1 << 24)])
def test_ellipses_of_any_size_take_the_memory_of_the_image(centre: tuple[int, int]) -> None:
    told = (centre, (1 << 24, (1 << 24) - 1), 20, (40, 30))
    np.testing.assert_array_equal(drawn(*told), judged(*told))


def test_outside_of_the_image() -> None:
    assert filled_ellipse((-50, 10), (20, 20), 0, (40, 30)) is None


@pytest.mark.parametrize("part", [(10.5, 9.5, 6.5, 3.5, 44.5), (10.49, 9.51, 6, 2.5, 359.6)])
def test_coordinates_are_rounded_as_cvat_rounds_them(part: tuple[float, ...]) -> None:
    """As its `EllipsesToMasks`: by Python's round, and the angle by OpenCV."""
    canvas = CvatCanvas(20, 18, np.dtype(np.uint8), 0)
    canvas.ellipse(Ellipse(*part), 1)
    x, y, across, down, degrees = part
    want = judged((round(x), round(y)), (round(across), round(down)), degrees, (20, 18))
    np.testing.assert_array_equal(canvas.values(), want)


def test_all_else_is_drawn_as_by_coco() -> None:
    canvas = CvatCanvas(10, 8, np.dtype(np.uint16), 7)
    canvas.box(Box(1, 2, 5, 4), 300)
    canvas.polygon(Polygon(np.array([[6.0, 0], [9, 0], [9, 3]])), 2)
    assert canvas.values()[2:4, 1:5].tolist() == [[300] * 4] * 2
    assert canvas.values()[0, 7] == 2
