"""Scalabel JSON, and that of BDD100K."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.format import Record
from gpuseg.annotations.recognising import recognise
from gpuseg.annotations.scalabel import Frames, Scalabel
from gpuseg.discover import Source
from gpuseg.errors import AnnotationError
from gpuseg.shapes import Line, Picture, Runs, Uncounted
from gpuseg.verbs.rasterize import rasterize

SIZE = {"width": 12, "height": 8}

Pixels = NDArray[np.integer[Any]]


def square(left: int, top: int, right: int, bottom: int, **more: object) -> dict[str, object]:
    """A poly2d that is a rectangle."""
    corners = [[left, top], [right, top], [right, bottom], [left, bottom]]
    return {"vertices": corners, "types": "LLLL", "closed": True} | more


def label(category: str, *poly2d: object, **more: object) -> dict[str, object]:
    """A label of a frame."""
    return {"id": "a", "category": category, "poly2d": list(poly2d)} | more


def frame(*labels: object, **more: object) -> dict[str, object]:
    """A frame of a file."""
    return {"name": "one.jpg", "size": SIZE, "labels": list(labels)} | more


def records(folder: Path, value: object) -> list[Record]:
    """The images of a file."""
    path = folder / "labels.json"
    path.write_text(json.dumps(value))
    return list(Frames(str(path)))


def read(value: object, folder: Path, **choices: Any) -> Picture:
    """What is read of the only image of a file."""
    (record,) = records(folder, value)
    source = Source("labels.json", record.name, content=record.content)
    return Scalabel().read(source, ReadingChoices(**choices))


def made(folder: Path, value: object, **options: Any) -> Pixels:
    """The label map of the only image of a file."""
    path = folder / "labels.json"
    path.write_text(json.dumps(value))
    report = rasterize(path, folder / "out", "bdd100k", **options)
    assert report.exit_code == 0, report.failures
    return np.asarray(Image.open(folder / "out/one.png"))


@pytest.mark.parametrize("palette", ["bdd100k", "bdd100k-toml"])
def test_the_example_of_the_toolkit_is_its_own_mask(
    palette: str, tmp_path: Path, shared: Path
) -> None:
    data = shared / "data/bdd100k"
    rasterize(data / "example_annotation.json", tmp_path, palette)
    labels = np.asarray(Image.open(tmp_path / "b1c81faa-3df17267-0000001.png"))
    np.testing.assert_array_equal(labels, np.asarray(Image.open(data / "semseg_mask.png")))


def test_its_instances_are_those_of_the_toolkits_tracks(tmp_path: Path, shared: Path) -> None:
    data = shared / "data/bdd100k"
    rasterize(data / "example_annotation.json", tmp_path, "bdd100k", instances="16")
    labels = np.asarray(Image.open(tmp_path / "b1c81faa-3df17267-0000001.png"))
    with Image.open(data / "bitmasks__quasi-video__segtrack_bitmask.png") as image:
        bitmask = np.asarray(image).astype(np.uint16)
    np.testing.assert_array_equal(labels, (bitmask[..., 2] << 8) + bitmask[..., 3])


def test_labels_are_drawn_in_the_order_of_the_file(tmp_path: Path) -> None:
    value = [frame(label("road", square(0, 0, 12, 8)), label("car", square(2, 2, 5, 6)))]
    labels = made(tmp_path, value)
    expected = np.zeros((8, 12), int)
    expected[2:6, 2:5] = 13
    np.testing.assert_array_equal(labels, expected)


def test_higher_scores_lie_over_lower_by_z(tmp_path: Path) -> None:
    value = [
        frame(
            label("car", square(2, 2, 5, 6), score=0.9),
            label("road", square(0, 0, 12, 8), score=0.1),
        )
    ]
    assert not (made(tmp_path, value) == 13).any()
    assert (made(tmp_path, value, order="z", overwrite=True) == 13).sum() == 12


def test_classes_without_a_train_id_leave_what_lies_under_them(tmp_path: Path) -> None:
    value = [frame(label("road", square(0, 0, 12, 8)), label("static", square(2, 2, 5, 6)))]
    report = tmp_path / "report.jsonl"
    assert (made(tmp_path, value, report=report) == 0).all()
    assert json.loads(report.read_text().splitlines()[1])["left_out"] == {"static": 1}


def test_open_outlines_of_areas_are_filled_and_open_paths_left_out(tmp_path: Path) -> None:
    value = [
        frame(
            label("car", square(2, 2, 5, 6, closed=False)),
            label("single white", square(7, 2, 10, 6, closed=False)),
        )
    ]
    assert (made(tmp_path, value) == 13).sum() == 12
    assert read(value, tmp_path).left_out == {"path": 1}
    wide = read(value, tmp_path, line_width=2)
    assert isinstance(wide.shapes[1].parts[0], Line)


def test_paths_beside_polygons_of_one_label_need_a_width(tmp_path: Path) -> None:
    both = label("x", square(0, 0, 2, 2), square(3, 0, 5, 2, closed=False))
    (bad,) = read([frame(both)], tmp_path).bad
    assert "open paths beside polygons" in str(bad)
    assert len(read([frame(both)], tmp_path, line_width=1).shapes[0].parts) == 2


@pytest.mark.parametrize("kind", ["box2d", "box3d", "graph", "tag"])
def test_what_marks_no_area_is_counted(kind: str, tmp_path: Path) -> None:
    value = [frame({"id": 1, "category": "car", kind: {"x1": 1}, "poly2d": None})]
    assert read(value, tmp_path).left_out == {kind: 1}


@pytest.mark.parametrize(
    ("crowd", "ignored", "left_out"),
    [(None, False, {}), ("class", False, {}), ("ignore", True, {}), ("skip", None, {"crowd": 1})],
)
@pytest.mark.parametrize("attribute", ["crowd", "ignored"])
def test_crowds(
    crowd: Any, ignored: bool | None, left_out: dict[str, int], attribute: str, tmp_path: Path
) -> None:
    value = [frame(label("car", square(0, 0, 2, 2), attributes={attribute: True}))]
    picture = read(value, tmp_path, crowd=crowd)
    assert [shape.ignored for shape in picture.shapes] == ([] if ignored is None else [ignored])
    assert picture.left_out == left_out
    assert all(shape.instance is Uncounted.GROUP for shape in picture.shapes)


def test_an_attribute_names_the_class(tmp_path: Path) -> None:
    value = [
        frame(
            label("drivable area", square(0, 0, 2, 2), attributes={"areaType": "direct"}),
            label("car", square(0, 0, 2, 2), attributes={}),
        )
    ]
    picture = read(value, tmp_path, label_key="areaType")
    assert [shape.label for shape in picture.shapes] == ["direct", "car"]


def test_runs_are_those_of_pycocotools(tmp_path: Path) -> None:
    mask_utils = pytest.importorskip("pycocotools.mask")
    mask = np.random.default_rng(1).random((8, 12)) < 0.4
    rle = mask_utils.encode(np.asfortranarray(mask, np.uint8))
    text = {"counts": rle["counts"].decode(), "size": [8, 12]}
    value = [frame({"id": "1", "category": "car", "rle": text})]
    (part,) = read(value, tmp_path).shapes[0].parts
    assert isinstance(part, Runs)
    np.testing.assert_array_equal(made(tmp_path, value) == 13, mask)


@pytest.mark.parametrize(
    ("rle", "told"),
    [
        ({"counts": [3, 4], "size": [8, 12]}, "has runs of 7 pixels, and 96"),
        ({"counts": "11"}, "has runs of the size None"),
        ({"counts": "11", "size": [12, 8]}, "its image needs [8, 12]"),
        ({"counts": "11", "size": [8, 12]}, "damaged"),
        ({"counts": "\u20ac", "size": [8, 12]}, "damaged"),
        ({"counts": "", "size": [8, 12]}, "damaged"),
        ("11", "needs an object for its runs"),
    ],
)
def test_damaged_runs_are_told(rle: object, told: str, tmp_path: Path) -> None:
    (bad,) = read([frame({"id": "1", "category": "car", "rle": rle})], tmp_path).bad
    assert told in str(bad)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        (3, "is no object"),
        (label("car", 3), "needs an object"),
        (label("car") | {"poly2d": 3}, "needs a list"),
        (label("car") | {"poly2d": {"a": 1}}, "needs a list"),
        ({"poly2d": [square(0, 0, 2, 2)]}, "needs a text for its label"),
        (label("car", square(0, 0, 2, 2), score="high"), "its score"),
        (label("car", square(0, 0, 2, 2), score=float("nan")), "its score"),
        (label("car", square(0, 0, 2, 2), attributes=3), "its attributes"),
    ],
)
def test_bad_labels_are_told(wrong: object, told: str, tmp_path: Path) -> None:
    picture = read([frame(label("road", square(0, 0, 9, 9)), wrong)], tmp_path)
    assert len(picture.shapes) == 1
    (bad,) = picture.bad
    assert bad.number == 2
    assert told in str(bad)


def test_the_size_is_that_of_frame_then_file_then_choice(tmp_path: Path) -> None:
    def size(frame: dict[str, object], config: object, **choices: Any) -> tuple[int, int]:
        picture = read({"frames": [frame], "config": config}, tmp_path, **choices)
        return picture.width, picture.height

    named, shared = {"name": "b1c81faa-3df17267.jpg", "labels": []}, {"imageSize": SIZE}
    assert size(frame(), {"imageSize": {"width": 3, "height": 4}}) == (12, 8)
    assert size(named, shared, size=(5, 6)) == (12, 8)
    assert size(named, {}, size=(5, 6)) == (5, 6)
    assert size(named, None) == (1280, 720)
    with pytest.raises(AnnotationError, match="--size"):
        size({"name": "other.jpg", "labels": []}, None)
    Image.new("L", (7, 9)).save(tmp_path / "b1c81faa-3df17267.jpg")
    assert size(named, None, images=str(tmp_path)) == (7, 9)


@pytest.mark.parametrize("size", [3, {"width": 3}, {"width": 0, "height": 1}, {"width": "3"}, [1]])
def test_a_size_that_is_none_is_told(size: object, tmp_path: Path) -> None:
    with pytest.raises(AnnotationError, match="size"):
        read([frame(size=size)], tmp_path)


def test_labels_may_be_missing(tmp_path: Path) -> None:
    assert read([frame(labels=None)], tmp_path).shapes == ()


def test_each_frame_is_a_record_of_its_own(tmp_path: Path) -> None:
    one, two = frame(label("road", square(0, 0, 3, 3))), frame(name="\u00e4/zwei.jpg")
    first, second = records(tmp_path, [one, two])
    assert (first.name, second.name) == ("one.jpg", "\u00e4/zwei.jpg")
    assert json.loads(first.content)["frame"] == one
    again = records(tmp_path, [one | {"name": "x.jpg"}, two])
    assert again[1].content == second.content
    sized = records(tmp_path, {"frames": [one, two], "config": {"imageSize": SIZE}})
    assert sized[1].content != second.content


def test_frames_without_a_name_are_rows(tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text(json.dumps([frame(), 3, {"name": 4}, {"name": ""}]))
    report = rasterize(path, tmp_path / "out", "bdd100k", format="scalabel")
    assert report.exit_code == 1
    assert report.files["converted"] == 1
    assert report.files["failed"] == 3
    assert "has no name" in str(report.failures[0])


NO_FILES = [
    "",
    "3",
    "{}",
    "[]",
    '{"frames": []}',
    '{"frames": {"a": 1}}',
    '[{"name": "a"',
    "\ufeff{}",
]


@pytest.mark.parametrize("text", NO_FILES)
def test_files_that_are_none_are_told(text: str, tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text(text, encoding="utf-8")
    report = rasterize(path, tmp_path / "out", "bdd100k", format="scalabel")
    assert report.exit_code == 1
    assert not (tmp_path / "out/one.png").exists()


@pytest.mark.parametrize("escaped", [True, False])
@pytest.mark.parametrize("name", ["\u00e4.jpg", "\u732b.jpg", "\u00c3\u00a4.jpg"])
def test_names_are_read_as_they_were_written(name: str, escaped: bool, tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text(json.dumps([frame(name=name)], ensure_ascii=escaped), encoding="utf-8")
    assert list(Frames(str(path)).names()) == [name]


@pytest.mark.parametrize(
    "value",
    [
        [frame(label("car"))],
        [{"name": "a.jpg", "videoName": "b", "labels": None}],
        {"config": {}, "frames": [frame()]},
    ],
)
def test_it_is_recognised(value: object, tmp_path: Path) -> None:
    path = tmp_path / "labels.json"
    path.write_text(json.dumps(value))
    assert isinstance(recognise(str(path)), Scalabel)
