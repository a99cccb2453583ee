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
        mask, top = self._painted(part.outline)
        for hole in part.holes:
            inner, first = self._painted(hole)
            begin, end = max(top, first), min(top + len(mask), first + len(inner))
            if begin < end:
                mask[begin - top : end - top] &= ~inner[begin - first : end - first]
        if mask.size:
            self._image.paste(value, (0, top), Image.fromarray(mask))

    def _painted(self, outline: Points) -> tuple[NDArray[np.bool_], int]:
        from gpuseg.kernels.agg import painted

        return painted(outline, *self._image.size)
