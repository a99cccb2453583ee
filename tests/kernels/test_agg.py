"""Polygons as matplotlib paints them without smoothing: by its own pixels, and by exact areas."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from numpy.typing import NDArray

from gpuseg.kernels import agg
from tests.drawing.matplotlib_judge import painted_by_matplotlib

Outline = NDArray[np.float64]


def whole(outline: Outline, width: int, height: int) -> NDArray[np.bool_]:
    """The pixels of a polygon, bool (H, W)."""
    pixels = np.zeros((height, width), np.uint8)
    cells = agg.cells_for(width)
    agg.paint_polygon(outline, 1, pixels, cells)
    assert not cells.any()
    return pixels != 0


def outlines(reach: int, most: int = 9) -> st.SearchStrategy[Outline]:
    coordinate = st.integers(-reach, 20 + reach).map(float)
    shapes = st.tuples(st.integers(1, most), st.just(2))
    return arrays.arrays(np.float64, shapes, elements=coordinate)


@settings(max_examples=60, deadline=None)
@given(st.one_of(outlines(0), outlines(30), outlines(10**7)), st.integers(1, 22))
def test_the_pixels_are_those_of_matplotlib(outline: Outline, width: int) -> None:
    painted = whole(outline, width, 20)
    np.testing.assert_array_equal(painted, painted_by_matplotlib(outline, width, 20))


def area_within(outline: Outline, x: int, y: int) -> Fraction:
    """The area that an outline encloses of a pixel, as often as it winds about it, exactly."""
    ring = [(Fraction(px), Fraction(py)) for px, py in outline.tolist()]
    for axis, sign, border in ((0, 1, x), (0, -1, -x - 1), (1, 1, y), (1, -1, -y - 1)):
        kept = []
        for a, b in zip(ring, ring[1:] + ring[:1], strict=True):
            before, after = sign * a[axis] - border, sign * b[axis] - border
            if before >= 0:
                kept.append(a)
            if before * after < 0:
                at = before / (before - after)
                kept.append((a[0] + at * (b[0] - a[0]), a[1] + at * (b[1] - a[1])))
        ring = kept
    pairs = zip(ring, ring[1:] + ring[:1], strict=True)
    return sum((a[0] * b[1] - a[1] * b[0] for a, b in pairs), Fraction(0)) / 2


def touched(outline: Outline, x: int, y: int) -> bool:
    """Whether the rectangle around any edge touches a pixel."""
    ends = np.stack((outline, np.roll(outline, -1, axis=0)))
    low, high = ends.min(axis=0), ends.max(axis=0)
    return bool(((low <= (x + 1, y + 1)) & (high >= (x, y))).all(axis=1).any())


@settings(max_examples=40, deadline=None)
@given(arrays.arrays(np.float64, (4, 2), elements=st.integers(0, 8).map(float)))
def test_pixels_are_those_of_which_anything_is_enclosed(outline: Outline) -> None:
    """Exactly, where no line is near; else but for what the roundings of lines take or add."""
    painted = whole(outline, 8, 8)
    for y in range(8):
        for x in range(8):
            area = abs(area_within(outline, x, y))
            if not touched(outline, x, y):
                assert painted[y, x] == (area > 0)
            elif area > Fraction(8, 256):
                assert painted[y, x]


def test_a_rectangle_has_its_pixels_and_no_others() -> None:
    painted = whole(np.array([[2, 1], [5, 1], [5, 4], [2, 4]], float), 8, 6)
    assert painted[1:4, 2:5].all()
    assert painted.sum() == 9


@pytest.mark.parametrize("cells", [1, 7, 64])
def test_bands_change_nothing(cells: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    outline = rng.integers(-9, 50, (40, 2)).astype(float)
    expected = whole(outline, 41, 37)
    monkeypatch.setattr(agg, "CELLS", cells)
    np.testing.assert_array_equal(whole(outline, 41, 37), expected)
    assert expected.any()
    assert not expected.all()


@pytest.mark.parametrize("away", [(-99, 0), (99, 0), (0, -99), (0, 99)])
def test_what_lies_outside_paints_nothing(away: tuple[int, int]) -> None:
    assert not whole(np.array([[1, 1], [9, 1], [5, 9]]) + np.array(away, float), 20, 20).any()


def test_what_encloses_the_image_paints_it_all() -> None:
    far = float(1 << 24)
    assert whole(np.array([[-far, -far], [far, -far], [far, far], [-far, far]]), 9, 7).all()
