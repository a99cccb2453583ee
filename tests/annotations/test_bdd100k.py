"""The labels of BDD100K's first release."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gpuseg.annotations.bdd100k import Bdd100k
from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.recognising import recognise
from gpuseg.discover import Source
from gpuseg.errors import AnnotationError
from gpuseg.shapes import Picture
from gpuseg.verbs.rasterize import rasterize

OUTLINE = [[10, 10, "L"], [50, 10, "L"], [50, 40, "L"], [10, 40, "L"]]


def content(*objects: object) -> dict[str, Any]:
    """The labels of an image."""
    frame = {"timestamp": 10000, "objects": list(objects)}
    return {"name": "b1c81faa-3df17267", "frames": [frame], "attributes": {"weather": "clear"}}


def read(value: object, **choices: Any) -> Picture:
    """What is read of a file."""
    source = Source("a.json", "a.json", content=json.dumps(value).encode())
    return Bdd100k().read(source, ReadingChoices(**choices))


def test_areas_are_polygons_and_lanes_are_paths() -> None:
    value = content(
        {"category": "area/drivable", "id": 0, "poly2d": OUTLINE},
        {"category": "lane/single white", "id": 1, "poly2d": OUTLINE[:2]},
        {"category": "car", "id": 2, "box2d": {"x1": 1, "y1": 2, "x2": 3, "y2": 4}},
        {"category": "bus", "id": 3, "segments2d": [OUTLINE, OUTLINE]},
    )
    picture = read(value)
    assert (picture.width, picture.height) == (1280, 720)
    assert [shape.label for shape in picture.shapes] == ["area/drivable", "bus"]
    assert [len(shape.parts) for shape in picture.shapes] == [1, 2]
    assert picture.left_out == {"path": 1, "box2d": 1}


def test_a_folder_of_them_becomes_label_maps(tmp_path: Path) -> None:
    folder = tmp_path / "train"
    folder.mkdir()
    path = folder / "b1c81faa-3df17267.json"
    path.write_text(json.dumps(content({"category": "car", "id": 0, "poly2d": OUTLINE})))
    assert isinstance(recognise(str(folder)), Bdd100k)
    report = rasterize(folder, tmp_path / "out", "bdd100k")
    assert report.exit_code == 0
    labels = np.asarray(Image.open(tmp_path / "out/b1c81faa-3df17267.png"))
    expected = np.full((720, 1280), 255)
    expected[10:40, 10:50] = 13
    np.testing.assert_array_equal(labels, expected)


def test_the_size_may_be_chosen(tmp_path: Path) -> None:
    picture = read(content(), size=(640, 360))
    assert (picture.width, picture.height) == (640, 360)
    Image.new("L", (70, 90)).save(tmp_path / "b1c81faa-3df17267.jpg")
    picture = read(content(), images=str(tmp_path))
    assert (picture.width, picture.height) == (70, 90)


@pytest.mark.parametrize(
    "value",
    [
        [],
        {"frames": []},
        {"frames": [3]},
        {"frames": [{"objects": 3}]},
        {"frames": [{"objects": []}, {"objects": []}]},
    ],
)
def test_files_that_are_none_are_told(value: object) -> None:
    with pytest.raises(AnnotationError):
        read(value)
