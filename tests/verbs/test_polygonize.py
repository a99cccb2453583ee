"""polygonize: files of annotations that give the label maps again, by pycocotools."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gpuseg import Palette, convert_directory, load_label, polygonize, processes, rasterize
from gpuseg.errors import Interrupted, OutputError, UsageError
from tests.clusters import wait_until
from tests.dumps import label_maps, save_label_map
from tests.helpers import environment, read_report
from tests.making import PALETTE, indices, save_mask
from tests.polygonizing.reading import NONE, drawn
from tests.real import label_map

WAYS = [
    {"segmentation": segmentation, "by": by, "connectivity": connectivity}
    for segmentation in ("polygon", "rle")
    for by, connectivity in (("component", 4), ("component", 8), ("class", 4))
]


@pytest.mark.parametrize("ways", WAYS, ids=lambda ways: "-".join(map(str, ways.values())))
def test_label_maps_come_back(tmp_path: Path, ways: dict[str, Any]) -> None:
    maps = label_maps(tmp_path / "dst")
    found = polygonize(tmp_path / "dst", tmp_path / "a.json", PALETTE, workers=2, **ways)
    assert (found.report.files["read"], found.report.exit_code) == (9, 0)
    assert (found.path, found.palette) == (tmp_path / "a.json", "six")
    told = json.loads((tmp_path / "a.json").read_bytes())
    assert found.categories == len(told["categories"]) == 5
    assert (found.images, found.annotations) == (9, len(told["annotations"]))
    again = drawn(tmp_path / "a.json")
    assert list(again) == sorted(again)
    for i, labels in enumerate(maps):
        wanted = np.where(np.isin(labels, (0, 255)), NONE, labels.astype(np.int64))
        assert np.array_equal(again[f"sub/{i}.png" if i % 2 else f"{i}.png"], wanted)


COLOURS = np.unique(np.random.default_rng(0).integers(0, 256, (400, 3)), axis=0)[:256]
EVERY = Palette.from_colours(COLOURS.tolist(), map(str, range(256)), ignore_index=65535)


@pytest.mark.parametrize("ways", WAYS, ids=lambda ways: "-".join(map(str, ways.values())))
def test_rasterize_gives_label_maps_again(tmp_path: Path, ways: dict[str, Any]) -> None:
    """With every index, the ignored and the background, as an annotation."""
    maps = label_maps(tmp_path / "dst")
    polygonize(tmp_path / "dst", tmp_path / "a.json", EVERY, background="none", **ways)
    done = rasterize(tmp_path / "a.json", tmp_path / "again", EVERY, depth=16)
    assert done.exit_code == 0
    for i, labels in enumerate(maps):
        name = f"sub/{i}.png" if i % 2 else f"{i}.png"
        assert np.array_equal(load_label(tmp_path / "again" / name), labels)


SETS = ("davis_P", "human_parsing_P", "laneseg_P", "cocostuff_P", "ade20k")


@pytest.mark.slow
@pytest.mark.parametrize("segmentation", ["polygon", "rle"])
def test_real_label_maps_come_back(shared: Path, tmp_path: Path, segmentation: Any) -> None:
    """All their indices; what one file has: 16 bits, or colours, is another's."""
    paths = [path for name in SETS for path in sorted((shared / "data" / name).rglob("*.png"))]
    maps = {path.name: label_map(path) for path in paths}
    known = {name: labels for name, labels in maps.items() if labels is not None}
    assert len(known) > 8
    for name, labels in known.items():
        Image.fromarray(labels).save(tmp_path / name)
    polygonize(tmp_path, tmp_path / "a.json", ignore_index=65535, segmentation=segmentation)
    again = drawn(tmp_path / "a.json")
    assert rasterize(tmp_path / "a.json", tmp_path / "again", EVERY, depth=16).exit_code == 0
    for name, labels in known.items():
        assert np.array_equal(again[name], labels), name
        assert np.array_equal(load_label(tmp_path / "again" / name), labels), name


