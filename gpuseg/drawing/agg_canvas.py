"""Polygons drawn as matplotlib does without smoothing edges, as in the toolkits of BDD100K."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gpuseg.drawing.pillow_canvas import PillowCanvas
from gpuseg.shapes import Points, Polygon


class AggCanvas(PillowCanvas):
    """An image of `ground`, as `PillowCanvas`, which draws all but polygons."""

    def polygon(self, part: Polygon, value: int) -> None:
        """All pixels of which the outline encloses a 256th or more, and the holes do not."""
        mask, top, left = self._painted(part.outline)
        if part.holes:
            whole = np.zeros(self._image.size[::-1], np.bool_)
            for hole in part.holes:
                inner, row, column = self._painted(hole)
                whole[row : row + len(inner), column : column + inner.shape[1]] |= inner
            mask &= ~whole[top : top + len(mask), left : left + mask.shape[1]]
        if mask.size:
            self._image.paste(value, (left, top), Image.fromarray(mask))

    def _painted(self, outline: Points) -> tuple[NDArray[np.bool_], int, int]:
        from gpuseg.kernels.agg import painted

        return painted(outline, *self._image.size)
