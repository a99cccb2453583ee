"""Shapes drawn as CVAT draws them when it exports masks: by pycocotools, but ellipses by OpenCV.

By `dataset_manager/formats/transformations.py` (`EllipsesToMasks`): centre and half axes are
rounded to whole pixels, halves to the even one, and OpenCV rounds the angle to whole degrees.
"""

from __future__ import annotations

from gpuseg.drawing.coco_canvas import CocoCanvas
from gpuseg.drawing.opencv_ellipses import filled_ellipse
from gpuseg.shapes import Ellipse


class CvatCanvas(CocoCanvas):
    """An image of `ground`, as CocoCanvas."""

    def ellipse(self, part: Ellipse, value: int) -> None:
        """As `cv2.ellipse`, filled."""
        height, width = self._pixels.shape
        centre, axes = (round(part.x), round(part.y)), (round(part.rx), round(part.ry))
        found = filled_ellipse(centre, axes, round(part.rotation), (width, height))
        if found is not None:
            self.bitmap(found, value)
