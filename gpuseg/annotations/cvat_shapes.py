"""The shapes of CVAT for images 1.1.

What marks an area is what CVAT's export "Segmentation mask 1.1" draws: boxes, polygons, ellipses
and masks (`dataset_manager/bindings.py`, `formats/mask.py`). `mask` holds runs along the rows of
its own box, the first of pixels that are not marked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from xml.etree.ElementTree import Element

import numpy as np

from gpuseg.annotations.fields import ShapeFaultError, checked, number_of, shown
from gpuseg.shapes import Box, Ellipse, Line, Part, Points, Polygon, Runs, Shape

Values = Mapping[str, str]
"""Attributes of an element, and under KIND its name."""

Size = tuple[int, int]

KIND = ""
"""What no attribute is called."""

MARKS_NOTHING = frozenset({"tag", "cuboid", "skeleton"})


def values_of(element: Element) -> Values:
    """What an element says of its shape."""
    return {KIND: element.tag, **element.attrib}


def shape_of(values: Values, number: int, *, size: Size, line_width: int | None) -> Shape | str:
    """A shape, or its kind where it marks no area. Raises ShapeFaultError.

    size: width and height of the image in pixels. line_width: None leaves lines and points out.
    """
    kind = values[KIND]
    if kind in MARKS_NOTHING or (kind in _LINES and line_width is None):
        return kind
    label = values.get("label")
    if label is None:
        raise ShapeFaultError("has no label")
    if line_width is not None and kind in _LINES:
        parts = _LINES[kind](values, line_width)
    elif kind in _AREAS:
        parts = (_AREAS[kind](values, size),)
    else:
        raise ShapeFaultError(f"is of a type that is not known: {shown(kind)}")
    group = values.get("group_id", "0")
    z = _number(values, "z_order", "0") + (0.5 if _is_turned_box(parts[0]) else 0)
    return Shape(label, parts, number, None if group == "0" else group, z=z)


def _is_turned_box(part: Part) -> bool:
    return isinstance(part, Box) and part.rotation != 0


def _polygon(values: Values, size: Size) -> Part:
    return Polygon(_points(values, 3))


def _box(values: Values, size: Size) -> Part:
    left, top, right, bottom = (_number(values, key) for key in ("xtl", "ytl", "xbr", "ybr"))
    return Box(left, top, right, bottom, _number(values, "rotation", "0"))


def _ellipse(values: Values, size: Size) -> Part:
    x, y, rx, ry = (_number(values, key) for key in ("cx", "cy", "rx", "ry"))
    if min(rx, ry) < 0:
        raise ShapeFaultError(f"has half axes of {rx:g} and {ry:g} pixels, and both are 0 or more")
    return Ellipse(x, y, rx, ry, _number(values, "rotation", "0"))


def _mask(values: Values, size: Size) -> Part:
    left, top, width, height = (_whole(values, key) for key in ("left", "top", "width", "height"))
    if not (0 < width <= size[0] and 0 < height <= size[1]):
        raise ShapeFaultError(
            f"has a mask of {width} x {height} pixels in an image of {size[0]} x {size[1]}"
        )
    text = _text(values, "rle")
    try:
        counts = list(map(int, text.split(",")))
    except ValueError:
        raise ShapeFaultError(f"has an rle that is no list of numbers: {shown(text)}") from None
    if min(counts) < 0 or sum(counts) != width * height:
        raise ShapeFaultError(
            f"has an rle of {sum(counts):,} pixels, the least of its runs {min(counts)}, for a "
            f"mask of {width} x {height}"
        )
    return Runs(np.array(counts, np.int64), left, top, width, height, by_column=False)


def _polyline(values: Values, width: int) -> tuple[Part, ...]:
    return (Line(_points(values, 2), width),)


def _discs(values: Values, width: int) -> tuple[Part, ...]:
    radius = width / 2
    return tuple(Ellipse(x, y, radius, radius) for x, y in _points(values, 1).tolist())


_AREAS: Mapping[str, Callable[[Values, Size], Part]] = {
    "polygon": _polygon,
    "box": _box,
    "ellipse": _ellipse,
    "mask": _mask,
}

_LINES: Mapping[str, Callable[[Values, int], tuple[Part, ...]]] = {
    "polyline": _polyline,
    "points": _discs,
}


def _points(values: Values, least: int) -> Points:
    """Those of `x,y;x,y`: float64 (N, 2)."""
    text = _text(values, "points")
    try:
        if {pair.count(",") for pair in text.split(";")} != {1}:
            raise ValueError
        points = np.array(text.replace(";", ",").split(","), np.float64).reshape(-1, 2)
    except ValueError:
        raise ShapeFaultError(f"has points that are no x,y;x,y: {shown(text)}") from None
    if len(points) < least:
        raise ShapeFaultError(f"needs at least {least} points, got {len(points)}")
    return checked(points)


def _number(values: Values, key: str, otherwise: str | None = None) -> float:
    text = _text(values, key, otherwise)
    try:
        return number_of(float(text), key)
    except ValueError:
        raise ShapeFaultError(f"needs a number for {key}, got {shown(text)}") from None


def _whole(values: Values, key: str) -> int:
    number = _number(values, key)
    if number != int(number):
        raise ShapeFaultError(f"needs a whole number for {key}, got {number:g}")
    return int(number)


def _text(values: Values, key: str, otherwise: str | None = None) -> str:
    text = values.get(key, otherwise)
    if text is None:
        raise ShapeFaultError(f"has no {key}")
    return text
