"""The palette of a run, read back from the head of its report."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gpuseg import storage
from gpuseg.palette import Merged, Palette, PaletteClass
from gpuseg.palettes.load import load_palette
from gpuseg.palettes.of_run import describe, palette_of_run, read_head
from tests.helpers import Place


def test_a_conversion_leaves_its_palette(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.good(1)
    assert place.convert("--ignore-index", "77").code == 0
    found = palette_of_run(place.dst)
    assert found is not None
    assert found.classes == load_palette(place.palette).classes
    assert found.ignore_index == 77
    head = read_head(place.dst / "gpuseg-report.jsonl")
    assert head is not None
    assert (head["verb"], head["src"], head["dst"]) == ("convert", str(place.src), str(place.dst))
    assert (head["host"], head["shard"], head["pattern"]) == (platform.node(), "1/1", None)


def test_shards_leave_one_each(tmp_path: Path) -> None:
    place = Place(tmp_path)
    place.good(2)
    place.convert("--shard", "2/2")
    found = palette_of_run(place.dst)
    assert found is not None
    assert len(found) == 6


def test_shards_in_a_storage(tmp_path: Path) -> None:
    pytest.importorskip("fsspec")
    url = f"memory://{tmp_path}"
    assert palette_of_run(url) is None
    head = {"type": "run", **describe(load_palette("voc"), 250)}
    storage.write(f"{url}/gpuseg-report-00002-of-00002.jsonl", json.dumps(head).encode())
    found = palette_of_run(url)
    assert found is not None
    assert found.name == "voc"
    head["dst"] = f"{url}/a-{{0..1}}.tar"
    storage.write(f"{url}/gpuseg-report-00002-of-00002.jsonl", json.dumps(head).encode())
    assert palette_of_run(f"{url}/a-{{0..1}}.tar") is not None
    assert palette_of_run(f"{url}/b.tar") is None


@pytest.mark.parametrize("name", ["voc", "cityscapes", "mapillary-v2", "ade20k"])
def test_presets_survive(tmp_path: Path, name: str) -> None:
    palette = load_palette(name)
    head = {"type": "run", **describe(palette, 250)}
    (tmp_path / "gpuseg-report.jsonl").write_text(json.dumps(head) + "\n")
    found = palette_of_run(tmp_path)
    assert found is not None
    assert (found.classes, found.name, found.ignore_index) == (palette.classes, name, 250)
    assert found.merged == palette.merged
    # without such classes as of old: shards of both versions can be merged
    assert ("merged_table" in head) == bool(palette.merged)
    head.pop("merged_table", None)
    (tmp_path / "gpuseg-report.jsonl").write_text(json.dumps(head) + "\n")
    assert palette_of_run(tmp_path) == replace(found, merged=())


ROW = {"index": 0, "name": "a", "colour": "#010203"}


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b"[]",
        b"[" * 200_000,
        b'{"type": "file"}',
        b'{"type": "run"}',
        json.dumps({"type": "run", "class_table": [ROW]}).encode(),
        *(
            json.dumps(
                {"type": "run", "palette": "p", "ignore_index": 255, "class_table": table}
            ).encode()
            for table in (
                7,
                [7],
                [],
                [ROW, ROW],
                [{**ROW, "index": "x"}],
                [{**ROW, "colour": "red"}],
                [{**ROW, "colour": "#01"}],
                [{"index": 0}],
                [{**ROW, "name": 5}],
                [{**ROW, "index": 1.0}],
            )
        ),
    ],
)
def test_what_is_no_report_of_ours_tells_nothing(tmp_path: Path, head: bytes) -> None:
    (tmp_path / "gpuseg-report.jsonl").write_bytes(head)
    assert palette_of_run(tmp_path) is None


@pytest.mark.parametrize("wrong", [{"palette": 3}, {"ignore_index": 2.5}, {"ignore_index": True}])
def test_values_of_other_types_tell_nothing(tmp_path: Path, wrong: dict[str, object]) -> None:
    head = {"type": "run", "palette": "p", "ignore_index": 255, "class_table": [ROW]}
    (tmp_path / "gpuseg-report.jsonl").write_text(json.dumps(head))
    assert palette_of_run(tmp_path) is not None
    (tmp_path / "gpuseg-report.jsonl").write_text(json.dumps({**head, **wrong}))
    assert palette_of_run(tmp_path) is None


GONE = {"index": -1, "name": "b", "colour": "#010203", "kept": "a"}


@pytest.mark.parametrize(
    "table",
    [
        7,
        None,
        [7],
        [ROW],
        [{**GONE, "kept": 7}],
        [{**GONE, "index": 1 << 16}],
        [{**GONE, "name": 1}],
    ],
)
def test_merged_classes_that_are_not_as_we_write_them_tell_nothing(
    tmp_path: Path, table: Any
) -> None:
    head = {"type": "run", "palette": "p", "ignore_index": 255, "class_table": [ROW]}
    path = tmp_path / "gpuseg-report.jsonl"
    path.write_text(json.dumps(head | {"merged_table": [GONE]}))
    found = palette_of_run(tmp_path)
    assert found is not None
    assert found.merged == (Merged("b", -1, "a", (1, 2, 3)),)
    path.write_text(json.dumps(head | {"merged_table": table}))
    assert palette_of_run(tmp_path) is None


def test_no_report(tmp_path: Path) -> None:
    assert palette_of_run(tmp_path) is None
    assert palette_of_run(tmp_path / "nowhere") is None
    assert read_head(tmp_path) is None


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "gpuseg-report.jsonl")
    assert palette_of_run(tmp_path) is None


def test_the_head_tells_the_ignore_index_that_was_written() -> None:
    palette = Palette.from_colours([(1, 2, 3)])
    assert describe(palette, 255)["ignore_index"] == 255


def test_archives_are_told_by_their_own_runs(tmp_path: Path) -> None:
    def leave(name: str, palette: str, dst: str) -> None:
        head = {"type": "run", "dst": f"/elsewhere/{dst}", **describe(load_palette(palette), 255)}
        (tmp_path / name).write_text(json.dumps(head) + "\n")

    def told(name: str) -> str | None:
        found = palette_of_run(tmp_path / name)
        return None if found is None else found.name

    leave("gpuseg-report.jsonl", "cityscapes", "a-{0..9}.tar")
    leave("b.tar.gpuseg-report.jsonl", "voc", "b.tar")
    assert [told(n) for n in ("a-3.tar", "a-{0..9}.tar")] == ["cityscapes"] * 2
    assert [told(n) for n in ("b.tar", "b.zip", "aa-3.tar", "a-3.zip")] == ["voc", None, None, None]


def test_a_class_that_nobody_made_the_ignore_index_is_none(tmp_path: Path) -> None:
    """`convert` names 255 in its report, and where it is a class never writes it for no class."""
    first = PaletteClass(0, "road", (1, 2, 3))
    for name, written, told in (("sky", 255, None), ("sky", 0, 0), ("void", 255, 255)):
        palette = Palette((first, PaletteClass(255, name, (4, 5, 6))))
        head = {"type": "run", **describe(palette, written)}
        (tmp_path / "gpuseg-report.jsonl").write_text(json.dumps(head))
        found = palette_of_run(tmp_path)
        assert found is not None
        assert found.ignore_index == told
    # a palette that says so makes any class its ignore index, as that of Cityscapes does
    head = {"type": "run", **describe(load_palette("cityscapes"), 255)}
    (tmp_path / "gpuseg-report.jsonl").write_text(json.dumps(head))
    found = palette_of_run(tmp_path)
    assert found is not None
    assert found.ignore_index == 255
