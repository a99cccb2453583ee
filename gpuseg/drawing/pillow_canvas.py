"""Shapes drawn by Pillow, as LabelMe and Cityscapes do: what is drawn is what they would draw.

Polygons are painted by a kernel with the rules of Pillow, for Pillow itself looks at each edge in
each row.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from gpuseg.drawing.array_canvas import ArrayCanvas
from gpuseg.drawing.outlines import box_corners, ellipse_outline, unpacked
from gpuseg.shapes import Bitmap, Box, Ellipse, Line, Points, Polygon, Runs

Ink = int | tuple[int, ...]

Drawing = Callable[[ImageDraw.ImageDraw, Any], None]
"""Draws a shape with an `Ink`."""

_MODES = {1: "L", 2: "I;16", 4: "RGBA"}
"""By bytes of a pixel. Pillow has no mode for what is uint32 that draws in the memory of others,
but draws the four bytes of a colour as they are."""


class PillowCanvas(ArrayCanvas):
    """An image of `ground`, as `ArrayCanvas`."""

    def polygon(self, part: Polygon, value: int) -> None:
        """All pixels that the outline touches or encloses; those of holes as they were."""
        if not part.holes:
            self._fill(part.outline, value)
            return
        box = self._reach(part.outline)
        if box is None:
            return
        left, top, right, bottom = box
        mask = PillowCanvas(right - left, bottom - top, np.dtype(np.uint8), 0)
        corner = np.array([left, top], np.float64)
        mask._fill(np.trunc(part.outline) - corner, 1)
        for hole in part.holes:
            mask._fill(np.trunc(hole) - corner, 0)
        self.bitmap(Bitmap(mask._pixels.view(np.bool_), left, top), value)

    def box(self, part: Box, value: int) -> None:
        """All pixels from corner to corner, both of them, too; turned, as a polygon."""
        if part.rotation:
            self._fill(box_corners(part), value)
            return
        corners = (part.left, part.top, part.right, part.bottom)
        self._draw(lambda draw, ink: draw.rectangle(corners, fill=ink, outline=ink), value)

    def ellipse(self, part: Ellipse, value: int) -> None:
        """As ImageDraw.ellipse between the corners around it; turned, as a polygon."""
        if part.rotation:
            self._fill(ellipse_outline(part), value)
            return
        corners = (part.x - part.rx, part.y - part.ry, part.x + part.rx, part.y + part.ry)
        self._draw(lambda draw, ink: draw.ellipse(corners, fill=ink, outline=ink), value)

    def line(self, part: Line, value: int) -> None:
        """As ImageDraw.line; joints stay as they are."""
        points = part.points.ravel().tolist()
        self._draw(lambda draw, ink: draw.line(points, fill=ink, width=part.width), value)

    def runs(self, part: Runs, value: int) -> None:
        """The pixels that are 1."""
        self.bitmap(unpacked(part), value)

    def _fill(self, outline: Points, value: int) -> None:
        if len(outline) > 1:
            self._kernel(np.ascontiguousarray(outline), value, self._pixels)
        else:  # which ImageDraw.polygon refuses
            points = outline.ravel().tolist()
            self._draw(lambda draw, ink: draw.point(points, fill=ink), value)

    @cached_property
    def _kernel(self) -> Callable[[Points, int, NDArray[np.unsignedinteger]], None]:
        """The kernel: numba is loaded on use, and not looked for with each polygon."""
        from gpuseg.kernels.pillow_polygons import paint_polygon

        return paint_polygon

    def _draw(self, drawing: Drawing, value: int) -> None:
        """Have Pillow draw, in our memory where it can."""
        if self._over is not None:
            drawing(self._over, self._ink(value))
            return
        height, width = self._pixels.shape
        mask = Image.new("L", (width, height))
        drawing(ImageDraw.Draw(mask), 1)
        self.bitmap(Bitmap(np.asarray(mask).view(np.bool_), 0, 0), value)

    def _ink(self, value: int) -> Ink:
        """A value as Pillow takes it for our pixels."""
        return tuple(value.to_bytes(4, "little")) if self._pixels.itemsize == 4 else value

    @cached_property
    def _over(self) -> ImageDraw.ImageDraw | None:
        """What draws in our pixels; None where Pillow would make a copy to draw in."""
        if sys.byteorder != "little" and self._pixels.itemsize > 1:
            return None
        height, width = self._pixels.shape
        mode, memory = _MODES[self._pixels.itemsize], self._pixels.reshape(-1)
        image = Image.frombuffer(mode, (width, height), memory, "raw", mode, 0, 1)
        image.readonly = 0  # it may be drawn in, for nobody else has the memory
        shared = image.im
        draw = ImageDraw.Draw(image)
        return draw if image.im is shared else None
