"""`verify` by its function: what it says of dumps with planted faults, and of real ones."""

from __future__ import annotations

import json
import os
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gpuseg import Palette, Shard, convert_directory, verify
from gpuseg.codecs.label_png import write_label
from gpuseg.discover import Walk
from gpuseg.errors import UsageError
from gpuseg.results import Report
from gpuseg.runs import Running
from tests.making import PALETTE, mask, save_mask

NAMES = ["a.png", "b/c.png", "b/d.png"]


@pytest.fixture
def dump(tmp_path: Path) -> Path:
    """A folder with `src` and the label maps of its masks, `dst`."""
    for seed, name in enumerate(NAMES):
        save_mask(tmp_path / "src" / name, 11 + seed, 14, seed=seed)
    assert convert_directory(tmp_path / "src", tmp_path / "dst", PALETTE).exit_code == 0
    return tmp_path


def rows(folder: Path, **options: Any) -> tuple[Report, dict[str, dict[str, Any]]]:
    """What `verify` says of `src` and `dst` below a folder: the report and its rows."""
    path = folder / "verify.jsonl"
    report = verify(folder / "src", folder / "dst", report=path, **options)
    lines = [json.loads(line) for line in path.read_text("ascii").splitlines()]
    assert [line["type"] for line in lines] == ["run", *["file"] * (len(lines) - 2), "summary"]
    found = {line["source"]: line for line in lines[1:-1]}
    assert len(found) == len(lines) - 2 == report.done, "an input has several rows"
    return report, found


def statuses(folder: Path, **options: Any) -> dict[str, str]:
    return {name: row["status"] for name, row in rows(folder, **options)[1].items()}


def test_what_was_converted_is_the_same(dump: Path) -> None:
    for options in ({}, {"palette": PALETTE}, {"workers": 1}, {"palette": dump / "dst/a.png"}):
        report, found = rows(dump, **options)
        assert {name: row["status"] for name, row in found.items()} == dict.fromkeys(NAMES, "same")
        assert report.exit_code == 0
        assert report.pixels == 14 * (11 + 12 + 13)
        assert found["b/c.png"]["target"] == "b/c.png"
    (dump / "dst" / "gpuseg-report.jsonl").unlink()
    assert statuses(dump) == dict.fromkeys(NAMES, "same")


def change(path: Path, by: Callable[[np.ndarray, bytes], tuple[np.ndarray, bytes]]) -> None:
    """Write a label map again, with something else in it, without a fingerprint."""
    with Image.open(path) as image:
        labels, plte = np.array(image), bytes(image.getpalette())
    path.write_bytes(write_label(*by(labels, plte)))


def one_pixel(labels: np.ndarray, plte: bytes) -> tuple[np.ndarray, bytes]:
    labels[-1, -1] ^= 1
    return labels, plte


def swapped(labels: np.ndarray, plte: bytes) -> tuple[np.ndarray, bytes]:
    colours = np.frombuffer(plte, np.uint8).reshape(-1, 3)
    return labels, colours[:, ::-1].tobytes()


@pytest.mark.parametrize(
    ("by", "told"),
    [
        (one_pixel, "1 of 168 pixels differ, the first at x=13 y=11"),
        (lambda labels, plte: (labels[:, 1:], plte), "14 x 12 pixels, its label map 13 x 12"),
        (lambda labels, plte: (labels, plte[:9] + b"\1\2\3" + plte[12:]), "other colours (index 3"),
        (swapped, "other colours (index 1 is #000080, not #800000)"),
        (lambda labels, plte: (np.roll(labels, 1, 0), plte), "of 168 pixels differ, the first at"),
        (lambda labels, plte: (labels + 50, plte), "168 of 168 pixels differ"),
    ],
)
def test_planted_faults_differ(dump: Path, by: Any, told: str) -> None:
    change(dump / "dst/b/c.png", by)
    report, found = rows(dump)
    assert (report.exit_code, report.failed) == (1, 1)
    assert found["b/c.png"]["status"] == "differs"
    assert told in found["b/c.png"]["message"]
    assert [found[name]["status"] for name in ("a.png", "b/d.png")] == ["same", "same"]


@pytest.mark.parametrize("by", [one_pixel, swapped])
def test_planted_faults_differ_by_the_label_maps_own_colours(dump: Path, by: Any) -> None:
    (dump / "dst" / "gpuseg-report.jsonl").unlink()
    change(dump / "dst/b/c.png", by)
    assert statuses(dump) == {"a.png": "same", "b/c.png": "differs", "b/d.png": "same"}


