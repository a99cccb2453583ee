"""COCO panoptic: segments by their ids, judged by the other forms of the same annotations."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from gpuseg.annotations.coco_panoptic import EMPTY
from gpuseg.annotations.recognising import recognise
from gpuseg.palettes.load import load_palette
from gpuseg.verbs.rasterize import rasterize
from tests import pycocotools_judge
from tests.annotations.panoptic_files import (
    IDS,
    PALETTE,
    made,
    pictures,
    rgb,
    rows,
    segment,
    value,
    write,
)


def test_segments_things_and_stuff(tmp_path: Path) -> None:
    segments = [segment(300), segment(70000, 7), segment(2)]
    (picture,) = pictures(write(tmp_path, value(segments), IDS))
    assert [(s.label, s.instance, s.ignored) for s in picture.shapes] == [
        ("person", 300, False),
        ("sky", 0, False),
        ("person", 2, False),
    ]
    assert picture.drawn is not None
    assert picture.drawn.tolist() == [[0, 1, 1, 2], [1, 3, 3, 0]]
    assert not picture.bad
    assert not picture.left_out


def test_void_is_no_background_unless_told(tmp_path: Path) -> None:
    """Although the palette has a class of that name."""
    path = write(tmp_path, value([segment(300), segment(70000, 7), segment(2)]), IDS)
    rows(path, tmp_path / "void")
    assert made(tmp_path / "void").tolist() == [[255, 1, 1, 2], [1, 1, 1, 255]]
    rows(path, tmp_path / "told", background="background")
    assert made(tmp_path / "told").tolist() == [[0, 1, 1, 2], [1, 1, 1, 0]]


def test_instances(tmp_path: Path) -> None:
    segments = [segment(300), segment(70000, 7), segment(2, iscrowd=1)]
    path = write(tmp_path, value(segments), IDS)
    rows(path, tmp_path / "wide", instances="16")
    void = 65535
    assert made(tmp_path / "wide").tolist() == [[void, 1, 1, 2], [1, void, void, void]]
    rows(path, tmp_path / "told", instances="palette", crowd="class", background="background")
    assert made(tmp_path / "told").tolist() == [[0, 1, 1, 2], [1, 3, 3, 0]]


def test_borders_of_void(tmp_path: Path) -> None:
    """Void is a neighbour like any other, so there is a border to it."""
    ids = np.full((5, 9), 0)
    ids[:, 3:] = 300
    path = write(tmp_path, value([segment(300)], (9, 5)), ids)
    rows(path, tmp_path / "dst", border=1)
    assert made(tmp_path / "dst")[2].tolist() == [255, 255, 255, 255, 1, 1, 1, 1, 1]


@pytest.mark.parametrize(
    ("crowd", "pixel", "left_out"),
    [(None, 255, {}), ("ignore", 255, {}), ("class", 1, {}), ("skip", 255, {"crowd": 1})],
)
def test_crowds(tmp_path: Path, crowd: Any, pixel: int, left_out: dict[str, int]) -> None:
    path = write(tmp_path, value([segment(300, iscrowd=1)]), [[300] * 4] * 2)
    row = rows(path, tmp_path / "dst", crowd=crowd)["a.jpg"]
    assert (made(tmp_path / "dst") == pixel).all()
    assert row.get("left_out", {}) == left_out


def test_ids_that_are_not_listed_are_bad(tmp_path: Path) -> None:
    path = write(tmp_path, value([segment(300)]), IDS)
    row = rows(path, tmp_path / "dst")["a.jpg"]
    assert row["error"] == "annotation"
    assert "shape 2 is in the mask alone: 3 pixels" in row["message"]
    assert "2 (2 px), 70000 (1 px)" in row["message"]
    row = rows(path, tmp_path / "skipped", bad_shapes="skip")["a.jpg"]
    assert made(tmp_path / "skipped").tolist() == [[255, 1, 1, 255], [1, 255, 255, 255]]
    assert row["bad_shapes"] == 1


def test_segments_without_pixels_are_counted(tmp_path: Path) -> None:
    segments = [segment(300), segment(70000, 7), segment(2), segment(4), segment(5, 7)]
    row = rows(write(tmp_path, value(segments), IDS), tmp_path / "dst")["a.jpg"]
    assert row["left_out"] == {EMPTY: 2}


@pytest.mark.parametrize("mode", ["P", "RGBA"])
def test_ids_by_a_palette_or_with_alpha(tmp_path: Path, mode: str) -> None:
    """As optimisers write them: the colours are the same."""
    path = write(tmp_path, value([segment(300), segment(70000, 7), segment(2)]), IDS)
    name = tmp_path / "panoptic" / "a.png"
    colours, places = np.unique(rgb(IDS).reshape(-1, 3), axis=0, return_inverse=True)
    image = Image.fromarray(rgb(IDS)).convert("RGBA")
    if mode == "P":
        image = Image.fromarray(places.reshape(2, 4).astype(np.uint8))
        image.putpalette(colours.tobytes())
    image.save(name)
    (picture,) = pictures(path)
    assert picture.drawn is not None
    assert picture.drawn.tolist() == [[0, 1, 1, 2], [1, 3, 3, 0]]


@given(st.data())
def test_any_ids(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    """Up to more than 8 bits hold, in any order, against NumPy."""
    count = data.draw(st.sampled_from([1, 7, 255, 256, 400]))
    seed = data.draw(st.integers(0, 1 << 32))
    random = np.random.default_rng(seed)
    known = random.choice((1 << 24) - 1, count, replace=False, shuffle=False) + 1
    places = random.integers(0, count + 1, (23, 31))
    ids = np.array([0, *known])[places]
    segments = [segment(id, 1 if place % 2 else 7) for place, id in enumerate(known.tolist())]
    folder = tmp_path_factory.mktemp("any")
    (picture,) = pictures(write(folder, value(segments, (31, 23)), ids))
    assert picture.drawn is not None
    assert np.array_equal(picture.drawn, places)
    assert picture.left_out[EMPTY] == count - len(np.setdiff1d(places, [0]))


def test_images_by_text_and_annotations_before_categories(tmp_path: Path) -> None:
    """As in the files of Mapillary Vistas, whose masks lie beside them."""
    content = value([segment(300), segment(70000, 7), segment(2)])
    content["images"][0]["id"] = content["annotations"][0]["image_id"] = "5"
    content = {key: content[key] for key in ("annotations", "categories", "images")}
    path = write(tmp_path, content)
    Image.fromarray(rgb(IDS)).save(tmp_path / "a.png")
    (picture,) = pictures(path)
    assert len(picture.shapes) == 3
    assert recognise(str(path)).name == "coco-panoptic"


def test_what_makes_a_label_map_anew(tmp_path: Path) -> None:
    """The segments, their categories and the id map; nothing else of the file."""
    content = value([segment(300, area=3), segment(70000, 7), segment(2)])
    path, dst = write(tmp_path, content, IDS), tmp_path / "dst"
    assert rows(path, dst)["a.jpg"]["status"] == "converted"
    content["annotations"][0]["segments_info"][0]["area"] = 5
    content["categories"].append({"id": 8, "name": "sea"})
    path.write_text(json.dumps(content, indent=1), encoding="utf-8")
    assert rows(path, dst)["a.jpg"]["status"] == "unchanged"
    os.utime(tmp_path / "panoptic" / "a.png", (1, 1))
    assert rows(path, dst)["a.jpg"]["status"] == "converted"
    content["categories"][0]["name"] = "sky"
    path.write_text(json.dumps(content), encoding="utf-8")
    assert rows(path, dst)["a.jpg"]["status"] == "converted"
    assert made(dst).tolist() == [[255, 2, 2, 2], [2, 2, 2, 255]]


def test_folders_and_backslashes(tmp_path: Path) -> None:
    content = value([segment(300), segment(70000, 7), segment(2)], name="b\\a.jpg")
    content["annotations"][0]["file_name"] = "c\\a.png"
    path = write(tmp_path, content, IDS)
    (tmp_path / "panoptic/c").mkdir()
    (tmp_path / "panoptic/a.png").rename(tmp_path / "panoptic/c/a.png")
    assert rows(path, tmp_path / "dst")["b/a.jpg"]["status"] == "converted"
    assert made(tmp_path / "dst/b").tolist() == [[255, 1, 1, 2], [1, 1, 1, 255]]


def test_two_annotations_of_one_image_collide(tmp_path: Path) -> None:
    content = value([segment(300), segment(70000, 7), segment(2)])
    content["annotations"] *= 2
    report = rasterize(write(tmp_path, content, IDS), tmp_path / "dst", PALETTE, workers=1)
    assert report.files["failed"] == 2
    assert not (tmp_path / "dst" / "a.png").exists()


def test_the_sample_of_panopticapi(shared: Path, tmp_path: Path) -> None:
    """The same annotations as an id map, a map of categories, and runs: 0 pixels differ."""
    folder = shared / "data/coco_panoptic"
    name = "000000142238"
    file = folder / "panoptic_examples.json"
    assert recognise(str(file)).name == "coco-panoptic"
    choices = {"masks": str(folder / "rgb_id"), "workers": 1}
    rasterize(file, tmp_path / "all", "coco-panoptic", crowd="class", **choices)
    rasterize(file, tmp_path / "dst", "coco-panoptic", **choices)
    labels, usual = (made(tmp_path / each, f"{name}.png") for each in ("all", "dst"))
    categories = json.loads((folder / "panoptic_coco_categories.json").read_text())
    index_of = {each.name: each.index for each in load_palette("coco-panoptic").label_classes}
    index = {each["id"]: index_of[each["name"]] for each in categories}
    with Image.open(folder / "two_channel" / f"{name}.png") as image:
        expected = np.array(image)[..., 0]
    table = np.full(256, 0)  # the preset's ignore index
    table[list(index)] = list(index.values())
    assert np.array_equal(labels, table[expected])
    segments = json.loads((folder / "panoptic_coco_detection_format.json").read_text())
    crowd = np.zeros(labels.shape, bool)
    for each in segments["annotations"]:
        mask = pycocotools_judge.decoded(each["segmentation"])
        assert (labels[mask] == index[each["category_id"]]).all()
        crowd |= mask & bool(each["iscrowd"])
    assert np.array_equal(usual, np.where(crowd, 0, labels))
    assert np.count_nonzero(crowd) == 24_295


@pytest.mark.parametrize(
    ("file", "shapes", "first"),
    [
        ("coco_dataset/coco/annotations/panoptic_train.json", 1, [0, 0, 1, 1, 0, 1, 1, 0, 0, 0]),
        ("mapillary_vistas_dataset/train/v1.2/panoptic/panoptic_2018.json", 5, [1, 2, 3, 4, 5]),
    ],
)
def test_the_samples_of_datumaro(shared: Path, file: str, shapes: int, first: list[int]) -> None:
    path = shared / "data/datumaro_tiny" / file
    assert recognise(str(path)).name == "coco-panoptic"
    (picture,) = pictures(path)
    assert picture.drawn is not None
    assert len(picture.shapes) == shapes
    assert picture.drawn.tolist() == [first] * 5
    assert not picture.bad
