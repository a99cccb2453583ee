"""Formats by what files hold."""

from __future__ import annotations

import json
import os
from itertools import permutations
from pathlib import Path

import pytest

from gpuseg.annotations.labelme import LabelMe
from gpuseg.annotations.recognising import (
    FORMATS,
    first_file_of,
    format_names,
    format_of,
    recognise,
)
from gpuseg.errors import UsageError

LABELME = {"version": "5.0.1", "shapes": [], "imagePath": "a.jpg", "imageData": None}


def test_names() -> None:
    assert len(set(format_names())) == len(FORMATS)
    for name in format_names():
        assert format_of(name).name == name
    with pytest.raises(UsageError, match=r"auto or one of .*labelme.*, got 'LabelMe'"):
        format_of("LabelMe")


def test_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(json.dumps(LABELME))
    assert isinstance(recognise(str(path)), LabelMe)


def test_empty_lists_are_keys_too(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    for data in ({"shapes": [], "imagePath": ""}, {"imageHeight": 3, "shapes": []}):
        path.write_text(json.dumps(data))
        assert isinstance(recognise(str(path)), LabelMe)


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"{}", "in no format of annotations that is known"),
        (b"[]", "in no format of annotations that is known"),
        (b'{"shapes": []}', "LabelMe JSON.*; name it by --format"),
        (b'{"a": 1', "is no JSON that can be read"),
        (
            b"\xff\xfe{",
            r"begins with b'\\xff\\xfe\{', and annotations with \{ or \[ \(JSON in UTF-8",
        ),
        (b"\x89PNG\r\n\x1a\n\0\0", r"begins with b'\\x89PNG.*; name a file of annotations"),
        (b"", "is no JSON that can be read"),
    ],
)
def test_a_file_in_no_format(tmp_path: Path, data: bytes, told: str) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(data)
    with pytest.raises(UsageError, match=told):
        recognise(str(path))


def test_a_folder_is_what_its_first_file_in_any_format_is(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"{ broken")
    (tmp_path / "b.json").write_bytes(b"[1, 2]")
    (tmp_path / "c.txt").write_text(json.dumps(LABELME))
    (tmp_path / "._d.json").write_text(json.dumps(LABELME))
    (tmp_path / "e.json").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "f.json")
    with pytest.raises(UsageError, match=r"holds no annotations \(.json, .xml\) in a format"):
        recognise(str(tmp_path))
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "z.json").write_text(json.dumps(LABELME))
    assert isinstance(recognise(str(tmp_path)), LabelMe)


def test_a_folder_of_two_formats(tmp_path: Path) -> None:
    (tmp_path / "SegmentationClass").mkdir()
    (tmp_path / "dataset_meta.json").write_text('{"label_map": {"0": "background"}}')
    (tmp_path / "SegmentationClass" / "a.json").write_text(json.dumps(LABELME))
    assert recognise(str(tmp_path)).name == "voc"
    (tmp_path / "b.json").write_text(json.dumps(LABELME))
    told = "VOC segmentation masks, and LabelMe JSON in b.json; choose by --format voc or --format"
    with pytest.raises(UsageError, match=told):
        recognise(str(tmp_path))


def test_the_first_file_of_a_format(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.json").write_text('{"x": 1}')
    for name in ("sub/b.json", "sub/c.json"):
        (tmp_path / name).write_text(json.dumps(LABELME))
    assert first_file_of(str(tmp_path), format_of("labelme")) == str(tmp_path / "sub/b.json")
    assert first_file_of(str(tmp_path), format_of("coco")) is None


def test_what_is_neither_file_nor_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "nothing", Path(os.devnull)):
        with pytest.raises(UsageError, match="neither a file nor a folder"):
            recognise(str(path))


def _coco(**lists: list[object]) -> dict[str, object]:
    return {"images": [{"id": 1}], "annotations": [], "categories": [{"name": "a"}], **lists}


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (_coco(), "coco"),
        (_coco(categories=[{"name": "a", "isthing": 1}]), "coco-panoptic"),
        ({"imgHeight": 3, "imgWidth": 4, "objects": []}, "cityscapes"),
    ],
)
def test_files_without_annotations(tmp_path: Path, value: dict[str, object], name: str) -> None:
    path = tmp_path / "a.json"
    for keys in permutations(value):
        path.write_text(json.dumps({key: value[key] for key in keys}))
        assert recognise(str(path)).name == name


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"type": "FeatureCollection", "features": [{"geometry": {}}]}', "'features', 'type'"),
        ('{"cells": [], "metadata": {}, "nbformat": 4}', "'cells', 'metadata', 'nbformat'"),
        ('{"a": 1, "b": 2, "c": 3, "d": 4, "e": 5, "f": 6, "g": 7}', "'e', 'f', …,"),
        ('[{"image_id": 1, "score": 0.5}]', "is a list, its first element with 'image_id', 'sc"),
        ('{"images": [{}], "annotations": [{"caption": "x"}]}', "has 'annotations', 'images',"),
        ('{"imgHeight": 1, "imgWidth": 1, "objects": [{"bbox": []}]}', "has 'imgHeight', 'imgW"),
        ("<svg><rect/></svg>", "has the element 'svg' around 'rect',"),
        ("<svg/>", "has nothing, and is in no format"),
        ("[]", "has nothing, and is in no format"),
    ],
)
def test_what_a_file_in_no_format_holds_is_told(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(UsageError) as error:
        recognise(str(path))
    assert told in str(error.value)


def test_masks_below_a_folder(tmp_path: Path) -> None:
    (tmp_path / ".SegmentationClass" / "SegmentationClass").mkdir(parents=True)
    (tmp_path / ".SegmentationClass" / "a.json").write_text(json.dumps(LABELME))
    with pytest.raises(UsageError, match="holds no annotations"):
        recognise(str(tmp_path))
    (tmp_path / "VOC2012" / "SegmentationClass").mkdir(parents=True)
    assert recognise(str(tmp_path)).name == "voc"
    (tmp_path / "a.json").write_text(json.dumps(LABELME))
    assert recognise(str(tmp_path)).name == "labelme"


def test_a_table_of_classes_is_no_mask(tmp_path: Path) -> None:
    """CVAT's exports of detections have one, too."""
    (tmp_path / "labelmap.txt").write_text("a:1,2,3::\n")
    with pytest.raises(UsageError, match="holds no annotations"):
        recognise(str(tmp_path))
    (tmp_path / "a.json").write_text(json.dumps(LABELME))
    assert recognise(str(tmp_path)).name == "labelme"