def test_the_file_is_the_same_by_any_workers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for i in range(40):
        save_label_map(tmp_path / "dst" / f"{i}.png", indices(30, 40, seed=i), PALETTE)
    texts = set()
    for workers in (1, 3):
        polygonize(tmp_path / "dst", tmp_path / "a.json", PALETTE, workers=workers)
        texts.add((tmp_path / "a.json").read_bytes())
    for name, value in (("PATIENCE", 0.0), ("ENOUGH", 1), ("TIMES_DONE", 0)):
        monkeypatch.setattr(processes, name, value)
    found = polygonize(tmp_path / "dst", tmp_path / "a.json", PALETTE, workers=2)
    assert (found.report.files["read"], found.report.remark) == (40, "")
    texts.add((tmp_path / "a.json").read_bytes())
    assert len(texts) == 1


def test_the_palette_of_the_run_names_the_categories(tmp_path: Path) -> None:
    save_mask(tmp_path / "src" / "0.png")
    convert_directory(tmp_path / "src", tmp_path / "dst", PALETTE, device="cpu")
    assert polygonize(tmp_path / "dst", tmp_path / "a.json").palette == "six"
    told = json.loads((tmp_path / "a.json").read_bytes())
    assert [category["name"] for category in told["categories"]] == ["a", "b", "c", "d", "e"]


def test_without_a_palette_only_255_is_ignored(tmp_path: Path) -> None:
    save_label_map(tmp_path / "dst" / "0.png", [[0, 0, 3], [255, 300, 3]])
    found = polygonize(tmp_path / "dst" / "0.png", tmp_path / "a.json", image_suffix=".jpg")
    told = json.loads((tmp_path / "a.json").read_bytes())
    assert [c["id"] for c in told["categories"]] == [0, 3, 300]
    assert (found.palette, found.categories) == ("", 3)
    assert drawn(tmp_path / "a.json")["0.jpg"].tolist() == [[0, 0, 3], [NONE, 300, 3]]


def test_what_is_no_label_map_is_a_row(tmp_path: Path) -> None:
    save_label_map(tmp_path / "dst" / "0.png", [[1, 1]], PALETTE)
    save_label_map(tmp_path / "dst" / "1.png", [[1, 9]], PALETTE)
    save_mask(tmp_path / "dst" / "2.png")
    report = tmp_path / "rows.jsonl"
    found = polygonize(tmp_path / "dst", tmp_path / "a.json", PALETTE, report=report)
    assert (found.images, found.report.failed, found.report.exit_code) == (1, 2, 1)
    rows = read_report(report).files
    assert rows["0.png"]["annotations"] == 1
    assert "holds indices that palette 'six' does not: 9 (1 px)" in rows["1.png"]["message"]
    assert list(drawn(tmp_path / "a.json")) == ["0.png"]


def test_nothing_is_written_of_a_run_that_stopped(tmp_path: Path) -> None:
    save_mask(tmp_path / "dst" / "1.png")
    found = polygonize(tmp_path / "dst", tmp_path / "a.json", workers=1, fail_fast=True)
    assert (found.path, found.report.stopped) == (None, "fail-fast")
    found = polygonize(tmp_path / "dst", tmp_path / "a.json", pattern="*.nothing")
    assert (found.path, found.report.exit_code) == (None, 1)
    assert not (tmp_path / "a.json").exists()


def test_small_ones_are_told(tmp_path: Path) -> None:
    save_label_map(tmp_path / "dst" / "0.png", [[1, 2, 2], [1, 3, 2]], PALETTE)
    found = polygonize(tmp_path / "dst", tmp_path / "a.json", PALETTE, min_area=3)
    assert (found.annotations, found.small, found.small_pixels) == (1, 2, 3)
    assert [*found.remarks] == ["2 smaller annotations (3 px) left out by --min-area"]
    assert found.as_dict()["small"] == 2


