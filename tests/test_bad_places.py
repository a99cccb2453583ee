"""Strange names, links, folders and permissions: no input is harmed, nothing leaves DST."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import numpy as np
import pytest

from tests.helpers import (
    REPORT,
    Place,
    check_exact,
    check_run,
    gpuseg,
    gpuseg_process,
    marks,
    permissions_hold,
    read_report,
    temps,
    tree,
)
from tests.making import indices, read_indices, save_mask

linux_only = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="such names exist on Linux only"
)
posix_only = pytest.mark.skipif(os.name == "nt", reason="links need rights on Windows")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    place = Place(tmp_path)
    place.good()
    return place


@pytest.mark.parametrize("suffixes", [".png .jpg", ".png .bmp .tif"])
def test_names_that_collide(place: Place, suffixes: str) -> None:
    names = [f"x{suffix}" for suffix in suffixes.split()]
    for i, name in enumerate(names):
        save_mask(place.src / name, seed=i)
    report = check_run(place, place.convert(), *names)
    for name in names:
        assert report.files[name]["error"] == "collision"
        assert "--pattern" in report.files[name]["message"]
    assert not (place.dst / "x.png").exists()


def test_dst_inside_src_is_not_walked(place: Place) -> None:
    inside = place.dst = place.src / "sub" / "out"
    for status in ("converted", "unchanged"):
        assert place.convert().code == 0
        rows = read_report(inside / REPORT).files
        assert {row["status"] for row in rows.values()} == {status}
        assert sorted(rows) == ["good0.png", "good2.png", os.path.join("sub", "good1.png")]
    assert len(tree(inside)) == 3


@pytest.mark.parametrize("case", ["dst-is-src", "src-in-dst", "dst-is-file", "no-src", "src-pipe"])
def test_places_that_are_refused(place: Place, case: str) -> None:
    src, dst = place.src, place.dst
    if case == "dst-is-src":
        dst = src / "sub" / ".."
    elif case == "src-in-dst":
        src, dst = src / "sub", src
    elif case == "dst-is-file":
        dst.write_text("notes")
    elif case == "no-src":
        src = place.root / "nowhere"
    elif hasattr(os, "mkfifo"):
        src = place.root / "pipe"
        os.mkfifo(src)
    else:
        pytest.skip("no pipes here")
    names = [name for name in tree(place.root) if name != "pipe"]
    before = marks(place.root, names)
    done = gpuseg("convert", str(src), str(dst), "--palette", str(place.palette))
    assert done.code == 2
    assert done.err.startswith("Error: ")
    assert ("SRC" if case in ("no-src", "src-pipe") else "DST") in done.err
    assert [name for name in tree(place.root) if name != "pipe"] == names
    assert marks(place.root, names) == before


@posix_only
def test_links_that_go_round_or_nowhere(place: Place) -> None:
    (place.src / "sub" / "up").symlink_to("..")
    (place.src / "a.png").symlink_to("b.png")
    (place.src / "b.png").symlink_to("a.png")
    (place.src / "gone.png").symlink_to(place.root / "nowhere.png")
    bad = ["a.png", "b.png", "gone.png", "sub/up"]
    report = check_run(place, place.convert(), *bad)
    assert {report.files[name]["error"] for name in bad} == {"unreadable"}
    assert "leads back" in report.files["sub/up"]["message"]
    assert "levels of symbolic links" in report.files["a.png"]["message"]
    assert "No such file" in report.files["gone.png"]["message"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_does_not_hang_the_run(place: Place) -> None:
    os.mkfifo(place.src / "x.png")
    report = check_run(place, place.convert(), "x.png")
    assert report.files["x.png"]["error"] == "unreadable"
    assert "no regular file" in report.files["x.png"]["message"]


@linux_only
def test_names_that_are_no_text(place: Place) -> None:
    src = os.fsencode(place.src)
    for i, name in enumerate([b"caf\xe9.png", b"bad\xff.bmp"]):
        os.rename(save_mask(place.root / f"x{i}{name[-4:].decode()}", seed=i), src + b"/" + name)
    with open(src + b"/empty\xfe.png", "wb"):
        pass
    done = gpuseg_process(*place.arguments())
    assert done.code == 1
    report = place.report()
    assert report.failed() == ["empty\udcfe.png"]
    assert sorted(os.listdir(os.fsencode(place.dst)))[:2] == [b"bad\xff.png", b"caf\xe9.png"]
    assert report.files["caf\udce9.png"]["target"] == "caf\udce9.png"
    want = indices(12, 17, seed=0)
    assert np.array_equal(
        read_indices(Path(os.fsdecode(b"%s/caf\xe9.png" % bytes(place.dst)))), want
    )
    assert r"empty\udcfe.png" in done.err
    assert place.convert().code == 1
    assert place.report().summary["files"]["unchanged"] == 5


@posix_only
def test_names_made_for_terminals(place: Place) -> None:
    names = ["a\nfailed good0.png: a lie.png", "\x1b[31mred\x1b[0m.png", "y" * 251 + ".png"]
    names += ["‮gnp.png", "bell\x07.bmp"]
    for name in names:
        (place.src / name).write_bytes(b"")
    report = check_run(place, done := place.convert(), *names)
    assert "\x1b" not in done.err + done.out
    assert "\x07" not in done.err + done.out
    assert len(done.err.splitlines()) == 5
    assert all(line.startswith("failed ") for line in done.err.splitlines())
    assert {report.files[name]["error"] for name in names} == {"broken"}
    for i, name in enumerate(names):
        save_mask(place.root / "m.png", seed=i).replace(place.src / name)
    done = place.convert()
    assert done.code == 0
    assert len(check_exact(place)) == 8


def test_a_terminal_without_the_letters(place: Place) -> None:
    if sys.platform == "win32":
        pytest.skip("the test sets the encoding of a POSIX terminal")
    for i in range(7):
        (place.src / f"é{i}.png").write_bytes(b"")
    arguments = place.arguments("--report", place.root / "\u03c1.jsonl")
    done = gpuseg_process(*arguments, before=("env", "PYTHONIOENCODING=iso8859-1"))
    assert done.code == 1
    assert "more failures" in done.err
    assert "\\u03c1.jsonl" in done.out


@posix_only
def test_a_target_that_is_not_ours(place: Place) -> None:
    place.dst.mkdir()
    for name in ("good0.png", "good2.png"):
        (place.dst / name).write_text("precious")
    done = place.convert()
    assert done.code == 1
    report = place.report()
    assert report.failed() == ["good0.png", "good2.png"]
    assert "was not written by gpuseg" in report.files["good0.png"]["message"]
    assert "--overwrite" in report.files["good0.png"]["message"]
    assert (place.dst / "good0.png").read_text() == "precious"
    assert place.convert("--overwrite").code == 0
    assert len(check_exact(place)) == 3


def test_a_target_that_is_a_folder(place: Place) -> None:
    (place.dst / "good0.png").mkdir(parents=True)
    (place.dst / "good0.png" / "notes.txt").write_text("precious")
    for more in ([], ["--overwrite"], ["--no-resume"]):
        done = place.convert(*more)
        assert done.code == 1
        row = place.report().files["good0.png"]
        assert row["error"] == "output"
        assert "is a folder" in row["message"]
    assert (place.dst / "good0.png" / "notes.txt").read_text() == "precious"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes here")
def test_a_target_that_is_a_pipe(place: Place) -> None:
    """Nobody writes to it: opening it would wait for ever."""
    place.dst.mkdir()
    os.mkfifo(place.dst / "good0.png")
    done = gpuseg_process(*place.arguments())
    assert done.code == 1
    assert "a pipe" in place.report().files["good0.png"]["message"]


def test_a_target_folder_that_is_a_file(place: Place) -> None:
    place.dst.mkdir()
    (place.dst / "sub").write_text("precious")
    done = place.convert()
    assert done.code == 1
    report = place.report()
    name = os.path.join("sub", "good1.png")
    assert report.failed() == [name]
    assert "choose another DST" in report.files[name]["message"]
    assert (place.dst / "sub").read_text() == "precious"


@posix_only
@pytest.mark.parametrize("inside", [False, True])
def test_target_folders_that_are_links(place: Place, inside: bool) -> None:
    """A link out of DST must not be followed, and one inside would mix two folders up."""
    save_mask(place.src / "sub" / "deep" / "x.png")
    other = place.dst / "other" if inside else place.root / "other"
    other.mkdir(parents=True)
    (place.dst / "sub").parent.mkdir(exist_ok=True)
    (place.dst / "sub").symlink_to(other, target_is_directory=True)
    done = place.convert()
    assert done.code == 1
    report = place.report()
    assert report.failed() == ["sub/deep/x.png", "sub/good1.png"]
    assert {report.files[name]["error"] for name in report.failed()} == {"output"}
    assert "remove that link" in report.files["sub/good1.png"]["message"]
    assert list(other.iterdir()) == []


@posix_only
def test_a_target_that_is_a_link_to_an_input(place: Place) -> None:
    place.dst.mkdir()
    before = (place.src / "good0.png").read_bytes()
    (place.dst / "good0.png").symlink_to(place.src / "good0.png")
    (place.dst / "good2.png").symlink_to(place.root / "dangling")
    assert place.convert().code == 1
    report = place.report().files
    assert "is the input itself" in report["good0.png"]["message"]
    assert (place.src / "good0.png").read_bytes() == before
    assert "was not written by gpuseg" in report["good2.png"]["message"]
    assert place.convert("--overwrite").code == 1
    assert (place.src / "good0.png").read_bytes() == before
    assert not (place.root / "dangling").exists()


def test_an_input_in_its_own_folder_is_not_overwritten(place: Place) -> None:
    save_mask(place.root / "one" / "x.png")
    before = (place.root / "one" / "x.png").read_bytes()
    arguments = ["--palette", str(place.palette), "--overwrite", "--report", str(place.root / "r")]
    done = gpuseg("convert", str(place.root / "one" / "x.png"), str(place.root / "one"), *arguments)
    assert done.code == 1
    assert "is the input itself" in done.err
    assert (place.root / "one" / "x.png").read_bytes() == before


@pytest.mark.slow
def test_no_permission_to_write(place: Place) -> None:
    before = permissions_hold()
    place.dst.mkdir(mode=0o555)
    done = gpuseg_process(*place.arguments(), before=before)
    assert done.code == 2  # the report cannot be begun, so nothing is
    assert "Permission denied" in done.err
    assert "--report" in done.err
    report = place.root / "r.jsonl"
    done = gpuseg_process(*place.arguments("--report", report), before=before)
    assert done.code == 1
    rows = read_report(report).files
    assert {row["status"] for row in rows.values()} == {"failed"}
    assert all("Permission denied" in row["message"] for row in rows.values())
    assert tree(place.dst) == []


@pytest.mark.parametrize("case", ["input", "notes", "folder", "parent-is-file"])
def test_a_report_never_replaces_another_file(place: Place, case: str) -> None:
    report = {
        "input": place.src / "good0.png",
        "notes": place.root / "notes.txt",
        "folder": place.src,
        "parent-is-file": place.root / "notes.txt" / "r.jsonl",
    }[case]
    (place.root / "notes.txt").write_text("precious")
    before = (place.src / "good0.png").read_bytes()
    done = place.convert("--report", report)
    assert done.code == 2, done
    assert "report" in done.err
    assert (place.root / "notes.txt").read_text() == "precious"
    assert (place.src / "good0.png").read_bytes() == before
    assert not place.dst.exists()


def test_hidden_files_are_counted(place: Place) -> None:
    save_mask(place.src / "._good0.png")
    save_mask(place.src / ".cache" / "a.png")
    (place.src / "labels.txt").write_text("a")
    done = place.convert("--json")
    assert done.code == 0
    assert place.report().summary["left_alone"] == {"hidden": 1, "hidden folder": 1, ".txt": 1}
    assert len(check_exact(place)) == 3
    assert temps(place.dst) == []
