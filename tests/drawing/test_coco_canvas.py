"""Each kind of part by the rules of pycocotools."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import ArrayLike, NDArray
from PIL import Image, ImageDraw
from pycocotools import mask as pycocotools

from gpuseg.drawing.coco_canvas import CocoCanvas
from gpuseg.drawing.draw import draw
from gpuseg.shapes import Bitmap, Box, Ellipse, Line, Picture, Polygon, Runs, Shape
from tests import pycocotools_judge
from tests.kernels.polygons import OUTLINES, Outline

HEIGHT, WIDTH = 34, 41


def canvas() -> CocoCanvas:
    return CocoCanvas(WIDTH, HEIGHT, np.dtype(np.uint8), 3)


def drawn(paint: CocoCanvas) -> NDArray[np.bool_]:
    values = paint.values()
    assert values.shape == (HEIGHT, WIDTH)
    assert values.flags.c_contiguous
    assert np.isin(values, [3, 8]).all()
    return values == 8


def judged(points: ArrayLike) -> NDArray[np.bool_]:
    return pycocotools_judge.polygon(points, HEIGHT, WIDTH)


def array(points: Outline) -> NDArray[np.float64]:
    return np.array(points, np.float64).reshape(-1, 2)


@settings(max_examples=100)
@given(outline=OUTLINES, hole=OUTLINES, other=OUTLINES)
def test_holes_are_what_they_cover(outline: Outline, hole: Outline, other: Outline) -> None:
    paint = canvas()
    paint.polygon(Polygon(array(outline), (array(hole), array(other))), 8)
    plain = []
    for points in (outline, hole, other):
        alone = canvas()
        alone.polygon(Polygon(array(points)), 8)
        plain.append(drawn(alone))
    np.testing.assert_array_equal(drawn(paint), plain[0] & ~plain[1] & ~plain[2])


def test_points_of_any_layout_in_memory() -> None:
    points = np.array([[3, 30, 12], [4, 9, 30]], np.float64).T
    paint = canvas()
    paint.polygon(Polygon(points), 8)
    np.testing.assert_array_equal(drawn(paint), judged(points))


@pytest.mark.parametrize("box", [(3.3, 4, 20.5, 30), (-9, -9, 90, 12.5), (50, 2, 60, 9)])
def test_a_box_is_that_of_pycocotools(box: tuple[float, float, float, float]) -> None:
    left, top, right, bottom = box
    paint = canvas()
    paint.box(Box(left, top, right, bottom), 8)
    (runs,) = pycocotools.frPyObjects(
        np.array([[left, top, right - left, bottom - top]], np.float64), HEIGHT, WIDTH
    )
    np.testing.assert_array_equal(drawn(paint), pycocotools_judge.decoded(runs))


def test_a_turned_box_is_a_polygon() -> None:
    paint = canvas()
    paint.box(Box(5, 10, 25, 20, 90), 8)
    np.testing.assert_array_equal(drawn(paint), judged([(20, 5), (20, 25), (10, 25), (10, 5)]))


def test_an_ellipse_is_nearly_what_its_formula_says() -> None:
    paint = canvas()
    paint.ellipse(Ellipse(20, 17, 15, 10), 8)
    y, x = np.mgrid[:HEIGHT, :WIDTH] + 0.5
    inside = ((x - 20) / 15) ** 2 + ((y - 17) / 10) ** 2 <= 1
    assert np.count_nonzero(drawn(paint) != inside) < 40
    angles = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    outline = np.column_stack((20 + 15 * np.cos(angles), 17 + 10 * np.sin(angles)))
    np.testing.assert_array_equal(drawn(paint), judged(outline))


@settings(max_examples=100)
@given(points=st.lists(st.tuples(st.integers(-60, 90), st.floats(-60, 90)), min_size=2, max_size=5),
       width=st.integers(1, 12))  # fmt: skip
def test_a_line_is_that_of_pillow(points: Outline, width: int) -> None:
    paint = canvas()
    paint.line(Line(array(points), width), 8)
    image = Image.new("L", (WIDTH, HEIGHT))
    ImageDraw.Draw(image).line(array(points).ravel().tolist(), fill=1, width=width)
    np.testing.assert_array_equal(drawn(paint), np.asarray(image) == 1)


@pytest.mark.parametrize(("left", "top"), [(2, 3), (-2, -3), (39, 32), (-50, 0), (0, 50)])
def test_bitmaps_and_runs_are_cut_at_the_image(left: int, top: int) -> None:
    mask = np.random.default_rng(0).random((6, 9)) < 0.5
    want = np.zeros((HEIGHT + 100, WIDTH + 100), np.bool_)
    want[50 + top : 56 + top, 50 + left : 59 + left] = mask
    want = want[50 : 50 + HEIGHT, 50 : 50 + WIDTH]
    of_bitmap, by_column, by_row = canvas(), canvas(), canvas()
    of_bitmap.bitmap(Bitmap(mask, left, top), 8)
    columns = counts_of(mask)
    rows = counts_of(mask.T)
    by_column.runs(Runs(columns, left, top, 9, 6, by_column=True), 8)
    by_row.runs(Runs(rows, left, top, 9, 6, by_column=False), 8)
    for paint in (of_bitmap, by_column, by_row):
        np.testing.assert_array_equal(drawn(paint), want)


def counts_of(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Runs down the columns, by where they change."""
    flat = np.concatenate(([False], mask.T.ravel()))
    changes = np.flatnonzero(np.diff(flat))
    return np.diff(changes, prepend=0, append=mask.size)


def test_later_shapes_lie_over_earlier_ones() -> None:
    parts = (Polygon(array([(1, 1), (20, 1), (20, 20), (1, 20)])), Box(10, 10, 30, 30))
    shapes = tuple(Shape("a", (part,), number) for number, part in enumerate(parts, 1))
    values = draw(Picture(WIDTH, HEIGHT, shapes, "coco"), "file", [1, 300], 0)
    assert values.dtype == np.uint16
    assert values[15, 15] == 300
    assert values[5, 5] == 1
    assert draw(Picture(WIDTH, HEIGHT, shapes, "coco"), "reverse", [1, 300], 0)[15, 15] == 1
