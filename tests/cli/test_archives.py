"""Archives on the command line."""

from __future__ import annotations

import json
from pathlib import Path

from tests.archives.dumps import check_labels, expected, masks, pack, unpack
from tests.helpers import Finished, gpuseg, palette_file


def run(folder: Path, *arguments: str) -> Finished:
    return gpuseg(*arguments, "--palette", str(palette_file(folder)), "--workers", "2")


def test_convert(tmp_path: Path) -> None:
    src, dst = pack(tmp_path / "in.tar", {**masks(4), "x.json": b"{}"}), tmp_path / "out.zip"
    done = run(tmp_path, "convert", src, str(dst), "--keep-others", "--device", "cpu")
    assert done.code == 0, done
    assert "4 converted" in done.out
    assert "1 other member kept" in done.out
    assert f"label maps: {dst}" in done.out
    assert f"report: {tmp_path / 'out.zip.gpuseg-report.jsonl'}" in done.out
    found = unpack(dst)
    assert found.pop("x.json") == b"{}"
    check_labels(found, expected(masks(4)))
    done = gpuseg("stats", str(dst), "--json")
    assert done.code == 0, done
    assert [row["name"] for row in json.loads(done.out)["classes"]][:2] == ["background", "a"]


def test_many(tmp_path: Path) -> None:
    for i in range(2):
        pack(tmp_path / f"in-{i}.tar", masks(3 + i))
    src, dst = str(tmp_path / "in-{0..1}.tar"), str(tmp_path / "out-{0..1}.tar")
    done = run(tmp_path, "convert", src, dst, "--device", "cpu", "--shard", "1/1")
    assert done.code == 0, done
    for i in range(2):
        check_labels(unpack(tmp_path / f"out-{i}.tar"), expected(masks(3 + i)))


def test_wrong_use(tmp_path: Path) -> None:
    src = pack(tmp_path / "in.tar", masks(3))
    (tmp_path / "folder").mkdir()
    for source, target, more, told in (
        (src, src, (), "DST must not be SRC"),
        (src, "x-{0..1}.tar", (), "as many archives"),
        (src, "x.tar", ("--shard", "1/2"), "--shard divides a run by archives"),
        (str(tmp_path / "folder"), "out", ("--keep-others",), "is none"),
        (src, "x-{3..1}.tar", (), "counts backwards"),
    ):
        done = run(tmp_path, "convert", source, str(tmp_path / target), *more)
        assert done.code == 2, done
        assert told in done.err


def test_verbs_that_take_no_archives_say_so(tmp_path: Path) -> None:
    src = pack(tmp_path / "in.tar", masks(3))
    assert gpuseg("verify", src, str(tmp_path / "out")).code == 2
    assert gpuseg("report", src).code == 2


def test_an_archive_that_was_not_finished_is_not_named(tmp_path: Path) -> None:
    src = pack(tmp_path / "in.tar", masks(3))
    whole = Path(src).read_bytes()
    Path(src).write_bytes(whole[:2000])  # in the second member
    done = run(tmp_path, "convert", src, str(tmp_path / "out.tar"), "--device", "cpu")
    assert done.code == 1, done
    assert "label maps" not in done.out
    assert not (tmp_path / "out.tar").exists()
