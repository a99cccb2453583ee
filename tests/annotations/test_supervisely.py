"""Supervisely JSON: what is read of it, and what is drawn, against what its SDK would draw."""

from __future__ import annotations

import base64
import io
import json
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.supervisely import MOST_BYTES, Supervisely
from gpuseg.discover import Source
from gpuseg.drawing.draw import draw
from gpuseg.errors import AnnotationError, MaskError, MaskSizeError
from gpuseg.labels import load_label
from gpuseg.palette import Palette
from gpuseg.shapes import Bitmap, Line, Picture, Runs
from gpuseg.verbs.rasterize import rasterize
from tests.annotations.damaging import damaged

DOCUMENTED = (
    "eJzrDPBz5+WS4mJgYOD19HAJAtLMIMwIInOeqf8BUmwBPiGuQPr///9Lb86/C2QxlgT5BTM4PLuRBuTwebo4hlTMSa44"
    "cOHAB6DqY0yORgq8YkAZBk9XP5d1TglNANAFGzA="
)
"""A bitmap of 3 x 3 pixels, from the documentation of the format (objects, Bitmap)."""


def points(*exterior: tuple[float, float], interior: Any = ()) -> dict[str, Any]:
    return {"points": {"exterior": list(exterior), "interior": list(interior)}}


def thing(kind: str, title: str = "car", **more: Any) -> dict[str, Any]:
    return {"classTitle": title, "geometryType": kind, **more}


def file_of(*things: Any, **more: Any) -> dict[str, Any]:
    return {"size": {"height": 8, "width": 12}, "tags": [], "objects": list(things), **more}


def read(value: Any, **choices: Any) -> Picture:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    source = Source("x/a.jpg.json", "a.jpg.json", content=data)
    return Supervisely().read(source, ReadingChoices(**choices))


def drawn(*things: Any, **choices: Any) -> list[str]:
    """Rows of the picture: the number of each pixel's shape, a dot for none."""
    picture = read(file_of(*things), **choices)
    assert not picture.bad
    values = draw(picture, "file", range(1, len(picture.shapes) + 1), 0)
    return ["".join("." if v == 0 else str(v) for v in row) for row in values.tolist()]


def why(*things: Any, **choices: Any) -> str:
    """What is wrong with the one shape that is bad."""
    (bad,) = read(file_of(*things), **choices).bad
    return str(bad)


def png(mask: Any, **save: Any) -> str:
    buffer = io.BytesIO()
    (mask if isinstance(mask, Image.Image) else Image.fromarray(mask)).save(buffer, "PNG", **save)
    return base64.b64encode(zlib.compress(buffer.getvalue())).decode()


def bitmap(data: str, *origin: float) -> dict[str, Any]:
    return thing("bitmap", bitmap={"data": data, "origin": list(origin or (1, 2))})


def test_vertices_are_whole_pixels_and_holes_go_with_their_outline() -> None:
    ring = points(
        (1.9, 0.2), (9.7, 0), (9, 6.9), (1, 6), interior=[[[3, 2], [6, 2], [6, 4], [3, 4]]]
    )
    assert drawn(thing("polygon", **ring)) == [
        ".111111111..",
        ".111111111..",
        ".11....111..",
        ".11....111..",
        ".11....111..",
        ".111111111..",
        ".111111111..",
        "............",
    ]


def test_rectangles_hold_both_corners_and_later_objects_lie_over_earlier_ones() -> None:
    rows = drawn(
        thing("rectangle", **points((6, 3), (1, 1))), thing("rectangle", **points((3, 2), (20, 20)))
    )
    assert rows == [
        "............",
        ".111111.....",
        ".11222222222",
        ".11222222222",
        *["...222222222"] * 4,
    ]


def test_the_parts_of_a_multipolygon_are_one_shape() -> None:
    parts = [
        {"exterior": [[0, 0], [2, 0], [2, 2], [0, 2]], "interior": []},
        {"exterior": [[2, 2], [6, 2], [6, 6], [2, 6]], "interior": [[[4, 4], [5, 4], [5, 5]]]},
    ]
    assert drawn(thing("multipolygon", parts=parts)) == [
        "111.........",
        "111.........",
        "1111111.....",
        "..11111.....",
        "..11..1.....",
        "..111.1.....",
        "..11111.....",
        "............",
    ]


