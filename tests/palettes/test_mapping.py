"""Maps of indices: from files, and from the names of palettes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpuseg.errors import PaletteError, PaletteFormatError, UsageError
from gpuseg.palette import Merged, Palette, PaletteClass
from gpuseg.palettes.mapping import IndexMap, load_mapping, match
from gpuseg.palettes.presets import load_preset


def write(folder: Path, text: str, name: str = "map.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        '{"7": 0, "8": 1, "255": "ignore"}',
        '{"8": 1, "255": " Ignore", "7": "0"}',
        "7,0\n8,1\n255,ignore\n",
        "\ufefffrom;to\n255;ignore\n\n8;1\n7;0\n",
        "# by hand\nname\tto\tfrom\nroad\t0\t7\nsidewalk\t1\t8\nvoid\tIGNORE\t255\n",
        "id,name,trainId\n7,road,0\n8,sidewalk,1\n255,void,ignore\n",
        "7,0\n7,0\n8,1\n255,ignore\n",
        "from,to,remark\n7,0,merged\n8,1\n255,ignore,\n",
    ],
)
def test_files(tmp_path: Path, text: str) -> None:
    found = load_mapping(write(tmp_path, text))
    assert found == IndexMap(((7, 0), (8, 1), (255, None)))


def test_dictionaries() -> None:
    assert load_mapping({8: 1, 7: "ignore"}).pairs == ((7, None), (8, 1))
    numbers = {np.uint8(7): np.int64(0)}
    assert load_mapping(numbers).pairs == ((7, 0),)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no rows"),
        ("{}", "at least one"),
        ("[1, 2]", "JSON object"),
        ('{"7": 0, "7": 1}', "each key once"),
        ('{"7": -1}', "0 to 65535 or 'ignore'"),
        ('{"7": 65536}', "0 to 65535 or 'ignore'"),
        ('{"7": true}', "0 to 65535 or 'ignore'"),
        ('{"7": null}', "0 to 65535 or 'ignore'"),
        ('{"road": 0}', "an index"),
        ('{"7": 0', "breaks off"),
        ("7 0", "two columns"),
        ("7,0,1", "a header"),
        ("name,value\n7,0", "from and to"),
        ("from,to,to\n7,0,1", "each once"),
        ('{"7": ' + "9" * 5000 + "}", "readable JSON"),
        ("7,0\n8", "2 columns"),
        ("7,0\n8,1,2", "2 columns"),
        ("from,name,to\n7,road, wide,0", "3 columns"),
        ("7,0\n8,x", "'x'"),
        ("7,0\n7,1", "one new index for 7"),
        ("7,0\n7,ignore", "one new index for 7"),
    ],
)
def test_what_is_no_map(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(PaletteFormatError, match=message):
        load_mapping(write(tmp_path, text))


def test_files_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "map.csv"
    path.write_bytes(b"\xff\xfe7,0")
    with pytest.raises(PaletteFormatError, match="UTF-8"):
        load_mapping(path)
    path.write_bytes(b"7,0\n" * (1 << 21))
    with pytest.raises(PaletteFormatError, match="at most"):
        load_mapping(path)


@pytest.mark.parametrize("spec", ["none.json", "cityscapes", ":", "a:", 7, None])
def test_what_is_no_form(spec: Any) -> None:
    with pytest.raises(UsageError, match="a mapping must be"):
        load_mapping(spec)
    for numbers in ("1:2", '{"1": 2}'):
        with pytest.raises(PaletteError, match=r"got .*; a map of numbers is a file: JSON such as"):
            load_mapping(numbers)
    with pytest.raises(PaletteError, match="cityscapes-ids"):
        load_mapping("cityscapes_ids:cityscapes")


def test_cityscapes_is_what_its_authors_say(shared: Path) -> None:
    """ids to trainIds by the table of cityscapesScripts, and back where that is a function."""
    text = (shared / "data/class_tables/cityscapes_labels.py.txt").read_text()
    space: dict[str, Any] = {}
    exec(text[: text.index("# Create dictionaries")], space)
    labels = [label for label in space["labels"] if label.id >= 0]
    there = load_mapping("cityscapes-ids:cityscapes")
    assert there.unmatched == ()
    want = {label.id: label.trainId for label in labels}
    assert {old: 255 if new is None else new for old, new in there.pairs} == want
    back = load_mapping("cityscapes:cityscapes-ids")
    want = {label.trainId: label.id for label in labels if label.trainId != 255}
    assert dict(back.pairs) == {**want, 255: None}


def test_reduce_zero_label_is_what_trainers_do() -> None:
    """As mmsegmentation writes it: gt[gt == 0] = 255; gt -= 1; gt[gt == 254] = 255."""
    gt = np.arange(256)
    gt[gt == 0] = 255
    gt = gt - 1
    gt[gt == 254] = 255
    found = dict(load_mapping("reduce-zero-label").pairs)
    assert [255 if found[old] is None else found[old] for old in range(256)] == gt.tolist()


def test_ids_without_gaps() -> None:
    old = load_preset("coco-panoptic")
    found = load_mapping("coco-panoptic:contiguous")
    ids = sorted(entry.index for entry in old.classes)
    assert dict(found.pairs) == {**{id_: n for n, id_ in enumerate(ids)}, 0: None}
    assert found.palette is not None
    new = {entry.index: entry for entry in found.palette.classes}
    assert all(new[ids.index(c.index)].name == c.name for c in old.classes)
    assert len(load_mapping("ade20k:contiguous").pairs) == 151  # merged classes have theirs, too


def palette(*names: str, ignore: int | None = 255, merged: tuple[Merged, ...] = ()) -> Palette:
    classes = tuple(PaletteClass(i, name, (i, 0, 0)) for i, name in enumerate(names))
    return Palette(classes, name="made", ignore_index=ignore, merged=merged)


def test_names_are_matched_but_for_case_and_blanks() -> None:
    old = palette("void", "Traffic-Light", "car", "boat", "dog")
    new = palette("CAR", "traffic light", merged=(Merged("boat", -1, "CAR", (0, 0, 0)),))
    found = match(old, new)
    assert found.pairs == ((0, None), (1, 1), (2, 0), (3, None), (255, None))
    assert found.unmatched == ((4, "dog"),)
    assert found.palette is new


def test_merged_classes_count() -> None:
    old = palette("car", merged=(Merged("van", 9, "car", (0, 0, 0)),))
    new = palette("road", "van", "car")
    assert match(old, new).pairs == ((0, 2), (9, 1), (255, None))
    assert match(new, old).pairs == ((1, 9), (2, 0), (255, None))


def test_one_index_of_two_classes() -> None:
    rows = ((0, "tree"), (0, "bush"), (1, "car"))
    old = Palette(tuple(PaletteClass(i, name, (n, 0, 0)) for n, (i, name) in enumerate(rows)))
    assert match(old, palette("car", "tree")).unmatched == ((0, "tree / bush"),)
    with pytest.raises(PaletteError, match="would become several"):
        match(old, palette("car", "tree", "bush"))


def test_any_two_presets_can_be_asked(tmp_path: Path) -> None:
    for pair in ("idd:cityscapes", "kitti:cityscapes", "gta5:cityscapes", "viper:cityscapes"):
        found = load_mapping(pair)
        assert len(found.pairs) > 18, pair
    assert [name for _, name in load_mapping("kitti:cityscapes").unmatched] == []
    spaces = load_mapping("bdd100k-ids:bdd100k")
    assert spaces.unmatched == ()
    both = json.dumps({"7": 0})
    write(tmp_path, both, "a:b")
    assert load_mapping(tmp_path / "a:b").pairs == ((7, 0),)
