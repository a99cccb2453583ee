"""Shapes drawn as Supervisely's SDK draws them, against OpenCV."""

from __future__ import annotations

import cv2
import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from gpuseg.drawing.opencv_canvas import OpencvCanvas
from gpuseg.shapes import Box, Polygon

COORDINATE = st.integers(-12, 50)
OUTLINE = st.lists(st.tuples(COORDINATE, COORDINATE), min_size=1, max_size=8)
SIDE = st.integers(1, 40)


@given(OUTLINE, st.lists(OUTLINE, max_size=3), SIDE, SIDE)
def test_holes(
    outline: list[tuple[int, int]], holes: list[list[tuple[int, int]]], height: int, width: int
) -> None:
    mask = np.zeros((height, width), np.uint8)
    cv2.fillPoly(mask, pts=[np.array(outline, np.int32)], color=1)
    cv2.fillPoly(mask, pts=[np.array(hole, np.int32) for hole in holes], color=0)
    canvas = OpencvCanvas(width, height, np.dtype(np.uint16), 300)
    part = Polygon(np.array(outline, np.float64), tuple(np.array(h, np.float64) for h in holes))
    canvas.polygon(part, 7)
    assert np.array_equal(canvas.values(), np.where(mask == 1, 7, 300))


@given(COORDINATE, COORDINATE, COORDINATE, COORDINATE)
def test_boxes_hold_both_corners(x0: int, y0: int, x1: int, y1: int) -> None:
    (left, right), (top, bottom) = sorted((x0, x1)), sorted((y0, y1))
    mask = np.zeros((30, 40), np.uint8)
    cv2.rectangle(mask, (left, top), (right, bottom), 1, cv2.FILLED)
    canvas = OpencvCanvas(40, 30, np.dtype(np.uint8), 0)
    canvas.box(Box(left, top, right, bottom), 1)
    assert np.array_equal(canvas.values(), mask)
