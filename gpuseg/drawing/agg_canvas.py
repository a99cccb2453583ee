"""Polygons drawn as matplotlib does without smoothing edges, as in the toolkits of BDD100K."""

from __future__ import annotations

import numpy as np

from gpuseg.drawing.coco_canvas import CocoCanvas
from gpuseg.scratch import Take, fresh
from gpuseg.shapes import Points


class AggCanvas(CocoCanvas):
    """An image of `ground`, as `CocoCanvas`, which paints all but polygons.

    Of those, all pixels of which the outline encloses a 256th or more.
    """

    def __init__(
        self,
        width: int,
        height: int,
        dtype: np.dtype[np.unsignedinteger],
        ground: int,
        take: Take = fresh,
    ) -> None:
        from gpuseg.kernels.agg import cells_for

        super().__init__(width, height, dtype, ground, take)
        self._cells = cells_for(width)

    def _fill(self, outline: Points, value: int) -> None:
        from gpuseg.kernels.agg import paint_polygon

        paint_polygon(outline, value, self._pixels, self._cells)
