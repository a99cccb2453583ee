"""A picture drawn: which value each pixel gets, once all shapes lie over each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from gpuseg.drawing.agg_canvas import AggCanvas
from gpuseg.drawing.areas import area_of
from gpuseg.drawing.coco_canvas import CocoCanvas
from gpuseg.drawing.cvat_canvas import CvatCanvas
from gpuseg.drawing.opencv_canvas import OpencvCanvas
from gpuseg.drawing.pillow_canvas import PillowCanvas
from gpuseg.scratch import Take, fresh
from gpuseg.shapes import (
    Bitmap,
    Box,
    Convention,
    Ellipse,
    Line,
    Order,
    Part,
    Picture,
    Polygon,
    Runs,
    Shape,
)


class Canvas(Protocol):
    """Draws parts of shapes by the rules of one tool; what lies outside of the image is cut."""

    def polygon(self, part: Polygon, value: int) -> None:
        """Give its pixels a value; so with the others."""

    def box(self, part: Box, value: int) -> None: ...  # noqa: D102
    def ellipse(self, part: Ellipse, value: int) -> None: ...  # noqa: D102
    def line(self, part: Line, value: int) -> None: ...  # noqa: D102
    def runs(self, part: Runs, value: int) -> None: ...  # noqa: D102
    def bitmap(self, part: Bitmap, value: int) -> None: ...  # noqa: D102

    def values(self) -> NDArray[np.unsignedinteger]:
        """What was drawn: (H, W), C-contiguous."""


_CANVASES: Mapping[Convention, Callable[..., Canvas]] = {
    "pillow": PillowCanvas,
    "coco": CocoCanvas,
    "agg": AggCanvas,
    "opencv": OpencvCanvas,
    "cvat": CvatCanvas,
}

_METHODS: Mapping[type, str] = {
    Polygon: "polygon",
    Box: "box",
    Ellipse: "ellipse",
    Line: "line",
    Runs: "runs",
    Bitmap: "bitmap",
}


def draw(
    picture: Picture, order: Order, values: Sequence[int], ground: int, take: Take = fresh
) -> NDArray[np.unsignedinteger]:
    """The value of the uppermost shape of each pixel: uint8, uint16 or uint32 (H, W).

    values: of each shape of the picture, 0 and up. ground: of pixels that no shape covers.
    Of the same type for the same largest value. take: where memory for uint8 comes from.
    """
    dtype = np.min_scalar_type(max([ground, *values]))
    if picture.drawn is not None:
        return _chosen(np.array([ground, *values], dtype), picture.drawn)
    width, height = picture.width, picture.height
    canvas = _CANVASES[picture.convention](width, height, dtype, ground, take)
    for place in _ordered(picture.shapes, order):
        for part in picture.shapes[place].parts:
            _draw_part(canvas, part, values[place])
    return canvas.values()


def _chosen(
    values: NDArray[np.unsignedinteger], drawn: NDArray[np.unsignedinteger]
) -> NDArray[np.unsignedinteger]:
    """The value of each pixel by its number. Raises IndexError for a number that has none."""
    from gpuseg.kernels import tables

    if drawn.max(initial=0) >= len(values):
        raise IndexError(f"shape {drawn.max()} is drawn, and there are {len(values) - 1}")
    return tables.chosen(values, np.ascontiguousarray(drawn))


def _draw_part(canvas: Canvas, part: Part, value: int) -> None:
    method: Callable[[Any, int], None] = getattr(canvas, _METHODS[type(part)])
    method(part, value)


def _ordered(shapes: Sequence[Shape], order: Order) -> Sequence[int]:
    """In which order shapes are drawn: their places."""
    places = range(len(shapes))
    if order == "reverse":
        return places[::-1]
    if order == "area":
        return sorted(places, key=lambda place: -area_of(shapes[place]))
    if order == "z":
        return sorted(places, key=lambda place: shapes[place].z)
    return places
