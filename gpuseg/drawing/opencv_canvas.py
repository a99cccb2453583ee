"""Shapes drawn by the rules of OpenCV, as Supervisely's SDK does."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gpuseg.drawing.pillow_canvas import PillowCanvas
from gpuseg.shapes import Bitmap, Points, Polygon


class OpencvCanvas(PillowCanvas):
    """An image of `ground`, as `ArrayCanvas`.

    Polygons and upright boxes are as OpenCV has them, where vertices are whole pixels. Lines and
    points have the width that the user wants, and are Pillow's.
    """

    def polygon(self, part: Polygon, value: int) -> None:
        """As `cv2.fillPoly`; the pixels of its holes as they were, of what is in two not."""
        box = self._reach(part.outline)
        if box is None:
            return
        left, top, right, bottom = box
        mask = np.zeros((bottom - top, right - left), np.uint8)
        self._paint([part.outline], 1, mask, (left, top))
        if part.holes:
            self._paint(part.holes, 0, mask, (left, top))
        self.bitmap(Bitmap(mask.view(np.bool_), left, top), value)

    def _paint(
        self, outlines: Sequence[Points], value: int, mask: np.ndarray, corner: tuple[int, int]
    ) -> None:
        from gpuseg.kernels.opencv import paint_polygons

        height, width = self._pixels.shape
        paint_polygons(outlines, value, mask, corner, (width, height))
