"""VGG Image Annotator (VIA), versions 1 and 2: annotations as JSON, or a project.

By VIA's own documents (gitlab.com/vgg/via, via-2.x.y/CodeDoc.md, "Description of VIA Project JSON
File") and what its version 2.0.10 writes (src/via.js): images by an id of their own, with
`regions`, a list in version 2 and an object in version 1. Ellipses are turned by `theta` radians,
clockwise. Files do not say how large images are.

VIA draws no masks. What it has is an export to COCO, by which shapes are drawn here: a rectangle
covers width x height pixels, and circles and ellipses are polygons of 72 vertices in thousandths of
a pixel (via.js, `via_region_shape_to_coco_annotation`). Points and polylines are drawn where a line
width is given only.

A region's class is the value of one of its attributes, of a dropdown or checkbox the id of the
option, which is what the file has.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any, ClassVar

import numpy as np

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.documents import json_of, open_file
from gpuseg.annotations.fields import (
    ShapeFaultError,
    checked,
    label_of,
    list_of,
    number_of,
    object_of,
    paired_points,
    shapes_of,
    shown,
    size_of,
)
from gpuseg.annotations.format import LINES, Album, Format, Outline, Record
from gpuseg.annotations.image_sizes import size_beside
from gpuseg.annotations.json_elements import Element, elements
from gpuseg.discover import Source
from gpuseg.errors import AnnotationError
from gpuseg.shapes import Box, Ellipse, Line, Part, Picture, Points, Polygon, Shape

STEP = 5
"""Degrees from vertex to vertex of what is round (`VIA_POLYGON_SEGMENT_SUBTENDED_ANGLE`)."""

DIGITS = 3
"""Of fractions of a pixel (`VIA_FLOAT_PRECISION`)."""

_METADATA = "_via_img_metadata"
_IMAGE = frozenset({"filename", "regions", "file_attributes"})
_VERSION_3 = ("project", "config", "attribute", "file", "metadata")


class Via(Format):
    """The format."""

    name = "via"
    title = "VGG Image Annotator JSON"
    holds_many = True
    leaves_open: ClassVar[frozenset[str]] = LINES | {"label_key"}

    def recognises(self, outline: Outline) -> bool:
        """A project of version 2 or 3, or images with regions by their ids."""
        if outline.kind != "json":
            return False
        project = any(key.startswith("_via_") for key in outline.keys)
        images = any(key and keys >= _IMAGE for key, keys in outline.keys.items())
        return project or images or outline.has(*_VERSION_3)

    def album(self, path: str, choices: ReadingChoices) -> Album:
        """The images of one file."""
        return _Images(path, choices.label_key)

    def read(self, source: Source, choices: ReadingChoices) -> Picture:
        """The regions of one image."""
        key, name, regions = json_of(source)
        width, height = size_of(None, None, choices, lambda: size_beside(source, name, choices))
        shapes, bad, left_out = shapes_of(
            list_of(regions, "`regions`"), partial(_shape, key=key, choices=choices)
        )
        return Picture(width, height, shapes, "coco", bad, left_out)


class _Images:
    """The images of one file. Memory: their names, and the largest of them."""

    def __init__(self, path: str, label_key: str | None) -> None:
        self._path = path
        self._names: list[str] = []
        keys: dict[str, None] = {}
        for image in self._images():
            self._names.append(_name(image))
            for region in _regions(image):
                if isinstance(region, dict) and isinstance(
                    attributes := region.get("region_attributes"), dict
                ):
                    keys |= dict.fromkeys(attributes)
        self._key = label_key or _only(list(keys))

    def names(self) -> Iterator[str]:
        return iter(self._names)

    def __iter__(self) -> Iterator[Record]:
        for image in self._images():
            name = _name(image)
            yield Record(name, json.dumps([self._key, name, _regions(image)]).encode())

    def _images(self) -> Iterator[Mapping[str, Any]]:
        """What the file says of each image."""
        with open_file(self._path) as file:
            for element in elements(file, {_METADATA}):
                if _is_image(element):
                    yield object_of(element.raw, f"image {element.name or element.key!r}")


def _is_image(element: Element) -> bool:
    """Whether an element is that of an image. Raises AnnotationError for another format."""
    if element.listed:
        if element.key == "_via_image_id_list":
            return False
        raise AnnotationError(f"is no annotation of VIA: it has a list in {element.key!r}")
    if element.key == "project":
        raise AnnotationError(
            "is a project of VIA 3, whose files are not read; draw in VIA 2, or export them to COCO"
        )
    return element.key == _METADATA or not element.key.startswith("_via_")


def _name(image: Mapping[str, Any]) -> str:
    """The name of an image's file, of a URL the last part. Raises AnnotationError."""
    name = image.get("filename")
    if not isinstance(name, str):
        raise AnnotationError(f"has an image whose `filename` is {shown(name)}; export it anew")
    return name.rsplit("/", 1)[-1] if "://" in name else name


