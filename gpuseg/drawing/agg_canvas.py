"""Polygons drawn as matplotlib does without smoothing edges, as in the toolkits of BDD100K."""

from __future__ import annotations

from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from gpuseg.drawing.coco_canvas import CocoCanvas
from gpuseg.shapes import Points


class AggCanvas(CocoCanvas):
    """An image of `ground`, as `CocoCanvas`, which paints all but polygons.

    Of those, all pixels of which the outline encloses a 256th or more.
    """

    @cached_property
    def _cells(self) -> NDArray[np.int64]:
        """Memory of the kernel, for a row of the image."""
        from gpuseg.kernels.agg import cells_for

        return cells_for(self._pixels.shape[1])

    def _fill(self, outline: Points, value: int) -> None:
        from gpuseg.kernels.agg import paint_polygon

        paint_polygon(outline, value, self._pixels, self._cells)
