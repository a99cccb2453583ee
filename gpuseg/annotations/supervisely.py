"""Supervisely JSON: one image a file, in the `ann` folder of a data set.

By Supervisely's documentation of the format (developer.supervisely.com, getting-started,
supervisely-annotation-format: images, objects, project-structure) and its SDK of 2026-08
(github.com/supervisely/supervisely, commit aa7ba99): `Annotation.draw` draws objects by OpenCV, in
the order of the file, and `PointLocation` takes the floor of coordinates, so that a vertex is a
pixel. Lines and points have an area of 0 there, and `to_nonoverlapping_masks` leaves them out, so
they are drawn where a line width is given only, and that by Pillow. Kinds whose pixels the
documents leave open (alpha masks, cuboids, three dimensions) cannot be drawn.
"""

from __future__ import annotations

import base64
import os
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.documents import json_of
from gpuseg.annotations.fields import (
    ShapeFaultError,
    label_of,
    list_of,
    number_of,
    object_of,
    points_of,
    shapes_of,
    shown,
    size_of,
)
from gpuseg.annotations.format import LINES, Format, Outline
from gpuseg.annotations.image_sizes import size_beside
from gpuseg.codecs.opening import opened
from gpuseg.discover import Source
from gpuseg.errors import AnnotationError, BrokenMaskError, MaskError
from gpuseg.shapes import Box, Ellipse, Line, Part, Picture, Points, Polygon, Runs, Shape

MOST_BYTES = 1 << 26
"""Bytes of the largest PNG of a bitmap, 64 MiB: zlib's stream could say any number."""

OTHER_FILES = frozenset({"meta.json", "key_id_map.json", "obj_class_to_machine_color.json"})
"""Of a project, besides annotations (project-structure)."""

OTHER_FOLDERS = frozenset({"meta", "img_info"})
"""Of a data set, whose JSON files are no annotations (project-structure)."""


class Supervisely(Format):
    """The format."""

    name = "supervisely"
    title = "Supervisely JSON"
    leaves_open: ClassVar[frozenset[str]] = LINES

    def recognises(self, outline: Outline) -> bool:
        """Objects, and the size of the image that they are in."""
        sized = {"width", "height"} <= outline.of("size")
        return outline.kind == "json" and sized and outline.has("objects")

    def takes(self, relative: str) -> bool:
        """Not what else a project has in JSON."""
        folder, name = os.path.split(relative)
        return name not in OTHER_FILES and os.path.basename(folder) not in OTHER_FOLDERS

    def read(self, source: Source, choices: ReadingChoices) -> Picture:
        """The objects of one file."""
        value = object_of(json_of(source), "the file")
        for key, what in _ELSEWHERE.items():
            if key in value:
                raise AnnotationError(f"holds annotations of {what}, and those of images are read")
        listed = list_of(value.get("objects"), "`objects`")
        size = object_of(value.get("size", {}), "`size`")
        width, height = size_of(
            size.get("width"),
            size.get("height"),
            choices,
            lambda: size_beside(source, f"../img/{_image(source.relative)}", choices),
        )
        read = partial(_shape, choices=choices, pixels=width * height)
        shapes, bad, left_out = shapes_of(listed, read)
        return Picture(width, height, shapes, "opencv", bad, left_out)


_ELSEWHERE = {"frames": "a video", "figures": "a point cloud", "planes": "a volume"}


def _image(relative: str) -> str:
    """The name of the image of an annotation file: that before its `.json`."""
    return os.path.splitext(os.path.basename(relative))[0]


def _shape(value: Any, number: int, choices: ReadingChoices, pixels: int) -> Shape | str:
    """pixels: of the image."""
    label = label_of(value.get("classTitle"))
    kind = value.get("geometryType", value.get("shape"))  # `shape` is older, Label.from_json
    if kind == "graph" or (kind in ("line", "point") and choices.line_width is None):
        return str(kind)
    instance = value.get("instance")
    if instance is not None and type(instance) not in (int, str):
        raise ShapeFaultError(f"needs a text for its instance, got {shown(instance)}")
    if kind == "bitmap":
        return Shape(label, (_bitmap(value.get("bitmap"), pixels),), number, instance)
    make = _PARTS.get(kind) if isinstance(kind, str) else None
    if make is None:
        raise ShapeFaultError(f"is of a type that cannot be drawn: {shown(kind)}")
    return Shape(label, make(value, choices.line_width or 1), number, instance)


def _floored(value: object, least: int = 1) -> Points:
    return np.floor(points_of(value, least))


