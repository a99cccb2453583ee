"""ADE20K: masks by the names of their JSON, and the polygons of it."""

from __future__ import annotations

import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gpuseg.annotations.ade20k import Ade20k, Ade20kPolygons, class_of
from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.recognising import recognise
from gpuseg.discover import Source
from gpuseg.errors import MaskError
from gpuseg.id_maps import read_id_map
from gpuseg.palette import Palette
from gpuseg.palettes.load import load_palette
from gpuseg.rasterizing.labels import Labels
from gpuseg.rasterizing.options import RasterizeOptions
from gpuseg.shapes import Picture, Polygon
from gpuseg.verbs.rasterize import rasterize
from tests.helpers import REPORT, read_report

WALL, TREE, DOOR = 2978, 2855, 774
COLOURS = [(9, 9, 9), (1, 2, 3), (4, 5, 6)]


def thing(number: int, name: str, level: int = 0, **more: Any) -> dict[str, Any]:
    polygon = {"x": [0, 2, 2, 0], "y": [0, 0, 2, 2]}
    return {
        "name": name,
        "name_ndx": number,
        "parts": {"part_level": level},
        "polygon": polygon,
    } | more


OBJECTS = [thing(WALL, "wall"), thing(TREE, "tree, plant"), thing(DOOR, "door", 1)]


def colour(number: int, instance: int = 0) -> tuple[int, int, int]:
    return number // 256 * 10, number % 256, instance


PIXELS = [[(0, 0, 0), colour(WALL, 3), colour(TREE, 7)], [colour(WALL, 4)] * 3]


def write(folder: Path, objects: list[Any] = OBJECTS, pixels: Any = PIXELS, **more: Any) -> Path:
    """A file `a.json` and its mask, where it has pixels."""
    folder.mkdir(exist_ok=True, parents=True)
    annotation = {"filename": "a.jpg", "imsize": [2, 3, 3], "object": objects} | more
    path = folder / "a.json"
    path.write_text(json.dumps({"annotation": annotation}, ensure_ascii=False), "latin-1")
    if pixels is not None:
        Image.fromarray(np.array(pixels, np.uint8)).save(folder / "a_seg.png")
    return path


def read(path: Path, **choices: Any) -> Picture:
    return Ade20k().read(Source(str(path), path.name), ReadingChoices(**choices))


def palette(*names: str) -> Palette:
    return Palette.from_colours(COLOURS[: len(names)], names, name="some")


def made(dst: Path) -> list[list[int]]:
    with Image.open(dst / "a.png") as image:
        return np.array(image).tolist()


def test_classes_and_instances(tmp_path: Path) -> None:
    picture = read(write(tmp_path))
    assert [(s.label, s.instance) for s in picture.shapes] == [
        ("wall", 3),
        ("tree, plant", 7),
        ("wall", 4),
    ]
    assert picture.drawn is not None
    assert picture.drawn.tolist() == [[0, 1, 2], [3, 3, 3]]
    assert picture.left_out == {"part": 1}


def test_a_folder(tmp_path: Path) -> None:
    write(tmp_path / "src" / "street")
    src, dst = tmp_path / "src", tmp_path / "dst"
    assert recognise(str(src)).name == "ade20k"
    report = rasterize(src, dst, palette("other", "wall", "tree"), background="other", workers=1)
    assert report.files["converted"] == 1
    assert made(dst / "street") == [[0, 1, 2], [1, 1, 1]]
    rasterize(src, tmp_path / "i", palette("wall", "tree"), instances="16", workers=1)
    assert made(tmp_path / "i" / "street") == [[0, 1, 2], [3, 3, 3]]


@pytest.mark.parametrize("below", ["", "street"])
def test_masks_elsewhere(tmp_path: Path, below: str) -> None:
    write(tmp_path / "src" / "street", pixels=None)
    write(tmp_path / "masks" / below)
    rasterize(
        tmp_path / "src",
        tmp_path / "dst",
        palette("wall", "tree"),
        masks=str(tmp_path / "masks"),
        workers=1,
    )
    assert made(tmp_path / "dst" / "street") == [[255, 0, 1], [0, 0, 0]]


