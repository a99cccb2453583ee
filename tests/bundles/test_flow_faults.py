"""Archives that are hostile, damaged or cannot be written: rows that say so, whole ones or none."""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from pathlib import Path
from typing import IO, Any

import pytest

import gpuseg
from gpuseg.archives import member, spool
from gpuseg.archives.tar import TarWriter
from gpuseg.bundles import ordering
from gpuseg.errors import UsageError
from tests.archives.dumps import (
    OTHERS,
    check_label,
    check_labels,
    convert,
    encoded,
    expected,
    masks,
    pack,
    rows,
    temps,
    unpack,
)
from tests.archives.packing import END, tar_header
from tests.archives.test_tar import HOSTILE


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
    assert "nothing was written of it" in rows(report)["in.tar"]["message"]
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


def test_no_archive_that_is_read_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pack(Path("masks.tar"), masks(2))
    assert convert("masks.tar", "a.tar").exit_code == 0
    os.symlink("a.tar", "in-0.tar")
    os.link("a.tar", "in-1.tar")
    before = Path("a.tar").read_bytes()
    for src, dst in (("in-0.tar", "a.tar"), ("in-1.tar", "a.tar")):
        with pytest.raises(UsageError) if src != "in-1.tar" else contextlib.nullcontext():
            assert gpuseg.recolor(src, dst, OTHERS, overwrite=True).exit_code == 1
        assert Path("a.tar").read_bytes() == before, (src, dst)


def test_an_archive_without_masks_has_a_row(tmp_path: Path) -> None:
    pack(tmp_path / "0.tar", masks(2))
    pack(tmp_path / "1.tar", {"a.txt": b"hello"})
    pack(tmp_path / "2.tar", {})
    for dst in ("out", "out-{0..2}.tar"):
        report = convert(tmp_path / "{0..2}.tar", tmp_path / dst)
        assert (report.exit_code, report.files) == (1, {"converted": 2, "failed": 2})
        assert {rows(report)[name]["error"] for name in ("1.tar", "2.tar")} == {"archive"}
        assert report.left_alone == {".txt": 1}
    report = convert(tmp_path / "1.tar", tmp_path / "kept", keep_others=True)
    assert (report.exit_code, list(unpack(tmp_path / "kept"))) == (1, ["a.txt"])


def test_a_member_that_is_kept_replaces_neither_the_archive_nor_the_report(tmp_path: Path) -> None:
    names = (
        "in.tar",
        "gpuseg-report.jsonl",
        "gpuseg-report-00001-of-00002.jsonl",
        "a/report.jsonl",
    )
    src = Path(pack(tmp_path / "in.tar", {**masks(2), **dict.fromkeys(names, b"hello")}))
    before = src.read_bytes()
    report = convert(src, tmp_path, keep_others=True, overwrite=True)
    assert src.read_bytes() == before
    assert (report.files, report.problem) == ({"converted": 2, "failed": 3}, "")
    assert {name for name, row in rows(report).items() if "error" in row} == set(names[:3])
    assert (tmp_path / "a" / "report.jsonl").read_bytes() == b"hello"


@pytest.mark.skipif(os.name == "nt", reason="names are Unicode there")
def test_a_name_that_is_no_unicode_stops_no_other(tmp_path: Path) -> None:
    files = {"a/000.png": encoded(0), "\udce9.png": encoded(1), "\udce9.txt": b"", **masks(3)}
    src = pack(tmp_path / "in.tar", files)
    report = convert(src, tmp_path / "out.zip", keep_others=True)
    told = rows(report)
    for name in ("\udce9.png", "\udce9.txt"):
        assert "no UTF-8" in told[name]["message"]
    check_labels(unpack(tmp_path / "out.zip"), expected(masks(3)))
    for dst in ("out.tar", "out.tar.gz", "out"):
        assert convert(src, tmp_path / dst, keep_others=True).exit_code == 0
        assert "\udce9.png" in unpack(tmp_path / dst)


def test_large_members_wait_in_few_files_and_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many are kept behind a slow mask, what waits is limited, and so are open files."""
    monkeypatch.setattr(member, "IN_MEMORY", 100)
    monkeypatch.setattr(ordering, "BYTES_A_WORKER", 50_000)
    opened, waiting = [0], [0]
    begin, expect = tempfile.TemporaryFile, ordering.InOrder.expect

    def count(**options: Any) -> IO[bytes]:
        opened[0] += 1
        return begin(**options)

    def look(self: ordering.InOrder, slot: ordering.Slot) -> None:
        expect(self, slot)
        waiting[0] = max(waiting[0], self._bytes)

    monkeypatch.setattr(spool.tempfile, "TemporaryFile", count)
    monkeypatch.setattr(ordering.InOrder, "expect", look)
    others = {f"{i}.jpg": bytes(10_000) for i in range(100)}
    src = pack(tmp_path / "in.tar", {"0.png": encoded(0), **others, **masks(3)})
    report = convert(src, tmp_path / "out.tar", pattern="*.[pb][nm][gp]", keep_others=True)
    assert report.exit_code == 0
    assert len(unpack(tmp_path / "out.tar")) == 104
    assert 100_000 < waiting[0] <= 3 * 50_000 + 10_000
    assert opened == [1]


def test_no_room_for_large_members_that_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(member, "IN_MEMORY", 100)

    def full(**_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(spool.tempfile, "TemporaryFile", full)
    for kind in ("tar", "zip", "tar.gz"):
        files = {"a.json": b"{}", "large.jpg": bytes(999), **masks(3)}
        src, dst = pack(tmp_path / f"in.{kind}", files), tmp_path / f"out.{kind}"
        told = rows(convert(src, dst, pattern="*.[pb][nm][gp]", keep_others=True))
        assert "TMPDIR" in told["large.jpg"]["message"]
        assert len(unpack(dst)) == 4, "the others are there"
