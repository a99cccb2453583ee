"""Supervisely JSON: what is read of it, and what is drawn, against what its SDK would draw."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gpuseg.drawing.draw import draw
from gpuseg.labels import load_label
from gpuseg.palette import Palette
from gpuseg.shapes import Bitmap, Line, Runs
from gpuseg.verbs.rasterize import rasterize
from tests.annotations.supervisely_files import (
    DOCUMENTED,
    bitmap,
    file_of,
    png,
    points,
    read,
    thing,
)


def drawn(*things: Any, **choices: Any) -> list[str]:
    """Rows of the picture: the number of each pixel's shape, a dot for none."""
    picture = read(file_of(*things), **choices)
    assert not picture.bad
    values = draw(picture, "file", range(1, len(picture.shapes) + 1), 0)
    return ["".join("." if v == 0 else str(v) for v in row) for row in values.tolist()]


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