def test_instances_by_folder(tmp_path: Path) -> None:
    for name in ("a/0", "1", "2", "3"):
        save_label_map(tmp_path / "dst" / f"{name}.png", [[1, 1, 1, 0]], PALETTE)
    save_label_map(tmp_path / "ids" / "a" / "0.png", [[1, 256, 1, 0]])
    save_label_map(tmp_path / "ids" / "1.png", [[1, 2, 255, 0]], PALETTE)
    save_label_map(tmp_path / "ids" / "2.png", [[1, 2]], PALETTE)
    report = tmp_path / "rows.jsonl"
    found = polygonize(
        tmp_path / "dst", tmp_path / "a.json", PALETTE, report=report, instances=tmp_path / "ids"
    )
    assert (found.images, found.annotations, found.void_pixels) == (2, 4, 1)
    assert [*found.remarks] == ["1 pixel of classes left out: void in the instance maps"]
    told = json.loads((tmp_path / "a.json").read_bytes())["annotations"]
    assert [one["area"] for one in told] == [1, 1, 2, 1]
    rows = read_report(report).files
    assert "2.png is 2 x 1 pixels, and 4 x 1 were expected" in rows["2.png"]["message"]
    assert rows["3.png"]["message"].startswith("its instance map ")
    assert rows["3.png"]["error"] == "unreadable"


def test_places_that_do_not_go_together(tmp_path: Path) -> None:
    save_label_map(tmp_path / "dst" / "0.png", [[1]], PALETTE)
    save_label_map(tmp_path / "dst" / "ids" / "0.png", [[1]], PALETTE)
    out = tmp_path / "a.json"
    with pytest.raises(UsageError, match="would be taken for label maps"):
        polygonize(tmp_path / "dst", out, instances=tmp_path / "dst" / "ids")
    with pytest.raises(UsageError, match="must be a folder of this machine"):
        polygonize(tmp_path / "dst", out, instances=tmp_path / "none")
    with pytest.raises(UsageError, match="named for two outputs"):
        polygonize(tmp_path / "dst", out, report=out)
    out.write_text("{}")
    for place in (out, tmp_path / "no" / "a.json", tmp_path):
        with pytest.raises(OutputError, match="OUT must name a new file, or one that polygonize"):
            polygonize(tmp_path / "dst", place)
    assert out.read_text() == "{}"


def test_an_earlier_file_is_replaced(tmp_path: Path) -> None:
    palette = Palette.from_colours([(i, i, i) for i in range(250)], ["n" * 90] * 250)
    save_label_map(tmp_path / "dst" / "0.png", [[1]], palette)
    for by in ("class", "component"):
        assert polygonize(tmp_path / "dst", tmp_path / "a.json", palette, by=by).path
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.json", "dst"]


def test_interrupted_leaves_all_as_it_was(tmp_path: Path) -> None:
    save_label_map(tmp_path / "dst" / "0.png", [[1]], PALETTE)

    def interrupt(report: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted):
        polygonize(tmp_path / "dst", tmp_path / "a.json", progress=interrupt)
    assert [path.name for path in tmp_path.iterdir()] == ["dst"]


CODE = """
import sys
from gpuseg import polygonize
polygonize("dst", "a.json", report="rows.jsonl", workers=2)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 20_000])
def test_killed_leaves_no_half_file(tmp_path: Path, after: int) -> None:
    """after: bytes of the report, at which the kill comes."""
    save_label_map(tmp_path / "dst" / "0.png", indices(120, 160), PALETTE)
    for i in range(1, 1000):
        os.link(tmp_path / "dst" / "0.png", tmp_path / "dst" / f"{i}.png")
    run = subprocess.Popen([sys.executable, "-c", CODE], env=environment(), cwd=tmp_path)
    rows = tmp_path / "rows.jsonl"
    wait_until(
        lambda: (rows.exists() and rows.stat().st_size >= after) or run.poll() is not None, "rows"
    )
    run.send_signal(signal.SIGKILL)
    run.wait()
    out = tmp_path / "a.json"
    assert not out.exists() or len(json.loads(out.read_bytes())["images"]) == 1000
