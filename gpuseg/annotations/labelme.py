"""LabelMe JSON, of any version: one image a file.

By the files that labelme 3 to 6 write, and what `labelme.utils.shapes_to_label` (6.3.1) draws of
them: shapes in the order of the file, by Pillow, lines 10 pixels wide and points with a radius
of 5. `imageHeight` and `imageWidth` may be missing or null in files of old versions: then the
size is that of the image in the file (`imageData`) or beside it (`imagePath`).
"""

from __future__ import annotations

import base64
import binascii
import io
import math
import os
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

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
from gpuseg.annotations.format import Format, Outline
from gpuseg.annotations.image_sizes import size_beside
from gpuseg.discover import Source
from gpuseg.shapes import Bitmap, Box, Ellipse, Line, Part, Picture, Polygon, Shape

LINE_WIDTH = 10
POINT_RADIUS = 5


class LabelMe(Format):
    """The format."""

    name = "labelme"
    title = "LabelMe JSON"
    ignored = frozenset({"__ignore__"})
    background = frozenset({"_background_"})

    def recognises(self, outline: Outline) -> bool:
        """Shapes, and the image that they are of."""
        named = any(outline.has(key) for key in ("imagePath", "imageHeight", "imageData"))
        return outline.kind == "json" and named and outline.has("shapes")

    def read(self, source: Source, choices: ReadingChoices) -> Picture:
        """The shapes of one file."""
        value = object_of(json_of(source), "the file")
        shapes, bad, left_out = shapes_of(
            list_of(value.get("shapes"), "`shapes`"), partial(_shape, choices=choices)
        )
        width, height = size_of(
            value.get("imageWidth"),
            value.get("imageHeight"),
            choices,
            lambda: _size(value, source, choices),
        )
        return Picture(width, height, shapes, "pillow", bad, left_out)


def _size(value: Mapping[str, Any], source: Source, choices: ReadingChoices) -> tuple[int, int]:
    """The size of the image itself."""
    data, path = value.get("imageData"), value.get("imagePath")
    if isinstance(data, str):
        with _opened(data, "imageData") as image:
            return image.size
    name = path.replace("\\", "/") if isinstance(path, str) else os.path.basename(source.path)
    return size_beside(source, name, choices)


def _opened(data: str, what: str) -> Image.Image:
    """An image that stands in the JSON. Raises ShapeFaultError."""
    try:
        return Image.open(io.BytesIO(base64.b64decode(data, validate=True)))
    except (binascii.Error, ValueError, OSError, Image.DecompressionBombError) as error:
        raise ShapeFaultError(f"has a {what} that is no image in base64: {error}") from error


def _shape(value: Any, number: int, choices: ReadingChoices) -> Shape:
    if not isinstance(value, dict):
        raise ShapeFaultError(f"is no object: {shown(value)}")
    label = label_of(value.get("label"))
    kind = value.get("shape_type") or "polygon"  # as it is in files before version 4
    make = _PARTS.get(kind)
    if make is None:
        raise ShapeFaultError(f"is of a type that is not known: {shown(kind)}")
    group = value.get("group_id")
    if group is not None and not isinstance(group, (int, str)):
        raise ShapeFaultError(f"needs a number for group_id, got {shown(group)}")
    return Shape(label, (make(value, choices),), number, group)


def _polygon(value: Mapping[str, Any], choices: ReadingChoices) -> Part:
    return Polygon(points_of(value.get("points"), 3))


def _rectangle(value: Mapping[str, Any], choices: ReadingChoices) -> Part:
    (x0, y0), (x1, y1) = _two(value)
    return Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1))


def _circle(value: Mapping[str, Any], choices: ReadingChoices) -> Part:
    (x, y), (rim_x, rim_y) = _two(value)
    radius = math.sqrt((x - rim_x) ** 2 + (y - rim_y) ** 2)
    return Ellipse(x, y, radius, radius)


def _line(value: Mapping[str, Any], choices: ReadingChoices) -> Part:
    return Line(points_of(value.get("points"), 2), choices.line_width or LINE_WIDTH)


def _point(value: Mapping[str, Any], choices: ReadingChoices) -> Part:
    ((x, y),) = points_of(value.get("points"), 1)[:1].tolist()
    radius = POINT_RADIUS if choices.line_width is None else choices.line_width / 2
    return Ellipse(x, y, radius, radius)


def _mask(value: Mapping[str, Any], choices: ReadingChoices) -> Part:
    (x0, y0), (x1, y1) = np.trunc(_two(value)).astype(int).tolist()
    mask = _bitmap(value.get("mask"))
    if mask.shape != (y1 - y0 + 1, x1 - x0 + 1):
        raise ShapeFaultError(
            f"has a mask of {mask.shape[1]} x {mask.shape[0]} pixels for the corners "
            f"{x0},{y0} and {x1},{y1}"
        )
    return Bitmap(mask, x0, y0)


def _bitmap(data: object) -> NDArray[np.bool_]:
    if not isinstance(data, str):
        raise ShapeFaultError(f"needs an image in base64 for its mask, got {shown(data)}")
    with _opened(data, "mask") as image:
        if image.mode not in ("1", "L"):
            raise ShapeFaultError(f"has a mask of mode {image.mode}, and 1 or L was expected")
        try:
            marked: NDArray[np.bool_] = np.asarray(image) != 0
            return marked
        except (OSError, SyntaxError, ValueError) as error:
            raise ShapeFaultError(f"has a mask that is damaged: {error}") from error


def _two(value: Mapping[str, Any]) -> Any:
    points = points_of(value.get("points"), 2)
    if len(points) != 2:
        raise ShapeFaultError(f"needs 2 points, got {len(points)}")
    return points.tolist()


_PARTS: Mapping[str, Callable[[Mapping[str, Any], ReadingChoices], Part]] = {
    "polygon": _polygon,
    "oriented_rectangle": _polygon,
    "rectangle": _rectangle,
    "circle": _circle,
    "line": _line,
    "linestrip": _line,
    "point": _point,
    "points": _point,
    "mask": _mask,
}
