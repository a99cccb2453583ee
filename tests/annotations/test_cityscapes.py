"""Cityscapes polygons, judged by Pillow by the rules of cityscapesScripts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.cityscapes import Cityscapes
from gpuseg.annotations.recognising import recognise
from gpuseg.annotations.road_classes import (
    CITYSCAPES_NAMES,
    CITYSCAPES_STUFF,
    CITYSCAPES_THINGS,
    CITYSCAPES_VOID,
)
from gpuseg.discover import Source
from gpuseg.errors import AnnotationError
from gpuseg.palettes.load import load_palette
from gpuseg.shapes import Picture, Uncounted
from gpuseg.verbs.rasterize import rasterize

NAME = "aachen_000000_000019_gtFine_polygons"

IDS = {
    "unlabeled": 0, "ego vehicle": 1, "rectification border": 2, "out of roi": 3, "static": 4,
    "dynamic": 5, "ground": 6, "road": 7, "sidewalk": 8, "parking": 9, "rail track": 10,
    "building": 11, "wall": 12, "fence": 13, "guard rail": 14, "bridge": 15, "tunnel": 16,
    "pole": 17, "polegroup": 18, "traffic light": 19, "traffic sign": 20, "vegetation": 21,
    "terrain": 22, "sky": 23, "person": 24, "rider": 25, "car": 26, "truck": 27, "bus": 28,
    "caravan": 29, "trailer": 30, "train": 31, "motorcycle": 32, "bicycle": 33,
    "license plate": -1,
}  # fmt: skip
"""The ids of cityscapesScripts, `helpers/labels.py`."""

TRAIN_IDS = {
    "road": 0, "sidewalk": 1, "building": 2, "wall": 3, "fence": 4, "pole": 5, "traffic light": 6,
    "traffic sign": 7, "vegetation": 8, "terrain": 9, "sky": 10, "person": 11, "rider": 12,
    "car": 13, "truck": 14, "bus": 15, "train": 16, "motorcycle": 17, "bicycle": 18,
}  # fmt: skip
"""The trainIds, for what is not 255."""

GROUPS = ("cargroup", "persongroup", "bicyclegroup")

Pixels = NDArray[np.integer[Any]]


def thing(label: str, *points: tuple[float, float], **more: object) -> dict[str, object]:
    """An object of an annotation."""
    return {"label": label, "polygon": [list(point) for point in points], **more}


def content(objects: list[Any], width: int = 64, height: int = 32) -> dict[str, Any]:
    """An annotation file."""
    return {"imgHeight": height, "imgWidth": width, "objects": objects}


STREET = content(
    [
        thing("road", (0, 16), (64, 16), (64, 32), (0, 32)),
        thing("ego vehicle", (0, 28), (63, 28), (63, 31), (0, 31)),
        thing("polegroup", (2, 2), (5, 2), (5, 20), (2, 20)),
        thing("car", (10, 10), (30, 10), (28, 24), (9, 25)),
        thing("license plate", (12, 18), (16, 18), (16, 20), (12, 20)),
        thing("cargroup", (40, 12), (60, 12), (60, 20), (40, 20)),
        thing("car", (25, 15), (45.5, 15), (45, 22), (26, 23)),
        thing("sky", (0, 0), (63, 0), (63, 5)),
        thing("truck", (0, 0), (63, 0), (63, 31), deleted=1),
        thing("person", (-9, 12), (4, 14), (3, 90)),
        thing("caravan", (50, 22), (60, 22), (60, 26), (50, 26), deleted=0),
    ]
)


def judged(value: dict[str, Any], *, train_ids: bool) -> Pixels:
    """Its label map by the rules of json2labelImg.py."""
    image = Image.new("L", (value["imgWidth"], value["imgHeight"]), 255 if train_ids else 0)
    draw = ImageDraw.Draw(image)
    for each in value["objects"]:
        label = each["label"]
        if each.get("deleted"):
            continue
        if label not in IDS and label.endswith("group"):
            label = label[: -len("group")]
        if IDS[label] >= 0:
            fill = TRAIN_IDS.get(label, 255) if train_ids else IDS[label]
            draw.polygon([tuple(point) for point in each["polygon"]], fill=fill)
    return np.asarray(image)


def write(folder: Path, value: object, name: str = f"gt/aachen/{NAME}.json") -> Path:
    """Write an annotation below a folder; the folder of all."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))
    return folder / "gt"


def made(folder: Path, value: object, palette: str, **options: Any) -> Pixels:
    """The label map of an annotation."""
    report = rasterize(write(folder, value), folder / "out", palette, **options)
    assert report.exit_code == 0, report.failures
    return np.asarray(Image.open(folder / f"out/aachen/{NAME}.png"))


def read(value: object) -> Picture:
    """What is read of an annotation."""
    source = Source("a.json", "a.json", content=json.dumps(value).encode())
    return Cityscapes().read(source, ReadingChoices())


