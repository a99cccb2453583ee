"""Shapes drawn by Pillow, as LabelMe and Cityscapes do: what is drawn is what they would draw."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from gpuseg.drawing.outlines import box_corners, ellipse_outline, unpacked
from gpuseg.scratch import Take, fresh
from gpuseg.shapes import Bitmap, Box, Ellipse, Line, Points, Polygon, Runs


class PillowCanvas:
    """An image of `ground`. dtype: uint8, uint16 or uint32, of the values. take: see `draw`."""

    def __init__(
        self,
        width: int,
        height: int,
        dtype: np.dtype[np.unsignedinteger],
        ground: int,
        take: Take = fresh,
    ) -> None:
        self._dtype = dtype
        self._pixels: NDArray[np.uint8] | None = None
        if dtype.itemsize == 1:
            self._image, self._draw, self._pixels = _over(take(width * height), width, ground)
        else:
            self._image = Image.new("I", (width, height), ground)
            self._draw = ImageDraw.Draw(self._image)

    def polygon(self, part: Polygon, value: int) -> None:
        """All pixels that the outline touches or encloses; those of holes as they were."""
        if not part.holes:
            self._fill(self._draw, part.outline, value)
            return
        box = self._reach(part.outline)
        if box is None:
            return
        left, top, right, bottom = box
        mask = Image.new("1", (right - left, bottom - top))
        draw = ImageDraw.Draw(mask)
        corner = np.array([left, top], np.float64)
        self._fill(draw, np.trunc(part.outline) - corner, 1)
        for hole in part.holes:
            self._fill(draw, np.trunc(hole) - corner, 0)
        self._image.paste(value, box, mask)

    def box(self, part: Box, value: int) -> None:
        """All pixels from corner to corner, both of them, too; turned, as a polygon."""
        if part.rotation:
            self._fill(self._draw, box_corners(part), value)
        else:
            corners = (part.left, part.top, part.right, part.bottom)
            self._draw.rectangle(corners, fill=value, outline=value)

    def ellipse(self, part: Ellipse, value: int) -> None:
        """As ImageDraw.ellipse between the corners around it; turned, as a polygon."""
        if part.rotation:
            self._fill(self._draw, ellipse_outline(part), value)
        else:
            corners = (part.x - part.rx, part.y - part.ry, part.x + part.rx, part.y + part.ry)
            self._draw.ellipse(corners, fill=value, outline=value)

    def line(self, part: Line, value: int) -> None:
        """As ImageDraw.line; joints stay as they are."""
        self._draw.line(part.points.ravel().tolist(), fill=value, width=part.width)

    def runs(self, part: Runs, value: int) -> None:
        """The pixels that are 1."""
        self.bitmap(unpacked(part), value)

    def bitmap(self, part: Bitmap, value: int) -> None:
        """The pixels that are set; those outside of the image are left out."""
        self._image.paste(value, (part.left, part.top), Image.fromarray(part.mask))

    def values(self) -> NDArray[np.unsignedinteger]:
        """What was drawn: (H, W)."""
        if self._pixels is not None:
            return self._pixels
        return np.asarray(self._image).astype(self._dtype, copy=False)

    def _fill(self, draw: ImageDraw.ImageDraw, outline: Points, value: int) -> None:
        points = outline.ravel().tolist()
        if len(points) < 4:  # which Pillow refuses
            draw.point(points, fill=value)
        else:
            draw.polygon(points, fill=value)

    def _reach(self, outline: Points) -> tuple[int, int, int, int] | None:
        """The part of the image that an outline may touch, None for nothing of it."""
        left, top = (max(0, math.floor(v) - 1) for v in outline.min(axis=0).tolist())
        ends = outline.max(axis=0).tolist()
        right, bottom = (
            min(side, math.floor(v) + 2) for v, side in zip(ends, self._image.size, strict=True)
        )
        return (left, top, right, bottom) if left < right and top < bottom else None


def _over(
    memory: NDArray[np.uint8], width: int, ground: int
) -> tuple[Image.Image, ImageDraw.ImageDraw, NDArray[np.uint8] | None]:
    """An image that lies in memory of ours, and its pixels: an array of it would be a copy.

    None for the pixels where Pillow has made a copy to draw in.
    """
    memory.fill(ground)
    pixels = memory.reshape(-1, width)
    image = Image.frombuffer("L", (width, len(pixels)), memory, "raw", "L", 0, 1)
    image.readonly = 0  # it may be drawn in, for nobody else has the memory
    shared = image.im
    draw = ImageDraw.Draw(image)
    return image, draw, pixels if image.im is shared else None
