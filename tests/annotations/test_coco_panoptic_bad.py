"""COCO panoptic: what is damaged, hostile or of another kind is told."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.errors import AnnotationError, MaskError
from tests.annotations.panoptic_files import (
    CATEGORIES,
    FORMAT,
    IDS,
    errors,
    pictures,
    rgb,
    segment,
    value,
    write,
)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (segment(0), "needs an id of 1 to 16,777,215, got 0"),
        (segment(1 << 24), "needs an id of 1 to 16,777,215"),
        (segment(True), "needs an id"),
        (segment("7"), "needs an id"),
        (segment(300), "has the id 300, which another segment"),
        (segment(9, 99), "has a category_id that no category has: 99"),
        (segment(9, [1]), "has a category_id that no category has"),
        (segment(9, float("nan")), "has a category_id that no category has"),
        ({"id": 9}, "has a category_id that no category has: None"),
        ("x", "is no object"),
    ],
)
def test_bad_segments(tmp_path: Path, bad: Any, why: str) -> None:
    segments = [segment(300), segment(70000, 7), segment(2), bad]
    (picture,) = pictures(write(tmp_path, value(segments), IDS))
    assert [(shape.number, why in shape.why) for shape in picture.bad] == [(4, True)]
    assert len(picture.shapes) == 3


def _with(change: Callable[[dict[str, Any]], object]) -> dict[str, Any]:
    content = value([segment(300), segment(70000, 7), segment(2)])
    change(content)
    return content


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (_with(lambda v: v["images"][0].update(id=6)), "`images` does not list, by the id 5"),
        (_with(lambda v: v["annotations"][0].update(file_name="../a.png")), "`file_name`"),
        (_with(lambda v: v["annotations"][0].update(file_name="/a.png")), "`file_name`"),
        (_with(lambda v: v["annotations"][0].pop("file_name")), "`file_name`, got None"),
        (_with(lambda v: v["annotations"][0].update(segments_info=3)), "segments_info, got 3"),
        (_with(lambda v: v["annotations"].clear()), "has no annotation in the file"),
        (_with(lambda v: v["images"][0].pop("file_name")), "a text for `file_name`, got None"),
    ],
)
def test_images_that_cannot_be_used(tmp_path: Path, content: Any, why: str) -> None:
    found = errors(write(tmp_path, content, IDS))
    assert why in found[0]
    # an image whose annotation is not found is told of, too
    assert found[1:] == [e for e in found[1:] if "has no annotation in the file" in e]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (_with(lambda v: v["images"].append(v["images"][0])), "two images of the id 5"),
        (_with(lambda v: v["categories"].append(CATEGORIES[0])), "two categories of the id 1"),
        (_with(lambda v: v["images"][0].update(id=[1])), "needs a number for the `id`"),
        (_with(lambda v: v["categories"][0].update(name=7)), "needs a text for `name`"),
        (_with(lambda v: v["annotations"].append(7)), "needs an object for an annotation"),
        (_with(lambda v: v["annotations"][0].pop("image_id")), "`image_id`, got None"),
        (_with(lambda v: v["categories"].clear()), "has no `categories`"),
        (_with(lambda v: v.pop("annotations")), "has no `annotations`"),
        (_with(lambda v: v.update(images={})), "needs a list for `images`, got {}"),
    ],
)
def test_files_that_cannot_be_used(tmp_path: Path, content: Any, why: str) -> None:
    with pytest.raises(AnnotationError, match=why.replace("`", ".")):
        FORMAT.album(str(write(tmp_path, content, IDS)), ReadingChoices())


def _grey(path: Path) -> None:
    Image.fromarray(np.array(IDS, np.uint32).astype(np.uint8)).save(path)


def _deep(path: Path) -> None:
    Image.fromarray(np.array(IDS, np.uint32).astype(np.uint16)).save(path)


def _clear(path: Path) -> None:
    Image.fromarray(np.dstack([rgb(IDS), np.full((2, 4), 7, np.uint8)])).save(path)


def _lossy(path: Path) -> None:
    Image.fromarray(rgb(IDS)).save(path, "JPEG")


def _large(path: Path) -> None:
    Image.fromarray(rgb(np.zeros((3, 4)))).save(path)


def _cut(path: Path) -> None:
    Image.fromarray(rgb(IDS)).save(path)
    path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize(
    ("save", "why"),
    [
        (_grey, "is greyscale, and ids are colours"),
        (_deep, "has 16 bits a channel"),
        (_clear, "alpha"),
        (_lossy, "cannot hold ids: JPEG is lossy"),
        (_large, "is 4 x 2 pixels, and its mask 4 x 3"),
        (_cut, "which is "),
        (lambda path: path.write_text("no image"), "which is "),
        (lambda path: None, "has no mask .*name the folder of the masks by --masks"),
        (lambda path: path.mkdir(), "cannot be opened: Is a directory"),
    ],
)
def test_hostile_id_maps(tmp_path: Path, save: Callable[[Path], object], why: str) -> None:
    path = write(tmp_path, value([segment(300), segment(70000, 7), segment(2)]))
    (tmp_path / "panoptic").mkdir()
    save(tmp_path / "panoptic" / "a.png")
    with pytest.raises(MaskError, match=why):
        pictures(path)


def test_an_id_map_beyond_the_limit(tmp_path: Path) -> None:
    path = write(tmp_path, value([segment(300), segment(70000, 7), segment(2)]), IDS)
    with pytest.raises(MaskError, match="the limit is 7"):
        pictures(path, max_pixels=7)