@pytest.mark.parametrize(("palette", "train"), [("cityscapes-ids", False), ("cityscapes", True)])
def test_label_maps_are_those_of_the_toolkit(tmp_path: Path, palette: str, train: bool) -> None:
    expected = judged(STREET, train_ids=train)
    assert len(np.unique(expected)) > 4
    np.testing.assert_array_equal(made(tmp_path, STREET, palette), expected)


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_any_objects_are_drawn_as_by_the_toolkit(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    point = st.tuples(st.integers(-20, 90), st.integers(-20, 50))
    label = st.sampled_from([*IDS, *GROUPS])
    objects = [
        thing(data.draw(label), *data.draw(st.lists(point, min_size=2, max_size=7)))
        for _ in range(data.draw(st.integers(1, 6)))
    ]
    folder = tmp_path_factory.mktemp("street")
    for palette, train in (("cityscapes-ids", False), ("cityscapes", True)):
        labels = made(folder, content(objects), palette, overwrite=True)
        np.testing.assert_array_equal(labels, judged(content(objects), train_ids=train))


def test_names_are_those_of_the_toolkit() -> None:
    assert set(IDS) == CITYSCAPES_NAMES
    assert {n for n in IDS if n not in TRAIN_IDS and IDS[n] >= 0} == CITYSCAPES_VOID
    assert set(IDS) - {"license plate"} == CITYSCAPES_STUFF | CITYSCAPES_THINGS
    assert not CITYSCAPES_STUFF & CITYSCAPES_THINGS
    for palette, ids in (("cityscapes-ids", IDS), ("cityscapes", TRAIN_IDS)):
        classes = load_palette(palette).label_classes
        assert all(ids.get(entry.name, 255) == entry.index for entry in classes)


def test_what_is_not_drawn_is_counted(tmp_path: Path) -> None:
    report = tmp_path / "report.jsonl"
    made(tmp_path, STREET, "cityscapes", report=report)
    row = json.loads(report.read_text().splitlines()[1])
    assert row["left_out"] == {"deleted": 1, "license plate": 1}
    assert row["shapes"] == 9


def test_a_palette_with_an_index_for_plates_has_them_drawn(tmp_path: Path) -> None:
    palette = tmp_path / "own.json"
    classes = [
        {"index": 0, "name": "unlabeled", "color": "#000000"},
        {"index": 1, "name": "license plate", "color": "#0000ff"},
    ]
    palette.write_text(json.dumps({"name": "own", "classes": classes}))
    plate = content([thing("license plate", (2, 2), (6, 2), (6, 6), (2, 6))])
    assert (made(tmp_path, plate, str(palette)) == 1).sum() == 25


def test_instances_are_things_one_by_one(tmp_path: Path) -> None:
    """As json2instanceImg: what has an id of 1000 and more there; groups are void, stuff is 0."""
    labels = made(tmp_path, STREET, "cityscapes-ids", instances="16")
    assert labels[12, 12] == 1
    assert labels[20, 35] == 2
    assert labels[13, 55] == 65535
    assert labels[20, 0] == 3
    assert labels[24, 55] == 4
    assert set(np.unique(labels).tolist()) == {0, 1, 2, 3, 4, 65535}
    assert labels[26, 20] == 0  # road


def test_borders_lie_between_stuff_too(tmp_path: Path) -> None:
    value = content(
        [
            thing("road", (0, 0), (31, 0), (31, 31), (0, 31)),
            thing("sky", (32, 0), (63, 0), (63, 31), (32, 31)),
        ]
    )
    labels = made(tmp_path, value, "cityscapes", border=1)
    assert (labels[:, [31, 32]] == 255).all()
    assert (labels[1:-1, 1:31] == 0).all()


def test_groups_are_read_as_their_class() -> None:
    found = [(s.label, s.instance) for s in read(STREET).shapes]
    assert found[:2] == [("road", Uncounted.STUFF), ("ego vehicle", Uncounted.STUFF)]
    assert ("car", Uncounted.GROUP) in found
    assert ("polegroup", Uncounted.STUFF) in found
    assert found.count(("car", None)) == 2


def test_it_is_recognised(tmp_path: Path) -> None:
    assert isinstance(recognise(str(write(tmp_path, STREET))), Cityscapes)


def test_boxes_are_left_out() -> None:
    boxes = content([{"label": "person", "bbox": [1, 2, 3, 4], "bboxVis": [1, 2, 3, 4]}])
    assert read(boxes).left_out == {"bbox": 1}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (3, "is no object"),
        ({"polygon": [[1, 1], [2, 2]]}, "needs a text for its label"),
        (thing("car"), "at least 2 points"),
        (thing("car", (1, 1)), "at least 2 points"),
        (thing("car", (1, 1), (float("nan"), 2)), "y=2"),
        (thing("car", (1, 1), (1e300, 2)), "16,777,216"),
        ({"label": "car"}, "needs a list of points"),
        ({"label": "car", "polygon": {"x": 1}}, "needs a list of points"),
        ({"label": "car", "polygon": [[1, 2, 3]]}, "not two numbers"),
    ],
)
def test_bad_objects_are_told(wrong: object, told: str) -> None:
    picture = read(content([STREET["objects"][0], wrong]))
    assert len(picture.shapes) == 1
    (bad,) = picture.bad
    assert bad.number == 2
    assert told in str(bad)


@pytest.mark.parametrize(
    "value",
    [
        [],
        3,
        {"imgHeight": 3, "imgWidth": 3},
        content([]) | {"objects": {}},
        content([]) | {"imgWidth": -3},
        content([]) | {"imgWidth": "64"},
        content([]) | {"imgHeight": 1 << 40},
        content([]) | {"imgWidth": None},
        {"objects": []},
    ],
)
def test_files_that_are_none_are_told(value: object) -> None:
    with pytest.raises(AnnotationError):
        read(value)


def test_an_unknown_label_fails_the_image(tmp_path: Path) -> None:
    value = content([thing("cra", (1, 1), (9, 1), (9, 9))])
    report = rasterize(write(tmp_path, value), tmp_path / "out", "cityscapes")
    assert report.exit_code == 1
    assert "'cra' ('car' is one)" in str(report.failures[0])
