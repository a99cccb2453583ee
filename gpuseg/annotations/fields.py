"""Reading what others wrote: values of JSON and XML, checked, or a sentence of what is wrong."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from reprlib import Repr
from typing import Any

import numpy as np

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.codecs.opening import check_size
from gpuseg.errors import AnnotationError
from gpuseg.shapes import BadShape, Points, Shape
from gpuseg.text import shortened

FARTHEST = 1 << 24
"""Largest coordinate, in pixels: 16,777,216, to which floats of 32 bits are exact, as Pillow has
them."""

LARGEST_SIDE = 1 << 24
"""Pixels of the longest side of an image."""


class ShapeFaultError(Exception):
    """A shape that cannot be drawn; its text follows `shape 3 ('car')`."""


def points_of(value: object, least: int = 1) -> Points:
    """Vertices from a list of [x, y]: float64 (N, 2). Raises ShapeFaultError."""
    if not isinstance(value, list):
        raise ShapeFaultError(f"needs a list of points, got {shown(value)}")
    if not ({*map(type, value)} <= {list, tuple} and {*map(len, value)} <= {2}):
        odd = next(p for p in value if not isinstance(p, (list, tuple)) or len(p) != 2)
        raise ShapeFaultError(f"has a point that is not two numbers: {shown(odd)}")
    return _vertices([*chain.from_iterable(value)], least)


def flat_points(value: object, least: int = 1) -> Points:
    """Vertices from a list x1, y1, x2, y2 …: float64 (N, 2). Raises ShapeFaultError."""
    if not isinstance(value, list) or len(value) % 2:
        raise ShapeFaultError(f"needs a list of x and y by turns, got {shown(value)}")
    return _vertices(value, least)


def paired_points(xs: object, ys: object, least: int = 1) -> Points:
    """Vertices from a list of x and one of y: float64 (N, 2). Raises ShapeFaultError."""
    if not isinstance(xs, list) or not isinstance(ys, list) or len(xs) != len(ys):
        raise ShapeFaultError(f"needs as many x as y, got {shown(xs)} and {shown(ys)}")
    return _vertices([*chain.from_iterable(zip(xs, ys, strict=True))], least)


def _vertices(flat: list[Any], least: int) -> Points:
    """Those of x and y by turns. Types are looked at first: NumPy takes true and "1" for 1."""
    if not {*map(type, flat)} <= {int, float}:
        odd = next(v for v in flat if type(v) not in (int, float))
        raise ShapeFaultError(f"has a coordinate that is no number: {shown(odd)}")
    if len(flat) < 2 * least:
        raise ShapeFaultError(f"needs at least {least} points, got {len(flat) // 2}")
    try:
        return checked(np.array(flat, np.float64).reshape(-1, 2))
    except OverflowError:  # an integer beyond all floats
        raise ShapeFaultError(f"has a coordinate of more than {FARTHEST:,}") from None


def checked(points: Points) -> Points:
    """The same points, read-only, none too far away. Raises ShapeFaultError."""
    if points.size and not np.maximum.reduce(np.abs(points), None) <= FARTHEST:  # NaN, too
        x, y = points[np.flatnonzero(~(np.abs(points) <= FARTHEST).all(axis=1))[0]].tolist()
        raise ShapeFaultError(
            f"has a point at x={x:g} y={y:g}, and coordinates are numbers of at most {FARTHEST:,}"
        )
    points.flags.writeable = False
    return points


def number_of(value: object, what: str) -> float:
    """A finite number that is no coordinate out of reach. Raises ShapeFaultError."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ShapeFaultError(f"needs a number for {what}, got {shown(value)}")
    if not abs(value) <= FARTHEST:  # so for NaN, too
        raise ShapeFaultError(f"has {what} {shown(value)}, and numbers are at most {FARTHEST:,}")
    return float(value)


def flag_of(value: object, what: str) -> bool:
    """0 or 1, false or true; nothing is 0. Raises ShapeFaultError."""
    if value not in (None, 0, 1):
        raise ShapeFaultError(f"needs 0 or 1 for {what}, got {shown(value)}")
    return bool(value)


def object_of(value: object, what: str) -> Mapping[str, Any]:
    """A JSON object. Raises AnnotationError."""
    if not isinstance(value, dict):
        raise AnnotationError(f"needs an object for {what}, got {shown(value)}; export it anew")
    return value


def list_of(value: object, what: str) -> list[Any]:
    """A JSON array. Raises AnnotationError."""
    if not isinstance(value, list):
        raise AnnotationError(f"needs a list for {what}, got {shown(value)}; export it anew")
    return value


def side_of(value: object) -> int:
    """A width or height in pixels, 0 for what is none."""
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 < value <= LARGEST_SIDE:
        return 0
    return value


def size_of(
    width: object, height: object, choices: ReadingChoices, other: Callable[[], tuple[int, int]]
) -> tuple[int, int]:
    """Width and height of an image in pixels: those of its annotation, else those of `choices`.

    other: asked where neither tells. Raises AnnotationError for what is no size, MaskSizeError for
    more pixels than `choices` allows: before shapes of that size take memory.
    """
    if width is None and height is None:
        found = choices.size or other()
    else:
        found = side_of(width), side_of(height)
        if not all(found):
            raise AnnotationError(
                f"gives its image a size of {shown(width)} x {shown(height)} pixels; mend it"
            )
    check_size(*found, choices.max_pixels)
    return found


def shapes_of(
    values: Iterable[object], read: Callable[[Any, int], Shape | str]
) -> tuple[tuple[Shape, ...], tuple[BadShape, ...], Counter[str]]:
    """The shapes of a list of objects, those that are bad, and how many of each kind are left out.

    read: makes a Shape of an object and its number, or names its kind where it marks no area; may
    raise ShapeFaultError.
    """
    shapes, bad, left_out = list[Shape](), list[BadShape](), Counter[str]()
    for number, value in enumerate(values, 1):
        try:
            if not isinstance(value, dict):
                raise ShapeFaultError(f"is no object: {shown(value)}")
            found = read(value, number)
        except ShapeFaultError as fault:
            bad.append(BadShape(number, _label(value), str(fault)))
            continue
        if isinstance(found, str):
            left_out[found] += 1
        else:
            shapes.append(found)
    return tuple(shapes), tuple(bad), left_out


def label_of(value: object) -> str:
    """The name of a class. Raises ShapeFaultError."""
    if not isinstance(value, str):
        raise ShapeFaultError(f"needs a text for its label, got {shown(value)}")
    return value


def shown(value: object) -> str:
    """A value as messages show it: the beginning of it, for it may be long or nested."""
    return shortened(_SHORT.repr(value), 40)


_SHORT = Repr()
_SHORT.maxlevel = 3
_SHORT.maxstring = _SHORT.maxother = _SHORT.maxlong = 40


def _label(value: object) -> str:
    """What a bad shape calls itself, "" for nothing."""
    if not isinstance(value, dict):
        return ""
    return next((v for k in _LABELS if isinstance(v := value.get(k), str)), "")


_LABELS = ("label", "category", "classTitle", "name")
