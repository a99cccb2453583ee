"""Label maps that no mask maps to, found folder by folder."""

from __future__ import annotations

import errno
import os
import tracemalloc
from pathlib import Path

import pytest

from gpuseg.comparison.pairs import NoSourceError, Pairs
from gpuseg.errors import UnreadableMaskError


def touch(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def extras(tmp_path: Path, pattern: str | None = None, dst: str = "dst") -> list[str]:
    src, target = tmp_path / "src", tmp_path / dst
    walk = Pairs(str(src), pattern, skip=os.path.realpath(target), dst=str(target))
    found = list(walk)
    first = next((n for n, s in enumerate(found) if is_extra(s)), len(found))
    assert all(map(is_extra, found[first:])), "extras come last"
    return sorted(source.relative for source in found[first:])


def is_extra(source: object) -> bool:
    return isinstance(getattr(source, "error", None), NoSourceError)


def test_a_target_has_a_source_of_any_suffix(tmp_path: Path) -> None:
    touch(tmp_path / "src", "a.png", "b.JPG", "c/d.bmp", "c/e.tar.png", "f.txt", "g.png.jpg")
    touch(tmp_path / "dst", "a.png", "b.png", "c/d.png", "c/e.tar.png", "g.png.png")
    assert extras(tmp_path) == []
    touch(tmp_path / "dst", "f.png", "c/a.png", "new/a.png", "g.png", "B.PNG", "c/e.png")
    assert extras(tmp_path) == ["B.PNG", "c/a.png", "c/e.png", "f.png", "g.png", "new/a.png"]


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    touch(tmp_path / "src", "a.png")
    touch(
        tmp_path / "dst",
        *("gpuseg-report.jsonl", "x.jpg", ".x.png", ".gpuseg-1-2-3-4.tmp", ".cache/x.png"),
    )
    (tmp_path / "src" / "folder.png").mkdir()
    assert extras(tmp_path) == []
    touch(tmp_path / "dst", "folder.png")
    assert extras(tmp_path) == ["folder.png"]


def test_sources_that_the_pattern_leaves_out_are_sources(tmp_path: Path) -> None:
    touch(tmp_path / "src", "a_L.png", "b.png", "c.mask")
    touch(tmp_path / "dst", "a_L.png", "b.png", "c.png", "d.png")
    assert extras(tmp_path, "*_L.png") == ["c.png", "d.png"]
    assert extras(tmp_path, "*.mask") == ["d.png"]
    assert extras(tmp_path) == ["c.png", "d.png"]


def test_dst_inside_src(tmp_path: Path) -> None:
    touch(tmp_path / "src", "a.png")
    touch(tmp_path / "src" / "labels", "a.png", "b.png")
    assert extras(tmp_path, dst="src/labels") == ["b.png"]


def test_folders_of_dst_that_cannot_be_entered_are_told(tmp_path: Path) -> None:
    touch(tmp_path / "src", "a.png")
    touch(tmp_path / "dst", "a.png")
    (tmp_path / "dst" / "round").symlink_to(tmp_path / "dst", target_is_directory=True)
    [one, other] = Pairs(str(tmp_path / "src"), dst=str(tmp_path / "dst"))
    assert (one.relative, other.relative) == ("a.png", "round")
    assert isinstance(other.error, UnreadableMaskError)


def test_what_a_closed_folder_of_src_may_hold_is_not_said_to_come_from_nowhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    touch(tmp_path / "src", "a.png", "closed/b.png", "closed/c/d.png", "file")
    touch(tmp_path / "dst", "closed/b.png", "closed/c/d.png", "file/e.png", "round/f.png")
    (tmp_path / "src" / "round").symlink_to("round")
    scandir = os.scandir

    def closed(path: str) -> object:
        if "src" + os.sep + "closed" in str(path):
            raise PermissionError(errno.EACCES, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr("os.scandir", closed)
    assert extras(tmp_path) == ["file/e.png", "round/f.png"]
    [_, told, *_] = Pairs(str(tmp_path / "src"), dst=str(tmp_path / "dst"))
    assert (told.relative, str(told.error)) == (
        "closed",
        "the folder cannot be read: Permission denied",
    )


def test_collisions_have_sources(tmp_path: Path) -> None:
    touch(tmp_path / "src", "a.png", "a.jpg")
    touch(tmp_path / "dst", "a.png")
    assert extras(tmp_path) == []


@pytest.mark.parametrize("folds", [True, False])
def test_where_case_does_not_matter(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folds: bool
) -> None:
    """A target that was there before keeps the case of its name."""
    touch(tmp_path / "src", "Ab.png", "c.png")
    touch(tmp_path / "dst", "aB.png", "d.png")
    monkeypatch.setattr(
        "os.path.samefile", lambda one, other: folds and one.casefold() == other.casefold()
    )
    assert extras(tmp_path) == (["d.png"] if folds else ["aB.png", "d.png"])


@pytest.mark.skipif(os.name != "posix", reason="names of bytes are POSIX's")
def test_names_that_are_no_text(tmp_path: Path) -> None:
    touch(tmp_path / "src", os.fsdecode(b"\xff.png"))
    touch(tmp_path / "dst", os.fsdecode(b"\xff.png"), os.fsdecode(b"\xfe.png"))
    assert extras(tmp_path) == [os.fsdecode(b"\xfe.png")]


def test_memory_does_not_hold_the_names_of_a_folder(tmp_path: Path) -> None:
    names = [f"a-rather-long-name-of-a-mask-{i:08d}.png" for i in range(1000)]
    touch(tmp_path / "src", *names)
    touch(tmp_path / "dst", *names[1:], "extra.png")
    walk = Pairs(str(tmp_path / "src"), dst=str(tmp_path / "dst"))
    tracemalloc.start()
    found = [source.relative for source in walk if is_extra(source)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == ["extra.png"]
    assert peak < 60_000  # the names alone would be 1000 x 90 bytes
