"""Options that commands share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.helpers import gpuseg
from tests.making import save_mask


@pytest.fixture
def twice(tmp_path: Path) -> Path:
    """A palette file that gives one colour to two classes."""
    path = tmp_path / "twice.csv"
    path.write_text("name,r,g,b\nground,0,0,0\na,128,0,0\nb,128,0,0\n")
    return path


@pytest.mark.parametrize("verb", ["check", "verify", "stats", "colorize", "recolor", "repair"])
def test_a_colour_of_two_classes(tmp_path: Path, twice: Path, verb: str) -> None:
    save_mask(tmp_path / "src" / "a.png")
    (tmp_path / "dst").mkdir()
    folders = [str(tmp_path / "src"), str(tmp_path / "dst")]
    arguments = [verb, *(folders if verb not in ("check", "stats") else folders[:1])]
    done = gpuseg(*arguments, "--palette", str(twice))
    assert done.code == 2
    assert "--on-duplicate first|last" in done.err
    done = gpuseg(*arguments, "--palette", str(twice), "--on-duplicate", "first")
    assert done.code == 1  # the mask has other colours, or is no label map
    assert "on-duplicate" not in done.err


def test_a_choice_between_classes_needs_a_palette(tmp_path: Path) -> None:
    done = gpuseg("stats", str(tmp_path), "--on-duplicate", "first")
    assert done.code == 2
    assert "--on-duplicate belongs to --palette" in done.err
