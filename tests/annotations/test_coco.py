"""COCO instances: what each kind of segmentation covers, crowds, and what cannot be drawn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pycocotools.coco import COCO

from gpuseg.annotations.format import Outline
from gpuseg.annotations.recognising import recognise
from gpuseg.drawing.draw import draw
from gpuseg.errors import AnnotationError, UsageError
from gpuseg.shapes import Box, Picture
from tests import pycocotools_judge
from tests.annotations.coco_files import SQUARE, annotation, pictures, written

MASK = pycocotools_judge.polygon([1.5, 2, 19, 8, 6, 14.5], 15, 20)
TEXT = pycocotools_judge.encoded(MASK).decode()
COUNTS = np.diff(np.flatnonzero(np.diff(np.r_[0, MASK.T.ravel(), 2])), prepend=0).tolist()


def one(folder: Path, *annotations: object, **choices: Any) -> Picture:
    path = written(folder, annotations=list(annotations))
    ((_, picture),) = pictures(path, **choices)
    return picture


def covered(picture: Picture) -> NDArray[np.bool_]:
    return draw(picture, "file", [1] * len(picture.shapes), 0) == 1


@pytest.mark.parametrize("runs", [TEXT, COUNTS], ids=["compressed", "uncompressed"])
def test_runs(tmp_path: Path, runs: object) -> None:
    picture = one(tmp_path, annotation({"counts": runs, "size": [15, 20]}))
    assert (picture.width, picture.height) == (20, 15)
    assert picture.shapes[0].label == "cat"
    np.testing.assert_array_equal(covered(picture), MASK)


def test_polygons_are_one_area(tmp_path: Path) -> None:
    other = [10.5, 1, 18, 12, 5, 13.3]
    picture = one(tmp_path, annotation([SQUARE, other]))
    (shape,) = picture.shapes
    assert len(shape.parts) == 2
    want = pycocotools_judge.polygon(SQUARE, 15, 20) | pycocotools_judge.polygon(other, 15, 20)
    np.testing.assert_array_equal(covered(picture), want)


def test_crowds(tmp_path: Path) -> None:
    crowd = annotation({"counts": COUNTS, "size": [15, 20]}, iscrowd=1, category_id=7)
    plain = annotation([SQUARE], iscrowd=0)
    assert [shape.ignored for shape in one(tmp_path, crowd, plain).shapes] == [True, False]
    as_class = one(tmp_path, crowd, plain, crowd="class").shapes
    assert [(shape.label, shape.ignored) for shape in as_class] == [("dog", False), ("cat", False)]
    without = one(tmp_path, crowd, plain, crowd="skip")
    assert [shape.number for shape in without.shapes] == [2]
    assert without.left_out == {"crowd": 1}


@pytest.mark.parametrize("segmentation", [[], [[]], None])
def test_no_segmentation_is_no_area_but_a_rectangle_of_cvat(
    tmp_path: Path, segmentation: object
) -> None:
    bare = annotation(segmentation, bbox=[2, 3, 10, 4])
    absent = {key: value for key, value in bare.items() if key != "segmentation"}
    turned = {**bare, "attributes": {"occluded": False, "rotation": 352.8}}
    picture = one(tmp_path, bare, absent, turned)
    assert picture.left_out == {"annotation without a segmentation": 2}
    (shape,) = picture.shapes
    (box,) = shape.parts
    assert isinstance(box, Box)
    assert (box.left, box.top, box.right, box.bottom, box.rotation) == (2, 3, 12, 7, 352.8)


@pytest.mark.parametrize(
    ("others", "why"),
    [
        ({"segmentation": [[1, 2, 3, 4]]}, "needs at least 3 points, got 2"),
        ({"segmentation": [SQUARE, []]}, "needs at least 3 points, got 0"),
        ({"segmentation": [[1, 2, 3, 4, 5]]}, "needs a list of x and y by turns"),
        ({"segmentation": [*SQUARE, SQUARE]}, "needs a list of x and y by turns"),
        ({"segmentation": [SQUARE, 1]}, "needs a list of x and y by turns, got 1"),
        ({"segmentation": [*SQUARE, "1", 2]}, "has a coordinate that is no number: '1'"),
        ({"segmentation": [[1, 2, 3, float("nan"), 5, 6]]}, "has a point at x=3 y=nan"),
        ({"segmentation": [[1, 2, 3, 1e8, 5, 6]]}, r"has a point at x=3 y=1e\+08"),
        ({"segmentation": "x"}, "needs polygons or runs for its segmentation, got 'x'"),
        (
            {"segmentation": {"counts": COUNTS, "size": [20, 15]}},
            r"has runs of the size \[20, 15\]",
        ),
        ({"segmentation": {"counts": COUNTS}}, "has runs of the size None"),
        (
            {"segmentation": {"counts": [10, 20], "size": [15, 20]}},
            "has runs of 30 pixels, and 300",
        ),
        ({"segmentation": {"counts": [], "size": [15, 20]}}, "has runs of 0 pixels, and 300"),
        ({"segmentation": {"counts": [400, -100], "size": [15, 20]}}, "has a count below 0: -100"),
        ({"segmentation": {"counts": [2**62] * 5, "size": [15, 20]}}, "has runs of 23,058,430,092"),
        (
            {"segmentation": {"counts": [2**70], "size": [15, 20]}},
            "has counts that are not all int",
        ),
        ({"segmentation": {"counts": [1.5], "size": [15, 20]}}, "has counts that are not all int"),
        (
            {"segmentation": {"counts": [1, [2]], "size": [15, 20]}},
            "has counts that are not all in",
        ),
        (
            {"segmentation": {"counts": 5, "size": [15, 20]}},
            "needs a list or a text for its counts",
        ),
        ({"segmentation": {"counts": TEXT[:-1], "size": [15, 20]}}, "is damaged: "),
        (
            {"segmentation": {"counts": "ä", "size": [15, 20]}},
            "is damaged: character 1 of its runs",
        ),
        ({"category_id": 5}, "has a category_id that `categories` does not hold: 5"),
        ({"category_id": None}, "has a category_id that `categories` does not hold: None"),
        ({"category_id": [1]}, r"has a category_id that `categories` does not hold: \[1\]"),
        ({"iscrowd": "0"}, "needs 0 or 1 for iscrowd, got '0'"),
        (
            {"segmentation": [], "attributes": {"rotation": 0}},
            "needs 4 numbers for its bbox, got No",
        ),
        (
            {"segmentation": [], "attributes": {"rotation": "x"}, "bbox": [1, 2, 3, 4]},
            "needs a num",
        ),
    ],
)
def test_what_cannot_be_drawn(tmp_path: Path, others: dict[str, Any], why: str) -> None:
    damaged = {**annotation([SQUARE]), "id": 65, **others}
    picture = one(tmp_path, annotation([SQUARE]), damaged)
    (bad,) = picture.bad
    assert bad.number == 2
    with pytest.raises(ShapeError, match=rf"^\(id 65\) {why}"):
        raise ShapeError(bad.why)
    assert len(picture.shapes) == 1


class ShapeError(Exception):
    """To be matched."""


def test_sizes_that_are_not_told_are_those_of_the_images(tmp_path: Path) -> None:
    plain = {"id": 1, "file_name": "a/b.png"}
    path = written(tmp_path, images=[plain], annotations=[annotation([SQUARE])])
    with pytest.raises(AnnotationError, match="does not say how large its image is"):
        list(pictures(path))
    ((_, picture),) = pictures(path, size=(30, 40))
    assert (picture.width, picture.height) == (30, 40)
    (tmp_path / "photos/a").mkdir(parents=True)
    Image.new("RGB", (7, 6)).save(tmp_path / "photos/a/b.png")
    ((_, picture),) = pictures(path, images=str(tmp_path / "photos"))
    assert (picture.width, picture.height) == (7, 6)


def test_it_is_recognised(tmp_path: Path) -> None:
    assert recognise(written(tmp_path, annotations=[annotation([SQUARE])])).name == "coco"
    captions = [{"image_id": 1, "id": 1, "caption": "a cat"}]
    with pytest.raises(UsageError, match="no format of annotations that is known"):
        recognise(written(tmp_path, annotations=captions))


def test_annotations_in_panoptic_files_are_others() -> None:
    from gpuseg.annotations.coco import Coco

    keys = frozenset({"image_id", "category_id", "segments_info"})
    outline = Outline("json", {"images": frozenset({"id"}), "annotations": keys})
    assert not Coco().recognises(outline)


@pytest.mark.parametrize(
    ("path", "images"),
    [
        ("labelme/instance/coco_annotations.json", 3),
        ("coco_panoptic/panoptic_coco_detection_format.json", 1),
        ("urban_cvat_rle/old_rev_instances_default.json", 5),
    ],
)
def test_real_files_as_pycocotools_draws_them(shared: Path, path: str, images: int) -> None:
    """But for rectangles of CVAT, which it knows nothing of: those are drawn over as boxes."""
    place = str(shared / "data" / path)
    judge = _judge(place)
    numbers = {each["name"]: each["id"] for each in judge.dataset["categories"]}
    by_name = {each["file_name"]: each["id"] for each in judge.dataset["images"]}
    count = 0
    for name, picture in pictures(place, crowd="class"):
        want = np.zeros((picture.height, picture.width), np.uint16)
        for each in judge.imgToAnns[by_name[name]]:
            mask = _mask(judge, each, want.shape)
            want[mask] = each["category_id"] + 1
        values = [numbers[shape.label] + 1 for shape in picture.shapes]
        np.testing.assert_array_equal(draw(picture, "file", values, 0), want)
        assert not picture.bad
        count += 1
    assert count == images


def _judge(path: str) -> Any:
    judge = COCO()
    judge.dataset = json.loads(Path(path).read_text())
    judge.createIndex()
    return judge


def _mask(judge: Any, annotation: dict[str, Any], shape: tuple[int, ...]) -> NDArray[np.bool_]:
    if annotation["segmentation"]:
        return pycocotools_judge.decoded(judge.annToRLE(annotation))
    x, y, width, height = annotation["bbox"]
    middle = np.array([x + width / 2, y + height / 2])
    corners = np.array([[-width, -height], [width, -height], [width, height], [-width, height]]) / 2
    angle = np.deg2rad(annotation["attributes"]["rotation"])
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    return pycocotools_judge.polygon(corners @ turn + middle, shape[0], shape[1])


def test_the_runs_of_a_panoptic_file_are_its_segments(shared: Path) -> None:
    data = shared / "data/coco_panoptic"
    ((name, picture),) = pictures(str(data / "panoptic_coco_detection_format.json"))
    assert name == "000000142238.jpg"
    with Image.open(data / "rgb_id/000000142238.png") as opened:
        ids = np.asarray(opened) @ np.array([1, 256, 65536])
    table = json.loads((data / "panoptic_examples.json").read_text())
    segments = table["annotations"][0]["segments_info"]
    names = {each["id"]: each["name"] for each in table["categories"]}
    labels = [names[each["category_id"]] for each in segments]
    assert sorted(shape.label for shape in picture.shapes) == sorted(labels)
    numbers = {label: number for number, label in enumerate(sorted(set(labels)), 1)}
    want = np.zeros(ids.shape, np.uint8)
    for each, label in zip(segments, labels, strict=True):
        want[ids == each["id"]] = numbers[label]
    found = draw(picture, "file", [numbers[shape.label] for shape in picture.shapes], 0)
    np.testing.assert_array_equal(found, want)


def test_the_export_of_via(tmp_path: Path) -> None:
    """One flat list for a polygon, and the id of an image as a text."""
    (nested,) = one(tmp_path, annotation([SQUARE])).shapes
    (flat,) = one(tmp_path, annotation(SQUARE, "1")).shapes
    np.testing.assert_array_equal(flat.parts[0].outline, nested.parts[0].outline)
