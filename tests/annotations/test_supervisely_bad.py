"""Supervisely JSON that is damaged or hostile: told of, never drawn wrong."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import numpy as np
import pytest

from gpuseg.annotations.supervisely import MOST_BYTES
from gpuseg.drawing.draw import draw
from gpuseg.errors import AnnotationError, MaskError, MaskSizeError
from tests.annotations.damaging import damaged
from tests.annotations.supervisely_files import (
    DOCUMENTED,
    bitmap,
    file_of,
    png,
    points,
    read,
    thing,
)


def why(*things: Any, **choices: Any) -> str:
    """What is wrong with the one shape that is bad."""
    (bad,) = read(file_of(*things), **choices).bad
    return str(bad)


BAD = {
    "no object": (7, "shape 1 is no object: 7"),
    "class": (thing("polygon", title=3), "needs a text for its label, got 3"),
    "type": (thing("alpha_mask"), "shape 1 ('car') is of a type that cannot be drawn"),
    "no type": ({"classTitle": "a"}, "cannot be drawn: None"),
    "type list": (thing(["polygon"]), "cannot be drawn: ['polygon']"),
    "no points": (thing("polygon"), "needs an object for its points, got None"),
    "points list": (thing("rectangle", points=[]), "needs an object for its points, got []"),
    "exterior": (thing("polygon", points={}), "needs a list of points, got None"),
    "empty": (thing("polygon", **points()), "needs at least 1 points, got 0"),
    "NaN": (thing("polygon", **points((0, 0), (float("nan"), 1))), "x=nan y=1"),
    "far": (thing("line", **points((0, 0), (1e300, 1))), "x=1e+300"),
    "hole": (thing("polygon", points={"exterior": [[0, 0]], "interior": [3]}), "got 3"),
    "holes": (thing("polygon", points={"exterior": [[0, 0]], "interior": 3}), "list of holes"),
    "corners": (thing("rectangle", **points((0, 0), (1, 1), (2, 2))), "needs 2 points, got 3"),
    "turned": (thing("oriented_bbox", points=[[0, 0]] * 3, angle=0), "needs 2 points, got 3"),
    "angle": (thing("oriented_bbox", points=[[0, 0]] * 2), "needs a number for angle, got None"),
    "parts": (thing("multipolygon", parts=[3]), "needs a list of parts, got [3]"),
    "instance": (thing("rectangle", **points((0, 0), (1, 1)), instance=[]), "for its instance"),
    "bitmap": (thing("bitmap"), "needs an object for its bitmap, got None"),
    "origin": (thing("bitmap", bitmap={"data": DOCUMENTED}), "not two numbers: None"),
    "data": (thing("bitmap", bitmap={"data": 3, "origin": [0, 0]}), "its bitmap, got 3"),
    "base64": (bitmap("?"), "not in zlib and base64"),
    "zlib": (bitmap(base64.b64encode(b"no").decode()), "not in zlib and base64"),
    "cut": (bitmap(base64.b64encode(zlib.compress(bytes(99))[:9]).decode()), "breaks off"),
    "no png": (bitmap(base64.b64encode(zlib.compress(b"no")).decode()), "has a bitmap that"),
    "colours": (bitmap(png(np.zeros((2, 2, 3), np.uint8))), "no transparency, and is of mode RGB"),
    "too many pixels": (bitmap(png(np.zeros((9, 12), np.uint8))), "has a bitmap that"),
}  # fmt: skip


@pytest.mark.parametrize(("value", "message"), BAD.values(), ids=BAD.keys())
def test_shapes_that_cannot_be_drawn(value: Any, message: str) -> None:
    good = thing("rectangle", **points((0, 0), (1, 1)))
    picture = read(file_of(value, good), line_width=1)
    assert [shape.number for shape in picture.shapes] == [2]
    assert message in why(value, good, line_width=1)


def test_whatever_stands_anywhere_is_drawn_or_told_of() -> None:
    things = (
        thing("polygon", **points((0, 0), (5, 0), (5, 5), interior=[[[1, 1], [2, 1], [2, 2]]])),
        thing("multipolygon", parts=[{"exterior": [[0, 0], [9, 9]], "interior": []}]),
        thing("oriented_bbox", points=[[0, 0], [4, 2]], angle=0.3),
        thing("line", **points((0, 0), (1, 1))),
        bitmap(DOCUMENTED, 1, 1),
    )
    whole = file_of(*map(copied, things))
    outcomes = {"drawn": 0, "bad": 0, "failed": 0}
    for value in damaged(whole):
        try:
            picture = read(value, line_width=2)
        except MaskError:
            outcomes["failed"] += 1
            continue
        outcomes["bad" if picture.bad else "drawn"] += 1
        draw(picture, "file", range(1, len(picture.shapes) + 1), 0)
    assert min(outcomes.values()) > 30


def copied(value: Any) -> Any:
    """A value as JSON has it: lists for tuples."""
    return json.loads(json.dumps(value))


def test_a_bitmap_that_inflates_without_end_takes_no_memory() -> None:
    bomb = base64.b64encode(zlib.compress(bytes(MOST_BYTES + 1), 9)).decode()
    assert "breaks off, or of over 67,108,864 bytes" in why(bitmap(bomb))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (b"", "is no JSON"),
        (b"[]", "an object for the file"),
        (b"\xff", "no text in UTF-8"),
        ({"size": {"height": 1, "width": 1}}, "a list for `objects`"),
        (file_of(size=[]), "an object for `size`"),
        (file_of(size={"height": 0, "width": 3}), "a size of 3 x 0"),
        (file_of(size={}), "does not say how large"),
        (file_of(frames=[]), "annotations of a video"),
        (file_of(figures=[]), "annotations of a point cloud"),
    ],
)
def test_files_that_cannot_be_read(value: Any, message: str) -> None:
    with pytest.raises(AnnotationError, match=message):
        read(value)


def test_images_beyond_the_limit_are_refused() -> None:
    with pytest.raises(MaskSizeError):
        read(file_of(size={"height": 100, "width": 100}), max_pixels=9999)