def _regions(image: Mapping[str, Any]) -> list[Any]:
    """The regions of an image, of either version. Raises AnnotationError."""
    regions = image.get("regions")
    return list(regions.values()) if isinstance(regions, dict) else list_of(regions, "`regions`")


def _only(keys: list[str]) -> str | None:
    """The attribute that names classes, None where there is none. Raises AnnotationError."""
    if len(keys) > 1:
        raise AnnotationError(
            f"has regions with {len(keys)} attributes: {', '.join(keys[:8])}; name the one that "
            "is the class by --label-key"
        )
    return keys[0] if keys else None


def _shape(value: Any, number: int, key: str | None, choices: ReadingChoices) -> Shape | str:
    shape = value.get("shape_attributes")
    if not isinstance(shape, dict):
        raise ShapeFaultError(f"has no shape: {shown(value)}")
    kind = shape.get("name")
    if kind in _AREALESS and choices.line_width is None:
        return str(kind)
    make = _PARTS.get(kind) if isinstance(kind, str) else None
    if make is None:
        raise ShapeFaultError(f"is of a type that is not known: {shown(kind)}")
    label = _label(value.get("region_attributes"), key)
    return Shape(label, (make(shape, choices.line_width or 1),), number)


def _label(attributes: object, key: str | None) -> str:
    """The class of a region. Raises ShapeFaultError."""
    if key is None or not isinstance(attributes, dict) or key not in attributes:
        raise ShapeFaultError(f"has no attribute {key!r} for its class" if key else "has no class")
    value = attributes[key]
    if isinstance(value, dict):  # a checkbox: each option that is ticked
        ticked = [str(option) for option, is_ticked in value.items() if is_ticked]
        if len(ticked) != 1:
            raise ShapeFaultError(
                f"needs one option of {key!r} for its class, got {', '.join(ticked) or 'none'}"
            )
        return ticked[0]
    if value == "":
        raise ShapeFaultError(f"has nothing in {key!r} for its class")
    return label_of(value)


def _polygon(shape: Mapping[str, Any], width: int) -> Part:
    return Polygon(_vertices(shape, 3))


def _polyline(shape: Mapping[str, Any], width: int) -> Part:
    return Line(_vertices(shape, 2), width)


def _vertices(shape: Mapping[str, Any], least: int) -> Points:
    return paired_points(shape.get("all_points_x"), shape.get("all_points_y"), least)


def _rect(shape: Mapping[str, Any], width: int) -> Part:
    x, y, across, down = _numbers(shape, "x", "y", "width", "height")
    return Box(x, y, x + _positive(across, "width"), y + _positive(down, "height"))


def _circle(shape: Mapping[str, Any], width: int) -> Part:
    x, y, radius = _numbers(shape, "cx", "cy", "r")
    return _round(x, y, _positive(radius, "r"), radius)


def _ellipse(shape: Mapping[str, Any], width: int) -> Part:
    x, y, rx, ry = _numbers(shape, "cx", "cy", "rx", "ry")
    theta = number_of(shape.get("theta", 0), "theta")
    return _round(x, y, _positive(rx, "rx"), _positive(ry, "ry"), theta)


def _point(shape: Mapping[str, Any], width: int) -> Part:
    x, y = _numbers(shape, "cx", "cy")
    return Ellipse(x, y, width / 2, width / 2)


def _round(x: float, y: float, rx: float, ry: float, theta: float = 0.0) -> Polygon:
    """An ellipse as VIA's export has it."""
    angles = np.radians(np.arange(0, 360, STEP))
    across, down = rx * np.cos(angles), ry * np.sin(angles)
    sine, cosine = math.sin(theta), math.cos(theta)
    turned = (x + across * cosine - down * sine, y + across * sine + down * cosine)
    vertices: Points = np.round(np.column_stack(turned), DIGITS).astype(np.float64)
    return Polygon(checked(vertices))


def _numbers(shape: Mapping[str, Any], *names: str) -> list[float]:
    return [number_of(shape.get(name), name) for name in names]


def _positive(value: float, what: str) -> float:
    if value < 0:
        raise ShapeFaultError(f"needs {what} of 0 or more, got {value:g}")
    return value


_AREALESS = ("point", "polyline")

_PARTS: Mapping[str, Callable[[Mapping[str, Any], int], Part]] = {
    "polygon": _polygon,
    "polyline": _polyline,
    "rect": _rect,
    "circle": _circle,
    "ellipse": _ellipse,
    "point": _point,
}