def test_missing_extra_and_unreadable(dump: Path) -> None:
    (dump / "dst/a.png").unlink()
    (dump / "dst/b/d.png").write_bytes((dump / "dst/b/d.png").read_bytes()[:99])
    shutil.copy(dump / "dst/b/c.png", dump / "dst/b/e.png")
    save_mask(dump / "src" / "f.png")
    (dump / "dst" / "f.png").mkdir()
    (dump / "src" / "g.png").write_bytes(b"text")
    shutil.copy(dump / "dst/b/c.png", dump / "dst/g.png")
    shutil.copy(dump / "src/b/c.png", dump / "src/h.png")
    shutil.copy(dump / "src/b/c.png", dump / "dst/h.png")
    report, found = rows(dump)
    assert report.exit_code == 1
    assert report.files == {"missing": 1, "extra": 1, "failed": 4, "same": 1}
    assert (found["a.png"]["status"], found["b/e.png"]["status"]) == ("missing", "extra")
    assert "a.png is not in DST" in found["a.png"]["message"]
    assert "no file of SRC" in found["b/e.png"]["message"]
    assert found["b/d.png"]["message"].startswith("its label map ")
    assert found["f.png"]["message"] == "its label map is a folder, a pipe or a device; remove it"
    assert found["g.png"]["message"].startswith("is no image")
    assert (found["h.png"]["error"], found["h.png"]["message"][:26]) == (
        "label",
        "its label map holds colour",
    )
    assert found["b/c.png"]["status"] == "same"


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
def test_what_is_no_label_map_is_no_unsupported_mask(dump: Path, mode: str) -> None:
    Image.open(dump / "src/a.png").convert(mode).save(dump / "dst/a.png")
    assert rows(dump)[1]["a.png"]["error"] == "label"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(dump: Path) -> None:
    (dump / "dst/a.png").unlink()
    os.mkfifo(dump / "dst/a.png")
    assert statuses(dump)["a.png"] == "failed"


def test_what_was_refused_is_missing(dump: Path) -> None:
    pixels = mask(9, 9)
    pixels[0, 0] = (1, 2, 3)
    Image.fromarray(pixels).save(dump / "src/odd.png")
    assert convert_directory(dump / "src", dump / "dst", PALETTE).exit_code == 1
    assert statuses(dump)["odd.png"] == "missing"


@pytest.mark.parametrize("unknown", ["ignore", "nearest"])
@pytest.mark.parametrize("own", [True, False])
def test_unknown_colours_are_those_that_were_counted(dump: Path, unknown: Any, own: bool) -> None:
    pixels = mask(9, 9)
    pixels[0, :3] = (1, 2, 3)
    Image.fromarray(pixels).save(dump / "src/odd.png")
    convert_directory(dump / "src", dump / "dst", PALETTE, unknown=unknown)
    options = {} if own else {"palette": PALETTE}
    report, found = rows(dump, **options)
    assert (report.exit_code, found["odd.png"]["unknown_pixels"]) == (0, 3)
    right = tuple(pixels[5, 5])
    pixels[5, 5] = (1, 2, 3)
    Image.fromarray(pixels).save(dump / "src/odd.png")
    _, found = rows(dump, **options)
    assert "4 pixels of a colour that is not in the palette" in found["odd.png"]["message"]
    pixels[5, 5] = right
    Image.fromarray(pixels).save(dump / "src/odd.png")
    assert statuses(dump, **options)["odd.png"] == "same"
    change(dump / "dst/odd.png", lambda labels, plte: (labels, plte))  # no fingerprint any more
    assert statuses(dump, **options)["odd.png"] == "differs"
    assert statuses(dump, allow_unknown=True, **options)["odd.png"] == "same"


@pytest.mark.parametrize(("unknown", "strange"), [("border", 0), ("border-ignore", 1)])
def test_borders_that_were_repaired_are_unknown_colours(
    tmp_path: Path, unknown: Any, strange: int
) -> None:
    labels = np.repeat(np.array([[1, 1, 1, 2, 2, 2]], np.uint8), 5, 0)
    pixels = PALETTE.colours[labels]
    pixels[:, 2] = (96, 32, 0)  # between those of 1 and 2
    pixels[:strange, 5] = (9, 9, 200)
    (tmp_path / "src").mkdir()
    Image.fromarray(pixels).save(tmp_path / "src/a.png")
    done = convert_directory(tmp_path / "src", tmp_path / "dst", PALETTE, unknown=unknown)
    assert done.unknown_pixels == 5 + strange, done.failures
    report, found = rows(tmp_path)
    assert (found["a.png"]["status"], report.unknown_pixels) == ("same", 5 + strange)


