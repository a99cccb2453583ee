"""`gpuseg check`: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.helpers import Finished, Place, gpuseg


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Three masks and their label maps."""
    place = Place(tmp_path)
    place.good()
    assert place.convert().code == 0
    return place


def check(place: Place, *more: str, of: str = "dst") -> Finished:
    return gpuseg("check", str(place.root / of), "--palette", str(place.palette), *more)


def test_all_right(place: Place) -> None:
    run = check(place)
    assert (run.code, run.err) == (0, "")
    assert run.out.startswith("3 read")
    assert check(place, "--quiet", "--depth", "8") == Finished(0, "", "")


def test_masks_are_no_label_maps(place: Place) -> None:
    run = check(place, of="src")
    assert run.code == 1
    lines = run.err.splitlines()
    assert len(lines) == 3
    for line in lines:
        assert line.startswith("failed ")
        assert line.endswith(
            "holds colours, not indices; convert it, or check its colours with "
            "`gpuseg convert --dry-run`"
        )


def test_json(place: Place) -> None:
    run = check(place, "--json", "--depth", "16")
    found = json.loads(run.out)
    assert (run.code, found["exit_code"], found["files"]["failed"]) == (1, 1, 3)
    assert "has 8 bits a pixel, not 16" in run.err


def test_other_colours(place: Place) -> None:
    run = gpuseg("check", str(place.dst), "--palette", "voc")
    assert run.code == 1
    assert "other colours (index 4 is #fffefd, not #000080)" in run.err
    assert gpuseg("check", str(place.dst), "--palette", "voc", "--any-colours").code == 0
    assert check(place, "--ignore-index", "7").code == 1


def test_usage(place: Place) -> None:
    assert gpuseg("check", str(place.dst)).code == 2
    assert check(place, of="none").code == 2
    assert check(place, "--depth", "8", "--ignore-index", "300").code == 2
