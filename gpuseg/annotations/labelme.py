"""LabelMe JSON, of any version: one image a file.

By the files that labelme 3 to 6 write, and what `labelme.utils.shapes_to_label` (6.3.1) draws of
them: shapes in the order of the file, by Pillow, lines 10 pixels wide and points with a radius
of 5. `imageHeight` and `imageWidth` may be missing or null in files of old versions: then the
size is that of the image in the file (`imageData`) or beside it (`imagePath`).
"""

from __future__ import annotations

import base64
import math
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.documents import json_of
from gpuseg.annotations.fields import (
    ShapeFaultError,
    label_of,
    list_of,
    object_of,
    points_of,
    shapes_of,
    shown,
    size_of,
)
from gpuseg.annotations.format import LINES, Format, Outline
from gpuseg.annotations.image_sizes import size_beside, size_in
from gpuseg.codecs.opening import opened
from gpuseg.discover import Source
from gpuseg.errors import AnnotationError, MaskError, MaskSizeError
from gpuseg.shapes import Box, Ellipse, Line, Part, Picture, Points, Polygon, Runs, Shape

LINE_WIDTH = 10
POINT_RADIUS = 5


class LabelMe(Format):
    """The format."""

    name = "labelme"
    title = "LabelMe JSON"
    ignored = frozenset({"__ignore__"})
    background = frozenset({"_background_"})
    leaves_open: ClassVar[frozenset[str]] = LINES

    def recognises(self, outline: Outline) -> bool:
        """Shapes, and the image that they are of."""
        named = any(outline.has(key) for key in ("imagePath", "imageHeight", "imageData"))
        return outline.kind == "json" and named and outline.has("shapes")

    def read(self, source: Source, choices: ReadingChoices) -> Picture:
        """The shapes of one file."""
        value = object_of(json_of(source), "the file")
        listed = list_of(value.get("shapes"), "`shapes`")
        width, height = size_of(
            value.get("imageWidth"),
            value.get("imageHeight"),
            choices,
            lambda: _size(value, source, choices),
        )
        read = partial(_shape, choices=choices, pixels=width * height)
        shapes, bad, left_out = shapes_of(listed, read)
        return Picture(width, height, shapes, "pillow", bad, left_out)


def _size(value: Mapping[str, Any], source: Source, choices: ReadingChoices) -> tuple[int, int]:
    """The size of the image itself."""
    data, path = value.get("imageData"), value.get("imagePath")
    if isinstance(data, str):
        try:
            return size_in(base64.b64decode(data, validate=True))
        except ValueError as error:
            raise AnnotationError(f"has imageData that is no base64: {error}; mend it") from error
    name = path.replace("\\", "/") if isinstance(path, str) else os.path.basename(source.path)
    return size_beside(source, name, choices)


def _shape(value: Any, number: int, choices: ReadingChoices, pixels: int) -> Shape:
    """pixels: of the image."""
    label = label_of(value.get("label"))
    kind = value.get("shape_type")
    kind = "polygon" if kind is None else kind  # as it is in files before version 4
    group = value.get("group_id")
    if group is not None and type(group) not in (int, str):
        raise ShapeFaultError(f"needs a whole number for group_id, got {shown(group)}")
    if kind == "mask":
        return Shape(label, (_mask(value, pixels),), number, group)
    make = _PARTS.get(kind) if isinstance(kind, str) else None
    if make is None:
        raise ShapeFaultError(f"is of a type that is not known: {shown(kind)}")
    return Shape(label, (make(value, choices),), number, group)


def _polygon(value: Mapping[str, Any], choices: ReadingChoices) -> Part:
    return Polygon(points_of(value.get("points"), 3))


def _rectangle(value: Mapping[str, Any], choices: ReadingChoices) -> Part:
    (x0, y0), (x1, y1) = _exactly(2, value).tolist()
    return Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))


def _circle(value: Mapping[str, Any], choices: ReadingChoices) -> Part:
    (x, y), (rim_x, rim_y) = _exactly(2, value).tolist()
    radius = math.sqrt((x - rim_x) ** 2 + (y - rim_y) ** 2)
    return Ellipse(x, y, radius, radius)


def _line(value: Mapping[str, Any], choices: ReadingChoices) -> Part:
    return Line(_exactly(2, value), choices.line_width or LINE_WIDTH)


def _linestrip(value: Mapping[str, Any], choices: ReadingChoices) -> Part:
    return Line(points_of(value.get("points"), 2), choices.line_width or LINE_WIDTH)


def _point(value: Mapping[str, Any], choices: ReadingChoices) -> Part:
    ((x, y),) = _exactly(1, value).tolist()
    radius = POINT_RADIUS if choices.line_width is None else choices.line_width / 2
    return Ellipse(x, y, radius, radius)


def _turned_rectangle(value: Mapping[str, Any], choices: ReadingChoices) -> Part:
    return Polygon(_exactly(4, value))


def _mask(value: Mapping[str, Any], pixels: int) -> Part:
    """pixels: of the image, and most of the mask."""
    corners = np.trunc(_exactly(2, value)).astype(int)
    mask = _bitmap(value.get("mask"), pixels)
    (x0, y0), (x1, y1) = corners.tolist()
    if mask.shape != (y1 - y0 + 1, x1 - x0 + 1):
        raise ShapeFaultError(
            f"has a mask of {mask.shape[1]} x {mask.shape[0]} pixels for the corners "
            f"{x0},{y0} and {x1},{y1}"
        )
    return Runs.of(mask, x0, y0)


def _bitmap(data: object, pixels: int) -> NDArray[np.bool_]:
    if not isinstance(data, str):
        raise ShapeFaultError(f"needs an image in base64 for its mask, got {shown(data)}")
    try:
        with opened(base64.b64decode(data, validate=True), pixels) as (image, _):
            mode = image.mode
            marked: NDArray[np.bool_] = np.asarray(image) != 0
    except MaskSizeError:
        raise ShapeFaultError(f"has a mask of more pixels than its image, {pixels:,}") from None
    except MaskError as error:
        raise ShapeFaultError(f"has a mask that {error}") from error
    except ValueError as error:
        raise ShapeFaultError(f"has a mask that is no base64: {error}") from error
    if mode not in ("1", "L"):
        raise ShapeFaultError(f"has a mask of mode {mode}, and 1 or L was expected")
    return marked


def _exactly(count: int, value: Mapping[str, Any]) -> Points:
    """As many vertices as labelme's own code asks for. Raises ShapeFaultError."""
    points = points_of(value.get("points"), count)
    if len(points) != count:
        raise ShapeFaultError(f"needs {count} points, got {len(points)}")
    return points


_PARTS: Mapping[str, Callable[[Mapping[str, Any], ReadingChoices], Part]] = {
    "polygon": _polygon,
    "oriented_rectangle": _turned_rectangle,
    "rectangle": _rectangle,
    "circle": _circle,
    "line": _line,
    "linestrip": _linestrip,
    "point": _point,
}
