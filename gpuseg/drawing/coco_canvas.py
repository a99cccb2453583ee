"""Shapes drawn by the rules of pycocotools, as COCO, CVAT and Datumaro have them.

Which pixels a polygon covers: `kernels.reference_polygons`. Boxes and ellipses are polygons, as in
Datumaro (1.13, `datumaro.util.mask_tools`), by which CVAT exports masks.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gpuseg.drawing.array_canvas import ArrayCanvas
from gpuseg.drawing.outlines import box_corners, ellipse_outline
from gpuseg.drawing.pillow_canvas import PillowCanvas
from gpuseg.scratch import Scratch
from gpuseg.shapes import Bitmap, Box, Ellipse, Line, Points, Polygon, Runs

_marks = Scratch()


class CocoCanvas(ArrayCanvas):
    """An image of `ground`, as `ArrayCanvas`."""

    @cached_property
    def _marks(self) -> NDArray[np.uint8]:
        """Memory for a mark a pixel, 0 whenever a kernel begins and ends."""
        return _marks.take(self._pixels.size)

    def polygon(self, part: Polygon, value: int) -> None:
        """The pixels that the outline covers; those that holes cover as they were."""
        if not part.holes:
            self._fill(part.outline, value)
            return
        height, width = self._pixels.shape
        mask = type(self)(width, height, np.dtype(np.uint8), 0)
        mask._fill(part.outline, 1)
        for hole in part.holes:
            mask._fill(hole, 0)
        np.copyto(self._pixels, self._pixels.dtype.type(value), where=mask._pixels.view(np.bool_))

    def box(self, part: Box, value: int) -> None:
        """The polygon of its four corners."""
        self._fill(box_corners(part), value)

    def ellipse(self, part: Ellipse, value: int) -> None:
        """The polygon of `outlines.ellipse_outline`."""
        self._fill(ellipse_outline(part), value)

    def line(self, part: Line, value: int) -> None:
        """As Pillow draws it: pycocotools knows no lines, and Datumaro draws none."""
        points = np.trunc(part.points)  # as Pillow does; so they may be moved by whole pixels
        height, width = self._pixels.shape
        reach = part.width + 1
        left, top = (max(0, int(v) - reach) for v in points.min(axis=0).tolist())
        right, bottom = (
            min(side, int(v) + reach + 1)
            for v, side in zip(points.max(axis=0).tolist(), (width, height), strict=True)
        )
        if left < right and top < bottom:
            canvas = PillowCanvas(right - left, bottom - top, np.dtype(np.uint8), 0)
            canvas.line(Line(points - np.array([left, top]), part.width), 1)
            self.bitmap(Bitmap(canvas.values() != 0, left, top), value)

    def runs(self, part: Runs, value: int) -> None:
        """The pixels that are 1; those outside of the image are left out."""
        from gpuseg.kernels.painting_runs import paint_columns, paint_rows

        place = (part.left, part.top, part.width, part.height)
        if part.by_column:
            paint_columns(part.counts, place, value, self._pixels, self._marks)
        else:
            paint_rows(part.counts, place, value, self._pixels)

    def _fill(self, outline: Points, value: int) -> None:
        from gpuseg.kernels.polygons import paint_polygon

        paint_polygon(np.ascontiguousarray(outline), value, self._pixels, self._marks)
