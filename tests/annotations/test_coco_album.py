"""The images of a COCO file, wherever their annotations stand in it, and those of none."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.annotations.coco_album import CocoAlbum
from gpuseg.annotations.format import Record
from gpuseg.errors import AnnotationError
from gpuseg.palette import Palette, PaletteClass
from gpuseg.results import Report
from gpuseg.verbs.rasterize import rasterize
from tests.annotations.coco_files import CATEGORIES, SQUARE, annotation, image, pictures, written


def records(path: str) -> list[Record]:
    album = CocoAlbum(path)
    found = list(album)
    assert [record.name for record in found][: len(list(album.names()))] == list(album.names())
    return found


def value(record: Record) -> Any:
    assert record.error is None
    return json.loads(record.content)


@settings(max_examples=60)
@given(whose=st.lists(st.integers(1, 4), max_size=30), order=st.permutations(range(3)))
def test_annotations_come_by_image_in_the_order_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, whose: list[int], order: list[int]
) -> None:
    lists = [
        ("images", [image(k, width=k * 5) for k in (3, 1, 4, 2)]),
        ("categories", CATEGORIES),
        ("annotations", [annotation([SQUARE], k, id=n) for n, k in enumerate(whose)]),
    ]
    path = tmp_path_factory.mktemp("coco") / "a.json"
    path.write_text(json.dumps(dict(lists[k] for k in order)))
    found = records(str(path))
    assert [record.name for record in found] == ["3.jpg", "1.jpg", "4.jpg", "2.jpg"]
    for record, number in zip(found, (3, 1, 4, 2), strict=True):
        content = value(record)
        assert content["image"]["width"] == number * 5
        mine = [n for n, k in enumerate(whose) if k == number]
        assert [each["id"] for each in content["annotations"]] == mine
        assert content["categories"] == ([[1, "cat"]] if mine else [])


def test_a_change_elsewhere_leaves_an_image_as_it_was(tmp_path: Path) -> None:
    images, first = [image(1), image(2)], annotation([SQUARE], 1)
    before = records(written(tmp_path, images=images, annotations=[first]))
    others = [annotation([SQUARE], 2, category_id=7), first]
    categories = [{"id": 9, "name": "cow"}, *reversed(CATEGORIES)]
    path = written(tmp_path, images=images, annotations=others, categories=categories)
    after = records(path)
    assert before[0].content == after[0].content
    assert before[1].content != after[1].content
    renamed = [{"id": 1, "name": "lynx"}]
    path = written(tmp_path, images=images, annotations=[first], categories=renamed)
    assert records(path)[0].content != before[0].content


@pytest.mark.parametrize("escaped", [True, False])
def test_ids_and_names_of_any_text(tmp_path: Path, escaped: bool) -> None:
    value = {
        "images": [image(file_name="Straße\\寿司.jpg") | {"id": "Ä"}],
        "annotations": [annotation([SQUARE], "Ä", category_id="Ü")],
    }
    text = json.dumps(value, ensure_ascii=escaped)[:-1]
    other = json.dumps([{"id": "Ü", "name": "Köter"}], ensure_ascii=not escaped)
    path = tmp_path / "instances.json"
    path.write_bytes(f'{text}, "categories": {other}}}'.encode())
    ((name, picture),) = pictures(str(path))
    assert name == "Straße/寿司.jpg"
    assert [shape.label for shape in picture.shapes] == ["Köter"]


def test_an_index_finds_what_is_shuffled_in_a_large_file(tmp_path: Path) -> None:
    """Larger than the window that moves over it."""
    count = 3000
    found = [annotation([SQUARE * 20], k % 50, id=k) for k in range(count)]
    random.Random(1).shuffle(found)
    path = written(tmp_path, images=[image(k) for k in range(50)], annotations=found)
    assert Path(path).stat().st_size > 1 << 20
    for number, record in enumerate(records(path)):
        ids = [each["id"] for each in value(record)["annotations"]]
        assert ids == [each["id"] for each in found if each["image_id"] == number]


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ({"file_name": None}, "is an image that needs a text for `file_name`, got None"),
        ({"id": None}, "is an image that needs a number for `id`, got None"),
        ({"id": True}, "is an image that needs a number for `id`, got True"),
        ({"id": 1}, "has the id 1, which an image before it has"),
    ],
)
def test_an_image_that_cannot_be_used(tmp_path: Path, broken: dict[str, Any], why: str) -> None:
    images = [image(1), {**image(2), **broken}, image(3)]
    found = records(written(tmp_path, images=images, annotations=[annotation([SQUARE])]))
    assert [record.error is None for record in found] == [True, False, True]
    assert str(found[1].error).startswith(why)
    assert len(value(found[0])["annotations"]) == 1


@pytest.mark.parametrize(
    ("annotations", "why"),
    [
        (
            [annotation([], 5), annotation([], 6), annotation([], 5)],
            "has 3 annotations of 2 images",
        ),
        ([annotation([], None), 5], "has 2 annotations without an `image_id`"),
    ],
)
def test_annotations_of_no_image_are_one_row(
    tmp_path: Path, annotations: list[Any], why: str
) -> None:
    found = records(written(tmp_path, annotations=[annotation([SQUARE]), *annotations]))
    assert [record.name for record in found] == ["1.jpg", "instances.json"]
    assert len(value(found[0])["annotations"]) == 1
    assert str(found[1].error).startswith(why)


@pytest.mark.parametrize(
    ("lists", "why"),
    [
        ({"images": []}, "has no images"),
        ({"images": {"1": image()}}, "needs a list for `images`, got {'1': "),
        ({"annotations": None}, "needs a list for `annotations`, got None"),
        ({"categories": [], "annotations": [annotation([SQUARE])]}, "has no `categories`"),
        ({"categories": [{"id": 1}]}, "has a category that needs a number for `id` and a text for"),
        ({"categories": [{"name": "cat"}]}, "has a category that needs a number"),
        (
            {"categories": [*CATEGORIES, {"id": 1, "name": "cow"}]},
            "has two categories of id 1, 'cat",
        ),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, lists: dict[str, Any], why: str) -> None:
    with pytest.raises(AnnotationError, match=f"^{why}"):
        CocoAlbum(written(tmp_path, **lists))


def test_a_category_twice_is_one(tmp_path: Path) -> None:
    path = written(tmp_path, categories=CATEGORIES * 2, annotations=[annotation([SQUARE])])
    ((_, picture),) = pictures(path)
    assert [shape.label for shape in picture.shapes] == ["cat"]


def test_a_file_that_is_cut_off_or_not_there(tmp_path: Path) -> None:
    path = written(tmp_path, annotations=[annotation([SQUARE])])
    text = Path(path).read_text()
    Path(path).write_text(text[:-20])
    with pytest.raises(AnnotationError, match="is no JSON that can be read"):
        CocoAlbum(path)
    with pytest.raises(AnnotationError, match="cannot be read"):
        CocoAlbum(str(tmp_path / "none.json"))


def test_rows(tmp_path: Path) -> None:
    """What is at fault has a row of its own, and the others become label maps."""
    path = written(
        tmp_path,
        images=[image(1), image(2), image(3)],
        annotations=[
            annotation([SQUARE], 1),
            annotation([[1, 2]], 2, id=8),
            annotation([SQUARE], 3, category_id=7, iscrowd=1),
            annotation([SQUARE], 4),
        ],
    )
    palette = Palette((PaletteClass(0, "background", (0, 0, 0)), PaletteClass(1, "cat", (9, 9, 9))))
    report = rasterize(path, tmp_path / "maps", palette)
    failed = {row.source: row.message or "" for row in report.failures}
    assert set(failed) == {"2.jpg", "instances.json"}
    assert "(id 8) needs at least 3 points, got 1" in failed["2.jpg"]
    made = sorted(each.name for each in (tmp_path / "maps").glob("*.png"))
    assert made == ["1.png", "3.png"]


def test_a_file_of_images_alone(tmp_path: Path) -> None:
    """As those of test sets are: all of their label maps would be background."""
    path = tmp_path / "image_info_test.json"
    path.write_text(json.dumps({"images": [image()], "categories": CATEGORIES}), encoding="utf-8")
    with pytest.raises(AnnotationError, match="has no `annotations`, so there is nothing to draw"):
        CocoAlbum(str(path))


def test_annotations_of_no_image_are_all_told(tmp_path: Path) -> None:
    strays = [annotation([SQUARE], 7), annotation([SQUARE], None), annotation([SQUARE], None)]
    told = str(records(written(tmp_path, annotations=strays))[-1].error)
    assert "1 annotation of 1 image that `images` does not hold, as of image_id 7" in told
    assert "2 annotations without an `image_id`" in told


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_ignored_or_left_out_is_counted(tmp_path: Path, workers: int) -> None:
    """CVAT's exports to COCO call every bitmap a crowd."""
    crowd = annotation({"counts": [0, 300], "size": [15, 20]}, iscrowd=1)
    bare, bad = annotation(None), annotation([[1, 2]])
    path = written(
        tmp_path,
        images=[image(1), image(2), image(3)],
        annotations=[crowd, crowd, bare, bad, {**crowd, "image_id": 2}],
    )
    palette = Palette((PaletteClass(0, "background", (0, 0, 0)), PaletteClass(1, "cat", (9, 9, 9))))

    def run(**options: Any) -> tuple[Report, dict[str, Any]]:
        report = rasterize(
            path, tmp_path / "maps", palette, bad_shapes="skip", workers=workers, **options
        )
        rows = map(json.loads, Path(str(report.path)).read_text().splitlines())
        return report, {row["source"]: row for row in rows if row["type"] == "file"}

    report, rows = run()
    assert "; crowds ignored (--crowd class draws them): 3; shapes left out: 1; " in (
        f"{report.summary()}; "
    )
    assert "bad shapes left out: 1" in report.summary()
    assert sum(report.as_dict()["noted"].values()) == 5
    assert [rows[f"{i}.jpg"].get("ignored_crowds") for i in (1, 2, 3)] == [2, 1, None]
    assert all("noted" not in row for row in rows.values())
    assert "ignored_crowds" not in run(crowd="class", overwrite=True)[1]["1.jpg"]
    report, rows = run(crowd="skip", overwrite=True)
    assert "crowds ignored" not in report.summary()
    assert rows["1.jpg"]["left_out"]["crowd"] == 2