@pytest.mark.parametrize(
    ("angle", "rows"),
    [
        (0, ["...111111...", "...111111..."]),
        (np.pi / 2, ["....11......", "....11......"]),
    ],
)
def test_turned_boxes_turn_about_a_whole_pixel(angle: float, rows: list[str]) -> None:
    box = thing("oriented_bbox", points=[[3, 3], [8, 4]], angle=angle)
    assert drawn(box)[3:5] == rows


def test_the_bitmap_of_the_documentation() -> None:
    assert drawn(bitmap(DOCUMENTED, 4, 1))[:5] == [
        "............",
        "....111.....",
        "....1.......",
        "....111.....",
        "............",
    ]


def test_bitmaps_of_all_modes_lie_at_their_origin_and_are_cut_at_the_image() -> None:
    mask = np.array([[1, 0, 1, 1], [0, 1, 1, 1]], np.uint8)
    rgba = np.zeros((2, 4, 4), np.uint8)
    rgba[..., 3] = mask * 9
    palette = Image.fromarray(mask)
    palette.putpalette([0, 0, 0, 255, 255, 255])
    for data in (
        png(mask),
        png(mask.astype(bool)),
        png(rgba),
        png(palette, transparency=0),
        png(np.dstack((mask, mask * 255))),
    ):
        rows = drawn(bitmap(data, 10.9, -1))
        assert rows == [".." * 5 + ".1", *["............"] * 7]


def test_large_bitmaps_are_held_as_runs() -> None:
    mask = np.zeros((8, 12), bool)
    mask[2:5] = True
    noise = np.random.default_rng(0).random((8, 12)) > 0.5
    large, odd = read(file_of(bitmap(png(mask)), bitmap(png(noise)))).shapes
    assert isinstance(large.parts[0], Runs)
    assert isinstance(odd.parts[0], Bitmap)


def test_lines_and_points_are_left_out_unless_they_are_given_a_width() -> None:
    things = (
        thing("line", **points((1, 1), (9, 1))),
        thing("point", **points((6, 5))),
        thing("graph", nodes={}),
    )
    picture = read(file_of(*things))
    assert not picture.shapes
    assert picture.left_out == {"line": 1, "point": 1, "graph": 1}
    picture = read(file_of(*things), line_width=2)
    assert picture.left_out == {"graph": 1}
    assert isinstance(picture.shapes[0].parts[0], Line)
    assert drawn(*things[:2], line_width=2)[1] == ".111111111.."


def test_objects_of_one_instance_have_its_key() -> None:
    one = thing("rectangle", **points((0, 0), (1, 1)), instance="k")
    other = thing("rectangle", "wheel", **points((0, 0), (1, 1)))
    shapes = read(file_of(one, other)).shapes
    assert [(s.label, s.number, s.instance) for s in shapes] == [
        ("car", 1, "k"),
        ("wheel", 2, None),
    ]


def test_an_older_word_for_the_type() -> None:
    box = {"classTitle": "a", "shape": "rectangle", **points((0, 0), (1, 1))}
    assert drawn(box)[:3] == ["11" + "." * 10] * 2 + ["." * 12]


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


def test_a_project_is_recognised_and_keeps_its_folders(tmp_path: Path) -> None:
    src = tmp_path / "project"
    for folder in ("ann", "img", "meta", "img_info"):
        (src / "one" / folder).mkdir(parents=True)
    (src / "meta.json").write_text('{"classes": [], "tags": [], "projectType": "images"}')
    (src / "one" / "img_info" / "a.jpg.json").write_text("{}")
    (src / "one" / "meta" / "a.jpg.json").write_text('{"objects": [{"a": 1}]}')
    square = thing("rectangle", **points((0, 0), (1, 1)))
    (src / "one" / "ann" / "a.jpg.json").write_text(json.dumps(file_of(square)))
    unsized = {"objects": [square]}
    (src / "one" / "ann" / "b.png.json").write_text(json.dumps(unsized))
    Image.new("RGB", (5, 3)).save(src / "one" / "img" / "b.png")
    palette = Palette.from_colours([(0, 0, 0), (1, 1, 1)], ["background", "car"])
    report = rasterize(src, tmp_path / "dst", palette)
    assert report.exit_code == 0
    assert report.files == {"converted": 2}
    assert report.left_alone == {".json": 3, ".png": 1}
    assert load_label(tmp_path / "dst" / "one" / "ann" / "a.png").shape == (8, 12)
    assert load_label(tmp_path / "dst" / "one" / "ann" / "b.png").tolist() == [
        [1, 1, 0, 0, 0],
        [1, 1, 0, 0, 0],
        [0, 0, 0, 0, 0],
    ]
