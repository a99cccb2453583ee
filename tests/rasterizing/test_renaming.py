"""Maps of labels: what they say, and what becomes of shapes by them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpuseg.annotations.ade20k import Ade20k
from gpuseg.annotations.cityscapes import Cityscapes
from gpuseg.annotations.labelme import LabelMe
from gpuseg.errors import PaletteError, PaletteFormatError, UsageError
from gpuseg.labels import load_label
from gpuseg.palette import Merged, Palette, PaletteClass
from gpuseg.rasterizing.labels import Labels
from gpuseg.rasterizing.options import RasterizeOptions
from gpuseg.rasterizing.renaming import Renaming, load_renaming
from gpuseg.shapes import Picture, Shape
from gpuseg.verbs.rasterize import rasterize
from tests.helpers import gpuseg

PALETTE = Palette(
    (
        PaletteClass(0, "background", (0, 0, 0)),
        PaletteClass(1, "car", (1, 0, 0)),
        PaletteClass(2, "sky", (2, 0, 0)),
        PaletteClass(15, "7", (3, 0, 0)),
    ),
    name="four",
    merged=(Merged("plate", 9, "car", (1, 0, 0)),),
)
WANTED = {"licence plate": "car", "dome": "sky", "scribble": "skip", "blur": "ignore", "p": 15}

TSV = """to	remark	from
sky	x	dome
Skip		scribble
IGNORE		blur
15		p
car		licence plate
"""


def labels_of(renaming: Renaming | None) -> Labels:
    return Labels.of(PALETTE, LabelMe(), RasterizeOptions(labels=renaming))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("map.json", json.dumps(WANTED)),
        ("map.csv", "licence plate,car\ndome, sky\nscribble,skip\nblur,ignore\np,15\n"),
        ("map.tsv", TSV),
        ("map.csv", "# x\nlicence plate;car\ndome;sky\n\nscribble;skip\nblur;ignore\np;15"),
        ("map.csv", "label;class\nlicence plate;car\ndome;sky\nscribble;skip\nblur;ignore\np;15"),
    ],
)
def test_files(tmp_path: Path, name: str, text: str) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8-sig")
    found = labels_of(path)
    assert found.renamed == {
        "licence plate": 1,
        "dome": 2,
        "scribble": None,
        "blur": 255,
        "p": 15,
    }
    assert found.index_of("licence plate") == 1
    assert found.index_of("car") == 1
    assert found.index_of("strange") is None


@pytest.mark.parametrize(
    ("renaming", "index"),
    [
        ({"car": "sky"}, 2),  # a label of the palette, too
        ({"car": "7"}, 15),  # a name wins over an index
        ({"car": "2"}, 2),
        ({"car": 9}, 9),  # a class of label maps only
        ({"car": "plate"}, 9),
        ({"car": 255}, 255),
        ({"car": "__ignore__"}, 255),  # what the format calls no class
        ({"car": "_background_"}, 0),
        ({"other": 2}, 1),
    ],
)
def test_what_becomes_of_cars(renaming: Mapping[str, str | int], index: int) -> None:
    assert labels_of(renaming).index_of("car") == index


@pytest.mark.parametrize(
    ("renaming", "message"),
    [
        ({"a": "cars"}, r"four.*got 'a' to 'cars' \('car' is one\)"),
        ({"a": 3}, "got 'a' to '3'"),
        ({"a": "-1"}, "got 'a' to '-1'"),
        ({"a": "9" * 5000}, "got 'a' to '999"),
        ({"a": ""}, "got 'a' to ''"),
        ({str(n): "x" for n in range(9)}, "and 4 more"),
        (3, "a dict or a file, got int"),
    ],
)
def test_classes_that_are_not_there_are_usage_errors(renaming: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        labels_of(renaming)


@pytest.mark.parametrize("word", ["skip", "ignore"])
def test_a_word_that_is_a_class_too_is_refused(word: str) -> None:
    palette = Palette((PaletteClass(0, word, (0, 0, 0)), PaletteClass(1, "b", (1, 1, 1))))
    with pytest.raises(UsageError, match="write its index, 0"):
        Labels.of(palette, LabelMe(), RasterizeOptions(labels={"a": word}))
    found = Labels.of(palette, LabelMe(), RasterizeOptions(labels={"a": 0}))
    assert found.renamed == {"a": 0}


def test_ignore_may_be_the_name_of_what_is_ignored() -> None:
    palette = Palette(
        (PaletteClass(0, "a", (0, 0, 0)), PaletteClass(4, "ignore", (1, 1, 1))), ignore_index=4
    )
    assert Labels.of(palette, LabelMe(), RasterizeOptions(labels={"x": "ignore"})).renamed == {
        "x": 4
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no rows"),
        ("{}", "at least one label"),
        ('["a"]', "JSON object"),
        ('{"a": "car", "a": "sky"}', "each key once"),
        ('{"a": null}', "by name or index, got 'None'"),
        ('{"a": true}', "by name or index"),
        ('{"a": 1.0}', "by name or index"),
        ('{"a": ["car"]}', "by name or index"),
        ('{"\\ud800": 1}', "whole Unicode"),
        ('{"a": 1', "breaks off"),
        ("a\nb\n", "two columns"),
        ("a,b,c\n", "two columns, or a header"),
        ("a,car\na,sky\n", "one class for 'a', got 'several'"),
        ("a,car\nb\n", "2 columns"),
        ("from,to\n", "at least one label"),
    ],
)
def test_files_that_are_no_maps(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "map.txt"
    path.write_text(text)
    with pytest.raises(PaletteFormatError, match=message):
        load_renaming(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(PaletteError, match="cannot be read"):
        load_renaming(tmp_path / "none.json")
    (tmp_path / "latin.csv").write_bytes(b"stra\xdfe,car\n")
    with pytest.raises(PaletteFormatError, match="UTF-8"):
        load_renaming(tmp_path / "latin.csv")


def test_a_map_knows_a_label_by_all_its_names() -> None:
    """ADE20K has several for one class; what the map says wins over what the palette calls it."""
    palette = Palette.from_colours([(0, 0, 0), (1, 1, 1)], ["wall", "door"])
    options = RasterizeOptions(labels={"wall": "door", "lamp": "skip", "": "skip"})
    labels = Labels.of(palette, Ade20k(), options)
    assert labels.index_of("wall, partition") == 1
    assert labels.is_skipped("lamp, light")
    assert not labels.is_skipped("door")
    assert not labels.is_skipped("wall, partition")


def test_a_map_may_have_drawn_what_a_format_leaves_out() -> None:
    plates = Palette.from_colours([(0, 0, 0), (1, 1, 1)], ["road", "car"])
    shapes = (Shape("license plate", (), 1), Shape("car", (), 2))
    picture = Picture(1, 1, shapes, "pillow")
    left_out = Labels.of(plates, Cityscapes(), RasterizeOptions()).drawable(picture)
    assert left_out.left_out == {"license plate": 1}
    options = RasterizeOptions(labels={"license plate": "car"})
    labels = Labels.of(plates, Cityscapes(), options)
    assert labels.drawable(picture) is picture
    assert labels.index_of("license plate") == 1


def test_shapes_of_pictures_that_are_drawn_keep_their_numbers() -> None:
    shapes = (Shape("a", (), 1), Shape("b", (), 2, ignored=True), Shape("c", (), 3))
    drawn = np.array([[0, 1, 2, 3]], np.uint8)
    picture = Picture(4, 1, shapes, "pillow", drawn=drawn)
    labels = labels_of({"b": "skip"})
    kept = labels.drawable(picture)
    assert [(s.label, s.ignored) for s in kept.shapes] == [("a", False), ("b", False), ("c", False)]
    assert kept.left_out == {"b": 1}
    assert labels.index_of("b") == labels.background
    assert labels_of(None).drawable(picture) is picture


def rectangle(label: str, left: int, right: int) -> dict[str, Any]:
    points = [[left, 0], [right, 3]]
    return {"label": label, "shape_type": "rectangle", "points": points}


@pytest.fixture
def src(tmp_path: Path) -> Path:
    folder = tmp_path / "src"
    folder.mkdir()
    shapes = [
        rectangle("car", 0, 9),
        rectangle("licence plate", 2, 3),
        rectangle("blur", 4, 5),
        rectangle("scribble", 6, 7),
        rectangle("strange", 8, 9),
    ]
    value = {"imageHeight": 4, "imageWidth": 12, "imagePath": "a.jpg", "shapes": shapes}
    (folder / "a.json").write_text(json.dumps(value))
    return folder


def test_maps_are_drawn_by_it(src: Path, tmp_path: Path) -> None:
    report = rasterize(src, tmp_path / "dst", PALETTE, labels=WANTED, unknown="ignore")
    assert report.exit_code == 0
    row = [1, 1, 1, 1, 255, 255, 1, 1, 255, 255, 0, 0]
    assert load_label(tmp_path / "dst" / "a.png").tolist() == [row] * 4


def test_another_map_makes_anew_and_the_same_does_not(src: Path, tmp_path: Path) -> None:
    def run(**changed: str | int) -> list[str]:
        renaming = {**WANTED, "strange": 1, **changed}
        report = rasterize(src, tmp_path / "dst", PALETTE, labels=renaming)
        return [*report.files]

    assert run() == ["converted"]
    assert run() == ["unchanged"]
    assert run(strange="sky") == ["converted"]
    assert run(strange="skip") == ["converted"]
    assert load_label(tmp_path / "dst" / "a.png")[0, 9] == 1


def test_the_command_line_says_what_is_left_out(src: Path, tmp_path: Path) -> None:
    (tmp_path / "map.json").write_text(json.dumps(WANTED | {"strange": "skip"}))
    (tmp_path / "classes.csv").write_text("name,r,g,b\nbackground,0,0,0\ncar,1,1,1\nsky,2,2,2\n")
    words = ["rasterize", str(src), str(tmp_path / "dst")]
    palette = ["--palette", str(tmp_path / "classes.csv")]
    report = ["--report", str(tmp_path / "report.jsonl")]
    failed = gpuseg(*words, *palette, "--labels", str(tmp_path / "map.json"))
    assert failed.code == 2
    assert "'p' to '15'" in failed.err
    (tmp_path / "map.csv").write_text("licence plate,car\nblur,ignore\nscribble,skip\nstrange,0\n")
    done = gpuseg(*words, *palette, *report, "--labels", str(tmp_path / "map.csv"))
    assert done.code == 0
    rows = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
    assert any(row.get("left_out") == {"scribble": 1} for row in rows)