def test_the_ignore_index_is_that_of_the_run(dump: Path) -> None:
    convert_directory(dump / "src", dump / "dst", PALETTE, unknown="ignore", ignore_index=99)
    assert set(statuses(dump).values()) == {"same"}
    assert set(statuses(dump, palette=PALETTE).values()) == {"differs"}
    assert set(statuses(dump, palette=PALETTE, ignore_index=99).values()) == {"same"}


def test_16_bits(dump: Path) -> None:
    shutil.rmtree(dump / "dst")
    convert_directory(dump / "src", dump / "dst", PALETTE, depth=16)
    assert set(statuses(dump).values()) == {"same"}
    (dump / "dst" / "gpuseg-report.jsonl").unlink()
    _, found = rows(dump)
    assert {row["error"] for row in found.values()} == {"label"}
    assert set(statuses(dump, palette=PALETTE).values()) == {"same"}


def test_a_report_of_16_bits_whose_ignore_index_is_65535(dump: Path) -> None:
    many = Palette.from_colours([(i % 256, i // 256, 0) for i in range(300)])
    Image.fromarray(many.colours.reshape(20, 15, 3)).save(dump / "src/a.png")
    shutil.rmtree(dump / "src/b")
    shutil.rmtree(dump / "dst")
    convert_directory(dump / "src", dump / "dst", many, depth=16)
    assert statuses(dump) == {"a.png": "same"}


def test_two_colours_that_read_as_one_class_need_the_palette(tmp_path: Path) -> None:
    palette = Palette.resolve([*PALETTE.classes, PALETTE.classes[1].__class__(2, "b2", (9, 9, 9))])
    pixels = mask(8, 8)
    pixels[3, 3] = (9, 9, 9)
    (tmp_path / "src").mkdir()
    Image.fromarray(pixels).save(tmp_path / "src/a.png")
    convert_directory(tmp_path / "src", tmp_path / "dst", palette)
    assert statuses(tmp_path) == {"a.png": "same"}
    (tmp_path / "dst" / "gpuseg-report.jsonl").unlink()
    assert statuses(tmp_path) == {"a.png": "differs"}


def test_shards_share_masks_and_extras(dump: Path) -> None:
    for k in range(12):
        shutil.copy(dump / "dst/a.png", dump / f"dst/extra{k}.png")
    (dump / "dst/a.png").unlink()
    whole = statuses(dump)
    parts = [statuses(dump, shard=Shard(k, 3)) for k in (1, 2, 3)]
    assert len(whole) == 15
    assert sum(map(len, parts)) == 15
    assert {name: s for part in parts for name, s in part.items()} == whole
    assert all(any(s == "extra" for s in part.values()) for part in parts)


def test_fail_fast_stops(dump: Path) -> None:
    shutil.rmtree(dump / "dst/b")
    (dump / "dst/a.png").unlink()
    report = verify(dump / "src", dump / "dst", fail_fast=True, workers=1)
    assert (report.done, report.stopped) == (1, "fail-fast")


def test_one_file(dump: Path) -> None:
    report = verify(dump / "src/b/c.png", dump / "dst/b")
    assert report.files == {"same": 1}
    assert verify(dump / "src/b/c.png", dump / "dst").files == {"missing": 1}


def test_nothing_found_is_wrong(tmp_path: Path) -> None:
    (tmp_path / "src").mkdir()
    (tmp_path / "dst").mkdir()
    assert verify(tmp_path / "src", tmp_path / "dst").exit_code == 1


def test_usage(dump: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        verify(dump / "nowhere", dump / "dst")
    with pytest.raises(UsageError, match="does not exist"):
        verify(dump / "src", dump / "nowhere")
    with pytest.raises(UsageError, match="must not be SRC"):
        verify(dump / "src", dump / "src")
    with pytest.raises(UsageError, match="DST must be a folder"):
        verify(dump / "src", dump / "dst/a.png")
    (dump / "dst" / "gpuseg-report.jsonl").unlink()
    with pytest.raises(UsageError, match="belongs to a palette, got 9 with none"):
        verify(dump / "src", dump / "dst", ignore_index=9)


def test_nothing_is_written(dump: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in dump.rglob("*")}
    verify(dump / "src", dump / "dst")
    assert {path: path.stat().st_mtime_ns for path in dump.rglob("*")} == before


def test_the_task_works_in_another_process(dump: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tasks = []
    monkeypatch.setattr(Running, "flow", lambda running, task, **more: tasks.append(task) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        verify(dump / "src", dump / "dst")
    [task] = pickle.loads(pickle.dumps(tasks))
    assert not task.comparer.standard.lookup.table.flags.writeable
    for source in Walk(str(dump / "src")):
        assert task.run(source).status == "same"