def _exterior(value: Mapping[str, Any], least: int, most: int | None = None) -> Points:
    """The outer vertices of an object, as pixels: float64 (N, 2)."""
    points = value.get("points")
    if not isinstance(points, dict):
        raise ShapeFaultError(f"needs an object for its points, got {shown(points)}")
    found = _floored(points.get("exterior"), least)
    if most is not None and len(found) != most:
        raise ShapeFaultError(f"needs {most} points, got {len(found)}")
    return found


def _area(value: Mapping[str, Any]) -> Polygon:
    """What has `exterior` and `interior`. Fewer than three points are padded by the SDK, too."""
    holes = value.get("interior", [])
    if not isinstance(holes, list):
        raise ShapeFaultError(f"needs a list of holes, got {shown(holes)}")
    return Polygon(_floored(value.get("exterior")), tuple(_floored(hole) for hole in holes))


def _polygon(value: Mapping[str, Any], width: int) -> tuple[Part, ...]:
    points = value.get("points")
    if not isinstance(points, dict):
        raise ShapeFaultError(f"needs an object for its points, got {shown(points)}")
    return (_area(points),)


def _multipolygon(value: Mapping[str, Any], width: int) -> tuple[Part, ...]:
    parts = value.get("parts")
    if not isinstance(parts, list) or not all(isinstance(part, dict) for part in parts):
        raise ShapeFaultError(f"needs a list of parts, got {shown(parts)}")
    return tuple(_area(part) for part in parts)


def _rectangle(value: Mapping[str, Any], width: int) -> tuple[Part, ...]:
    (x0, y0), (x1, y1) = _exterior(value, 2, 2).tolist()
    return (Box(min(x0, x1), min(y0, y1), max(x0, x1), max(y0, y1)),)


def _turned(value: Mapping[str, Any], width: int) -> tuple[Part, ...]:
    """As `OrientedBBox`: points without `exterior`, an angle in radians, clockwise.

    Its centre and its turned corners are pixels, too.
    """
    points = _floored(value.get("points"), 2)
    if len(points) != 2:
        raise ShapeFaultError(f"needs 2 points, got {len(points)}")
    angle = number_of(value.get("angle"), "angle")
    (left, top), (right, bottom) = np.sort(points, axis=0).tolist()
    x, y = (left + right) // 2, (top + bottom) // 2
    corners = np.array([[left, top], [right, top], [right, bottom], [left, bottom]])
    across, down = corners[:, 0] - x, corners[:, 1] - y
    sine, cosine = np.sin(angle), np.cos(angle)
    turned = (across * cosine - down * sine + x, across * sine + down * cosine + y)
    return (Polygon(np.floor(np.column_stack(turned))),)


def _line(value: Mapping[str, Any], width: int) -> tuple[Part, ...]:
    return (Line(_exterior(value, 2), width),)


def _point(value: Mapping[str, Any], width: int) -> tuple[Part, ...]:
    ((x, y),) = _exterior(value, 1, 1).tolist()
    return (Ellipse(x, y, width / 2, width / 2),)


def _bitmap(value: object, pixels: int) -> Part:
    """A bitmap of at most as many pixels."""
    if not isinstance(value, dict):
        raise ShapeFaultError(f"needs an object for its bitmap, got {shown(value)}")
    ((left, top),) = _floored([value.get("origin")]).astype(int).tolist()
    data = value.get("data")
    if not isinstance(data, str):
        raise ShapeFaultError(f"needs a text for the data of its bitmap, got {shown(data)}")
    try:
        inflate = zlib.decompressobj()
        png = inflate.decompress(base64.b64decode(data, validate=True), MOST_BYTES)
        if not inflate.eof:
            raise ShapeFaultError(f"has a bitmap that breaks off, or of over {MOST_BYTES:,} bytes")
        with opened(png, pixels) as (image, _):
            return Runs.of(_set_pixels(image), left, top)
    except MaskError as error:
        raise ShapeFaultError(f"has a bitmap that {error}") from error
    except (ValueError, zlib.error) as error:
        raise ShapeFaultError(f"has a bitmap that is not in zlib and base64: {error}") from error


def _set_pixels(image: Image.Image) -> NDArray[np.bool_]:
    """By alpha (objects), else what is not 0 in grey (`Bitmap.base64_2_data`): bool (H, W)."""
    if image.has_transparency_data:
        alpha: NDArray[np.bool_] = np.asarray(image.convert("RGBA"))[..., 3] != 0
        return alpha
    if image.mode not in ("1", "L"):
        raise BrokenMaskError(f"has no transparency, and is of mode {image.mode}")
    grey: NDArray[np.bool_] = np.asarray(image) != 0
    return grey


_PARTS: Mapping[str, Callable[[Mapping[str, Any], int], tuple[Part, ...]]] = {
    "polygon": _polygon,
    "multipolygon": _multipolygon,
    "rectangle": _rectangle,
    "oriented_bbox": _turned,
    "line": _line,
    "point": _point,
}
