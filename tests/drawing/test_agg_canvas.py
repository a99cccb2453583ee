"""Drawing by the rules of matplotlib's Agg."""

from __future__ import annotations

import numpy as np
import pytest

from gpuseg.drawing.agg_canvas import AggCanvas
from gpuseg.shapes import Bitmap, Box, Line, Polygon


def square(left: float, top: float, right: float, bottom: float) -> np.ndarray:
    return np.array([[left, top], [right, top], [right, bottom], [left, bottom]], float)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.uint32])
def test_polygons_have_holes(dtype: type) -> None:
    top = int(np.iinfo(dtype).max) if dtype != np.uint32 else 1 << 20
    canvas = AggCanvas(12, 9, np.dtype(dtype), 1)
    canvas.polygon(Polygon(square(1, 1, 9, 8), (square(3, 3, 5, 5), square(7, 0, 20, 3))), top)
    expected = np.full((9, 12), 1, dtype)
    expected[1:8, 1:9] = top
    expected[3:5, 3:5] = expected[1:3, 7:9] = 1
    drawn = canvas.values()
    assert drawn.dtype == dtype
    np.testing.assert_array_equal(drawn, expected)


def test_what_lies_outside_is_cut() -> None:
    canvas = AggCanvas(5, 4, np.dtype(np.uint8), 0)
    canvas.polygon(Polygon(square(-9, 2, 99, 50)), 7)
    canvas.polygon(Polygon(square(9, 9, 20, 20)), 8)
    np.testing.assert_array_equal(canvas.values(), [[0] * 5] * 2 + [[7] * 5] * 2)


def test_other_parts_are_as_by_coco() -> None:
    canvas = AggCanvas(6, 4, np.dtype(np.uint8), 0)
    canvas.box(Box(0, 0, 2, 2), 1)
    canvas.line(Line(np.array([[3, 0], [3, 3]], float), 1), 2)
    canvas.bitmap(Bitmap(np.ones((1, 2), bool), 4, 3), 3)
    expected = [[1, 1, 0, 2, 0, 0], [1, 1, 0, 2, 0, 0], [0, 0, 0, 2, 0, 0], [0, 0, 0, 2, 3, 3]]
    np.testing.assert_array_equal(canvas.values(), expected)
