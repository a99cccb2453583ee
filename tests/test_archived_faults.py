"""Archives that are hostile, damaged or cannot be written: rows that say so, whole ones or none."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from gpuseg import ordering, output
from gpuseg.archives.tar import TarWriter
from gpuseg.errors import UsageError
from tests.archives.dumps import (
    check_label,
    check_labels,
    convert,
    encoded,
    expected,
    masks,
    pack,
    rows,
    unpack,
)
from tests.archives.packing import END, tar_header
from tests.archives.test_tar import HOSTILE


def temps(folder: Path) -> list[str]:
    return [name for name in os.listdir(folder) if name.startswith(output.PREFIX)]


@pytest.mark.parametrize("into", ["out.tar", "out.zip", "out"])
def test_hostile_members_have_a_row_each(tmp_path: Path, into: str) -> None:
    place = tmp_path / "deep" / "place"
    place.mkdir(parents=True)
    header = {name: header for name, (header, _) in HOSTILE.items()}
    good = tar_header("good.png", encoded(1)) + tar_header("z.png", encoded(2))
    (place / "in.tar").write_bytes(good + b"".join(header.values()) + END)
    report = convert(place / "in.tar", place / into, max_pixels=1000)
    assert report.exit_code == 1
    told = rows(report)
    assert set(told) == {*HOSTILE, "good.png", "z.png"}
    for name, row in told.items():
        is_good = name in ("good.png", "z.png")
        assert row["status"] == ("converted" if is_good else "failed")
        assert is_good or row["error"] in ("member", "too-large")
    found = unpack(place / into)
    assert sorted(found) == ["good.png", "z.png"]
    check_label(found["good.png"], 1)
    assert sorted(os.listdir(tmp_path)) == ["deep"]
    assert os.listdir(tmp_path / "deep") == ["place"]


def test_names_that_are_no_utf_8(tmp_path: Path) -> None:
    bad, other = os.fsdecode(b"b\xff.png"), os.fsdecode(b"\xff.json")
    src = pack(tmp_path / "in.tar", {"a.png": encoded(0), bad: encoded(1), other: b"{}"})
    report = convert(src, tmp_path / "out.zip", keep_others=True)
    assert {name: row["error"] for name, row in rows(report).items() if "error" in row} == {
        bad: "member",
        other: "member",
    }
    assert list(unpack(tmp_path / "out.zip")) == ["a.png"]
    report = convert(src, tmp_path / "out.tar", keep_others=True)
    assert report.exit_code == 0
    assert sorted(unpack(tmp_path / "out.tar")) == sorted(["a.png", bad, other])


def test_members_with_one_target(tmp_path: Path) -> None:
    src = pack(tmp_path / "in.tar", {"a.png": encoded(0), "a.bmp": encoded(1, ".bmp")})
    report = convert(src, tmp_path / "out.tar")
    told = rows(report)
    assert told["a.bmp"]["error"] == "collision"
    assert list(unpack(tmp_path / "out.tar")) == ["a.png"]


@pytest.mark.parametrize("kind", ["tar", "tar.gz"])
def test_an_archive_that_is_cut_off(tmp_path: Path, kind: str) -> None:
    whole = Path(pack(tmp_path / f"whole.{kind}", masks())).read_bytes()
    src = tmp_path / f"in.{kind}"
    src.write_bytes(whole[: len(whole) // 3])
    report = convert(src, tmp_path / "out.tar")
    told = rows(report)
    assert told[src.name]["error"] == "archive"
    assert report.files["failed"] == 1
    assert not (tmp_path / "out.tar").exists()
    assert temps(tmp_path) == []
    report = convert(src, tmp_path / "out")
    assert rows(report)[src.name]["error"] == "archive"
    found = unpack(tmp_path / "out")
    check_labels(found, {n: s for n, s in expected(masks()).items() if n in found})


def test_what_is_no_archive_and_what_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "0.tar").write_bytes(b"hello")
    pack(tmp_path / "1.tar", {"notes.txt": b"x"})
    pack(tmp_path / "3.tar", masks(2))
    report = convert(tmp_path / "{0..3}.tar", tmp_path / "out-{0..3}.tar")
    told = rows(report)
    assert {name: row["error"] for name, row in told.items() if row["status"] == "failed"} == {
        "0.tar": "archive",
        "1.tar": "archive",
        "2.tar": "unreadable",
    }
    assert [f"out-{i}.tar" in os.listdir(tmp_path) for i in range(4)] == [False] * 3 + [True]
    with pytest.raises(UsageError, match="does not exist"):
        convert(tmp_path / "nothing.tar", tmp_path / "x.tar")


def test_fail_fast_leaves_no_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ordering, "FILES_A_WORKER", 2)  # the rest waits for the first
    src = pack(tmp_path / "in.tar", {"bad.png": b"hello", **masks(300)})
    report = convert(src, tmp_path / "out.tar", fail_fast=True)
    assert (report.exit_code, report.stopped) == (1, "fail-fast")
    assert "nothing was written of: in.tar" in report.summary()
    assert sorted(os.listdir(tmp_path)) == ["in.tar", "out.tar.gpuseg-report.jsonl"]


def test_an_archive_that_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    src = pack(tmp_path / "in.tar", masks(9))
    append = TarWriter._append
    left = [4]

    def full(self: TarWriter, *what: object) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        append(self, *what)  # type: ignore[arg-type]

    monkeypatch.setattr(TarWriter, "_append", full)
    report = convert(src, tmp_path / "out.tar")
    told = rows(report)
    assert report.exit_code == 1
    assert "No space left on device" in told["in.tar"]["message"]
    assert report.files["converted"] == 4
    assert all(row["error"] == "output" for row in told.values() if row["status"] == "failed")
    assert sorted(os.listdir(tmp_path)) == ["in.tar", "out.tar.gpuseg-report.jsonl"]
    monkeypatch.undo()
    assert convert(src, tmp_path / "out.tar").files == {"converted": 9}