def test_a_changed_mask_is_drawn_anew(tmp_path: Path) -> None:
    path = write(tmp_path / "src")

    def run() -> int:
        return rasterize(path, tmp_path / "dst", palette("wall", "tree"), workers=1).files[
            "converted"
        ]

    assert [run(), run()] == [1, 0]
    os.utime(tmp_path / "src" / "a_seg.png", (1, 1))
    assert [run(), run()] == [1, 0]


def test_no_mask_is_told(tmp_path: Path) -> None:
    with pytest.raises(MaskError, match=r"no mask a_seg.png beside it.*ade20k-polygons"):
        read(write(tmp_path, pixels=None))


def test_latin_1(tmp_path: Path) -> None:
    path = write(tmp_path, [thing(WALL, "café"), thing(TREE, "tree")])
    assert read(path).shapes[0].label == "café"
    assert recognise(str(path)).name == "ade20k"


@pytest.mark.parametrize(
    ("strange", "why"),
    [
        (colour(312, 5), r"1 pixels .* colour \(10, 56, 5\) of class 312"),
        ((11, 0, 0), r"colour \(11, 0, 0\) "),
    ],
)
def test_colours_that_the_json_does_not_name(tmp_path: Path, strange: Any, why: str) -> None:
    (bad,) = read(write(tmp_path, pixels=[PIXELS[0], [strange, *PIXELS[1][1:]]])).bad
    assert bad.number == 4
    assert re.search(why, bad.why)


@pytest.mark.parametrize(
    ("objects", "why"),
    [
        ([*OBJECTS, 7], "is no object"),
        ([*OBJECTS, thing(WALL, "tree")], "has the name_ndx 2978, which 'wall' has, too"),
        ([*OBJECTS, thing(1, "x", name_ndx="1")], "needs a number for name_ndx"),
        ([*OBJECTS, thing(1, "x") | {"name": None}], "needs a text for its label"),
    ],
)
def test_bad_objects(tmp_path: Path, objects: list[Any], why: str) -> None:
    (bad,) = read(write(tmp_path, objects)).bad
    assert (bad.number, why in bad.why) == (4, True)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"imsize": [3, 2, 3]}, "is 2 x 3 pixels, and its mask 3 x 2"),
        ({"imsize": 7}, "needs rows and columns"),
        ({"imsize": [2]}, "needs rows and columns"),
        ({"object": {}}, "needs a list for `object`"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, more: dict[str, Any], why: str) -> None:
    with pytest.raises(MaskError, match=why):
        read(write(tmp_path, **more))


@pytest.mark.parametrize(
    ("label", "names", "index"),
    [
        ("tree", ("wall", "tree"), 1),
        ("traffic light, traffic signal", ("stoplight", "traffic signal"), 1),
        ("screen door, screen", ("screen", "screen door"), 1),  # the first comes first
        ("a, b, c", ("a", "a, b, c"), 1),  # the whole before all
        ("a, b", ("a, c",), 0),  # the lists of synonyms differ from release to release
        ("rack, stand", ("base, stand",), None),  # but these are two classes
        ("pool table, billiard table", ("table", "pool;table;billiard;table"), 1),
        ("wall", ("Wall",), None),
    ],
)
def test_synonyms(label: str, names: tuple[str, ...], index: int | None) -> None:
    labels = Labels.of(palette(*names), Ade20k(), RasterizeOptions())
    assert labels.index_of(label) == index


@pytest.mark.parametrize("file", ["objectInfo150.txt", "objectInfo150.csv"])
def test_all_classes_of_the_challenge(shared: Path, file: str) -> None:
    """By their names in the dataset, in the preset and in the lists of the challenge."""
    folder = shared / "data/ade20k"
    lines = (folder / "objectInfo150.txt").read_text().splitlines()[1:]
    full = [line.split("\t")[4].strip() for line in lines]
    sep, place = ("\t", 4) if file.endswith("txt") else (",", 5)
    rows = (folder / file).read_text().splitlines()[1:]
    names = [row.split(sep)[place].strip() for row in rows]
    greys = [(i, i, i) for i in range(150)]
    for table in (load_palette("ade20k"), Palette.from_colours(greys, names)):
        labels = Labels.of(table, Ade20k(), RasterizeOptions())
        assert [labels.index_of(name) for name in full] == list(range(150))


