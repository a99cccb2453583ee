"""What canvases share: an image that is an array, in which bitmaps are painted."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from gpuseg.scratch import Take, fresh
from gpuseg.shapes import Bitmap, Points


class ArrayCanvas:
    """An image of `ground`. dtype: uint8, uint16 or uint32, of the values. take: see `draw`."""

    def __init__(
        self,
        width: int,
        height: int,
        dtype: np.dtype[np.unsignedinteger],
        ground: int,
        take: Take = fresh,
    ) -> None:
        self._pixels: NDArray[np.unsignedinteger]
        if dtype.itemsize == 1:
            self._pixels = take(height * width).reshape(height, width)
            self._pixels.fill(ground)
        else:
            self._pixels = np.full((height, width), ground, dtype)

    def bitmap(self, part: Bitmap, value: int) -> None:
        """The pixels that are set; those outside of the image are left out."""
        height, width = part.mask.shape
        left, top = max(part.left, 0), max(part.top, 0)
        window = self._pixels[top : max(0, part.top + height), left : max(0, part.left + width)]
        down, across = top - part.top, left - part.left
        mask = part.mask[down : down + window.shape[0], across : across + window.shape[1]]
        np.copyto(window, window.dtype.type(value), where=mask)

    def values(self) -> NDArray[np.unsignedinteger]:
        """What was drawn: (H, W)."""
        return self._pixels

    def _reach(self, outline: Points) -> tuple[int, int, int, int] | None:
        """The part of the image that an outline may touch, None for nothing of it."""
        height, width = self._pixels.shape
        left, top = (max(0, math.floor(v) - 1) for v in outline.min(axis=0).tolist())
        ends = outline.max(axis=0).tolist()
        right, bottom = (
            min(side, math.floor(v) + 2) for v, side in zip(ends, (width, height), strict=True)
        )
        return (left, top, right, bottom) if left < right and top < bottom else None
