"""Folders and files that a verb looks at: all of them, named apart, or a sample."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gpuseg.errors import CollisionError, UsageError
from gpuseg.inputs import Inputs
from tests.making import save_mask


def names(inputs: Inputs) -> list[str]:
    return sorted(source.relative for source in inputs)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("a.png", "b.bmp", "sub/a.png", "sub/c.png"):
        save_mask(tmp_path / "dump" / name)
    (tmp_path / "dump" / "notes.txt").write_text("x")
    return tmp_path / "dump"


def test_one_folder_names_files_below_it(folder: Path) -> None:
    inputs = Inputs([str(folder)])
    assert inputs.folder == str(folder)
    assert names(inputs) == ["a.png", "b.bmp", "sub/a.png", "sub/c.png"]
    assert inputs.left_alone == {".txt": 1}


def test_several_paths_keep_what_was_named(folder: Path) -> None:
    single = str(folder / "sub" / "c.png")
    inputs = Inputs([f"{folder}/", single])
    assert inputs.folder is None
    assert names(inputs) == sorted(
        [f"{folder}/{name}" for name in ("a.png", "b.bmp", "sub/a.png", "sub/c.png")] + [single]
    )


def test_a_pattern_is_for_folders(folder: Path) -> None:
    single = str(folder / "b.bmp")
    assert names(Inputs([str(folder), single], "c*")) == sorted([f"{folder}/sub/c.png", single])
    with pytest.raises(UsageError, match="pattern"):
        Inputs([single], "c*")


def test_files_that_would_get_one_target_are_both_looked_at(folder: Path) -> None:
    save_mask(folder / "a.bmp")
    found = {source.relative: source for source in Inputs([str(folder)])}
    assert {"a.png", "a.bmp"} <= set(found)
    assert all(source.error is None for source in found.values())
    assert found["a.bmp"].size == (folder / "a.bmp").stat().st_size
    several = Inputs([str(folder / "a.png"), str(folder / "sub" / "a.png")])
    assert all(source.error is None for source in several)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_beside_a_file_of_its_name_is_not_read(folder: Path) -> None:
    os.mkfifo(folder / "a.tif")
    found = {source.relative: source for source in Inputs([str(folder)])}
    assert "pipe" in str(found["a.tif"].error)
    assert not isinstance(found["a.tif"].error, CollisionError)
    assert found["a.png"].error is None


def test_a_sample_is_the_same_wherever_the_dump_lies(tmp_path: Path) -> None:
    chosen = []
    for place in ("one", "two"):
        for number in range(20) if place == "one" else reversed(range(20)):
            save_mask(tmp_path / place / f"{number % 3}" / f"{number}.png", 2, 2)
        chosen.append(names(Inputs([str(tmp_path / place)], sample=7)))
    assert chosen[0] == chosen[1]
    assert len(chosen[0]) == len(set(chosen[0])) == 7
    assert set(names(Inputs([str(tmp_path / "one")], sample=3))) < set(chosen[0])
    assert len(names(Inputs([str(tmp_path / "one")], sample=99))) == 20


def test_nothing_named_and_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no path"):
        Inputs([])
    with pytest.raises(UsageError, match="does not exist"):
        Inputs([str(tmp_path / "gone")])