def test_masks_without_json_as_the_challenge_has_them(shared: Path) -> None:
    """class_of, against the challenge's own map of the same mask: 0 pixels differ."""
    folder = shared / "data/ade20k"
    mask = read_id_map(str(folder / "ADE_train_00000970_raw.png"), 1 << 24)
    challenge = {}
    for line in (folder / "mapFromADE.txt").read_text().splitlines():
        index, number = line.split()
        challenge[int(number)] = int(index)
    numbers = [challenge.get(class_of(colour), 0) for colour in mask.ids.tolist()]
    with Image.open(folder / "ADE_train_00000970_challenge.png") as image:
        expected = np.array(image)
    found = Image.fromarray(mask.numbered(numbers)).resize(expected.shape[::-1], 0)
    assert np.array_equal(np.array(found), expected)


def test_the_sample(shared: Path, tmp_path: Path) -> None:
    """Against NumPy: 0 pixels differ."""
    name = "ADE_train_00016869"
    for suffix in (".json", "_seg.png", "_parts_1.png"):
        shutil.copy(shared / "data/ade20k" / f"{name}{suffix}", tmp_path)
    assert recognise(str(tmp_path)).name == "ade20k"
    rasterize(tmp_path, tmp_path / "dst", "ade20k", unknown="ignore", workers=1)
    with Image.open(tmp_path / f"{name}_seg.png") as image:
        red, green, _ = np.moveaxis(np.array(image).astype(int), 2, 0)
    index_of = {each.name: each.index for each in load_palette("ade20k").label_classes}
    content = json.loads((tmp_path / f"{name}.json").read_text("latin-1"))
    table = np.full(4096, 255)
    for each in content["annotation"]["object"]:
        table[each["name_ndx"]] = index_of.get(each["name"].split(",")[0], 255)
    with Image.open(tmp_path / "dst" / f"{name}.png") as image:
        assert np.array_equal(np.array(image), table[red // 10 * 256 + green])
    row = read_report(tmp_path / "dst" / REPORT).files[f"{name}.json"]
    assert row["unknown_labels"] == {"central reservation": 43_609}
    assert row["left_out"] == {"part": 19}


def test_polygons(tmp_path: Path) -> None:
    picture = Ade20kPolygons().read(
        Source(str(write(tmp_path, pixels=None)), "a.json"), ReadingChoices()
    )
    assert [shape.label for shape in picture.shapes] == ["wall", "tree, plant"]
    assert picture.convention == "coco"
    assert picture.left_out == {"part": 1}
    (part,) = picture.shapes[0].parts
    assert isinstance(part, Polygon)
    assert part.outline.tolist() == [[-0.5, -0.5], [1.5, -0.5], [1.5, 1.5], [-0.5, 1.5]]


@pytest.mark.parametrize(
    ("polygon", "why"),
    [
        (None, "needs an object for polygon"),
        ({"x": [1, 2, 3], "y": [1, 2]}, "needs as many x as y"),
        ({"x": 1, "y": 1}, "needs as many x as y"),
        ({"x": [1, 2], "y": [1, 2]}, "needs at least 3 points, got 2"),
        ({"x": [1, 2, float("nan")], "y": [1, 2, 3]}, "x=nan"),
    ],
)
def test_bad_polygons(tmp_path: Path, polygon: Any, why: str) -> None:
    path = write(tmp_path, [thing(WALL, "wall", polygon=polygon)], None)
    (bad,) = Ade20kPolygons().read(Source(str(path), "a.json"), ReadingChoices()).bad
    assert why in bad.why


def test_the_polygons_of_the_sample(shared: Path, tmp_path: Path) -> None:
    """All that is labelled in the mask and no other pixel; few of another class."""
    name = "ADE_train_00016869"
    for suffix in (".json", "_seg.png"):
        shutil.copy(shared / "data/ade20k" / f"{name}{suffix}", tmp_path)
    objects = json.loads((tmp_path / f"{name}.json").read_text("latin-1"))["annotation"]["object"]
    names = list({each["name"]: None for each in objects})
    table = Palette.from_colours([(i, i, i + 1) for i in range(len(names))], names)
    maps = []
    for kind in ("auto", "ade20k-polygons"):
        rasterize(tmp_path, tmp_path / kind, table, format=kind, pattern=f"{name}.json", workers=1)
        with Image.open(tmp_path / kind / f"{name}.png") as image:
            maps.append(np.array(image))
    masks, polygons = maps
    assert np.array_equal(masks == 255, polygons == 255)
    assert np.count_nonzero(masks != polygons) == 3_530
