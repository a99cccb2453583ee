"""Files that a report names: found below their folder, and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gpuseg.pages.places import below, is_plain, of_stem


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in/sub").mkdir(parents=True)
    (tmp_path / "secret.png").write_bytes(b"s")
    (tmp_path / "in/a.png").write_bytes(b"a")
    (tmp_path / "in/sub/b.png").write_bytes(b"b")
    return tmp_path / "in"


def test_files_below_are_found(folder: Path) -> None:
    assert below(str(folder), "a.png") == str(folder / "a.png")
    assert below(str(folder), "sub/b.png") == str(folder / "sub/b.png")
    assert below(str(folder), "..a/..") is None


@pytest.mark.parametrize(
    "name",
    [
        "../secret.png",
        "sub/../../secret.png",
        "sub/../a.png",
        "..",
        "",
        "a\0.png",
        "none.png",
        "sub",
    ],
)
def test_paths_that_lead_up_or_to_no_file_are_not(folder: Path, name: str) -> None:
    assert below(str(folder), name) is None


def test_absolute_paths_are_not(folder: Path) -> None:
    path = str(folder.parent / "secret.png")
    assert os.path.isfile(path)
    assert below(str(folder), path) is None
    assert not is_plain("/etc/passwd")


def test_names_that_no_file_system_takes_are_not(folder: Path) -> None:
    assert below(str(folder), "x" * 5000) is None
    assert below(str(folder), "half\ud800") is None
    assert below(None, "a.png") is None


def test_a_pipe_is_not_opened(folder: Path) -> None:
    os.mkfifo(folder / "pipe.png")
    assert below(str(folder), "pipe.png") is None


def test_of_stem_takes_any_image_suffix_but_not_several(folder: Path) -> None:
    (folder / "sub/c.JPG").write_bytes(b"c")
    assert of_stem(str(folder), "sub/c.png") == str(folder / "sub/c.JPG")
    assert of_stem(str(folder), "a.png") == str(folder / "a.png")
    (folder / "a.jpeg").write_bytes(b"a")
    assert of_stem(str(folder), "a.png") is None
    assert of_stem(str(folder), "../secret.png") is None
    assert of_stem(None, "a.png") is None
