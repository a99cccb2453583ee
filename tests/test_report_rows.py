"""Every input exactly once in the report, and what each way of running prints and leaves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from gpuseg.errors import OutputError
from gpuseg.lines import LineFile, encode_row
from tests.helpers import (
    REPORT,
    Place,
    check_exact,
    environment,
    gpuseg,
    gpuseg_process,
    read_report,
    tree,
)
from tests.making import save_mask


def messy(root: Path) -> tuple[Place, set[str]]:
    """A tree of good and bad masks and other files; the names that must get a row."""
    place = Place(root)
    place.good(6)
    bad = {"empty.png", "text.JPG", "two.png", "two.bmp"}
    for name in bad:
        (place.src / name).write_bytes(b"" if name != "text.JPG" else b"text")
    deep = place.src / "a" / "b" / "c"
    save_mask(deep / "x.bmp")
    save_mask(deep / "y.TIFF")
    (deep / "notes.txt").write_text("left alone")
    (place.src / "void").mkdir()
    expected = {"good0.png", "good2.png", "good4.png", *bad}
    expected |= {os.path.join("sub", f"good{i}.png") for i in (1, 3, 5)}
    expected |= {os.path.join("a", "b", "c", name) for name in ("x.bmp", "y.TIFF")}
    return place, expected


def test_every_input_has_one_row(tmp_path: Path) -> None:
    place, expected = messy(tmp_path)
    for files in ({"converted": 8, "failed": 4}, {"unchanged": 8, "failed": 4}):
        assert place.convert().code == 1
        report = place.report()
        assert set(report.files) == expected
        assert {k: v for k, v in report.summary["files"].items() if v} == files
        assert report.summary["left_alone"] == {".txt": 1}
        assert report.summary["problem"] == ""
        assert report.header["type"] == "run"
    assert len(check_exact(place)) == 8


def test_dry_run_writes_nothing_at_all(tmp_path: Path) -> None:
    place, expected = messy(tmp_path)
    before = tree(tmp_path)
    done = place.convert("--dry-run")
    assert done.code == 1
    assert done.out.startswith("8 planned, 4 failed")
    assert tree(tmp_path) == before
    assert not place.dst.exists()
    asked = tmp_path / "dry.jsonl"
    assert place.convert("--dry-run", "--report", asked).code == 1
    assert set(read_report(asked).files) == expected
    assert not place.dst.exists()
    assert place.convert().code == 1
    before = tree(tmp_path)
    assert place.convert("--dry-run").out.startswith("8 unchanged, 4 failed")
    assert tree(tmp_path) == before


def test_fail_fast_stops_and_says_so(tmp_path: Path) -> None:
    place = Place(tmp_path)
    for i in range(60):
        (place.src / f"{i}.png").write_bytes(b"")
    done = place.convert("--fail-fast")
    assert done.code == 1
    report = place.report()
    assert report.summary["stopped"] == "fail-fast"
    assert 1 <= len(report.files) <= 2  # one a worker
    assert "the remaining files were not looked at" in done.out


def test_json_is_all_that_is_printed(tmp_path: Path) -> None:
    place, _ = messy(tmp_path)
    done = gpuseg_process(*place.arguments("--json"))
    assert done.code == 1
    printed = json.loads(done.out)
    assert printed["report"] == str(place.dst / REPORT)
    assert printed == {**place.report().summary, "report": printed["report"]}


def test_quiet_prints_failures_only(tmp_path: Path) -> None:
    place, _ = messy(tmp_path)
    done = place.convert("--quiet")
    assert done.out == ""
    assert len(done.err.splitlines()) == 4
    assert all(line.startswith("failed ") for line in done.err.splitlines())
    good = Place(tmp_path / "good")
    good.good()
    done = good.convert("--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_one_file_is_converted_by_its_name(tmp_path: Path) -> None:
    place = Place(tmp_path)
    mask = save_mask(place.src / "a.tif")
    arguments = place.arguments()
    done = gpuseg(arguments[0], str(mask), *arguments[2:])
    assert done.code == 0
    assert list(place.report().files) == ["a.tif"]
    assert check_exact(place) == ["a.png"]


@pytest.mark.parametrize(
    "more",
    [
        ["--workers", "0"],
        ["--shard", "0/3"],
        ["--shard", "4/3"],
        ["--shard", "x"],
        ["--depth", "12"],
        ["--ignore-index", "256"],
        ["--tolerance", "3"],
        ["--max-pixels", "0"],
        ["--palette", "no-such-palette"],
        ["--nonsense"],
    ],
    ids=" ".join,
)
def test_wrong_usage(tmp_path: Path, more: list[str]) -> None:
    place = Place(tmp_path)
    place.good(1)
    done = place.convert(*more)
    assert done.code == 2, done
    assert "Error: " in done.err
    assert "Traceback" not in done.err
    assert not place.dst.exists()


def test_a_row_that_does_not_fit_leaves_the_rows_before_it(tmp_path: Path) -> None:
    class Full:
        """A disk that takes 30 more bytes."""

        def __init__(self, file: object) -> None:
            self.file, self.left = file, 30

        def __getattr__(self, name: str) -> object:
            return getattr(self.file, name)

        def write(self, data: memoryview) -> int:
            if not self.left:
                raise OSError(28, "No space left on device")
            data = data[: self.left]
            self.left -= len(data)
            return self.file.write(data)

    path = tmp_path / "r.jsonl"
    lines = LineFile(path)
    lines._file = Full(lines._file)
    lines.write(encode_row({"type": "run"}))
    with pytest.raises(OSError, match="No space"):
        lines.write(encode_row({"type": "file", "source": "a.png"}))
    lines.close()
    assert path.read_text() == '{"type": "run"}\n'
    again = LineFile(path)
    assert again.is_in_place()
    LineFile(path).close()
    assert not again.is_in_place()
    again.close()
    with pytest.raises(OutputError, match="choose another DST or --report"):
        LineFile(tmp_path)


@pytest.mark.parametrize("name", ["/dev/stdout", "printed.txt"])
def test_a_report_is_not_the_file_that_is_printed_to(tmp_path: Path, name: str) -> None:
    place = Place(tmp_path)
    place.good()
    printed = tmp_path / "printed.txt"
    before = tree(tmp_path)
    with printed.open("wb") as file:
        command = [sys.executable, "-m", "gpuseg", *place.arguments("--report", tmp_path / name)]
        done = subprocess.run(
            command, env=environment(), stdout=file, stderr=subprocess.PIPE, timeout=60
        )
    assert done.returncode == 2
    assert b"prints to" in done.stderr
    assert tree(tmp_path) == sorted([*before, "printed.txt"])
