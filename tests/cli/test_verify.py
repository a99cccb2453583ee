"""`gpuseg verify`: what it prints, and its exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.helpers import Finished, Place, gpuseg
from tests.making import read_indices


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Three masks and their label maps."""
    place = Place(tmp_path)
    place.good()
    assert place.convert().code == 0
    return place


def verify(place: Place, *more: str) -> Finished:
    return gpuseg("verify", str(place.src), str(place.dst), *more)


def test_all_the_same(place: Place) -> None:
    run = verify(place)
    assert (run.code, run.err) == (0, "")
    assert run.out.startswith("3 same")
    assert "compared by palette 'palette', which the report in DST names" in run.out
    assert verify(place, "--palette", str(place.palette), "--quiet") == Finished(0, "", "")
    (place.dst / "gpuseg-report.jsonl").unlink()
    assert "the colours that each label map has itself" in verify(place).out


def test_what_is_wrong_is_told_on_stderr(place: Place) -> None:
    (place.dst / "good0.png").unlink()
    label_map = place.dst / "sub" / "good1.png"
    label_map.rename(place.dst / "good2.png")
    assert read_indices(place.dst / "good2.png").shape == (10, 14)
    run = verify(place)
    assert run.code == 1
    missing = "is not in DST; convert it, or see in the report of the run why it was refused"
    assert sorted(run.err.splitlines()) == [
        "differs good2.png: the mask is 14 x 11 pixels, its label map 14 x 10; convert it again",
        f"missing good0.png: its label map good0.png {missing}",
        f"missing sub/good1.png: its label map sub/good1.png {missing}",
    ]
    (place.src / "good2.png").unlink()
    assert "extra good2.png: no file of SRC becomes this label map" in verify(place).err


def test_json(place: Place, tmp_path: Path) -> None:
    (place.dst / "good0.png").unlink()
    run = verify(place, "--json", "--report", str(tmp_path / "r.jsonl"))
    found = json.loads(run.out)
    assert (run.code, found["exit_code"], found["report"]) == (1, 1, str(tmp_path / "r.jsonl"))
    assert {k: v for k, v in found["files"].items() if v} == {"same": 2, "missing": 1}
    head = json.loads((tmp_path / "r.jsonl").read_text().splitlines()[0])
    assert (head["verb"], head["palette"], head["ignore_index"]) == ("verify", "palette", 255)
    assert head["dst"] == str(place.dst)
    verify(place, "--report", str(tmp_path / "r.jsonl"), "--ignore-index", "9")
    head = json.loads((tmp_path / "r.jsonl").read_text().splitlines()[0])
    assert head["ignore_index"] == 9


def test_a_palette_of_other_colours(place: Place) -> None:
    run = verify(place, "--palette", "voc")
    assert run.code == 1
    assert "other colours (index 4 is #fffefd, not #000080) than those of palette 'voc'" in run.err


def test_duplicates_in_the_palette_are_chosen_from_as_by_convert(place: Place) -> None:
    text = place.palette.read_text() + "6,again,7,8,9\n"
    place.palette.write_text(text)
    assert verify(place, "--palette", str(place.palette)).code == 2
    choice = ("--palette", str(place.palette), "--on-duplicate", "first")
    assert "index 6 is #000000, not #070809" in verify(place, *choice).err  # they were made without
    assert gpuseg("convert", str(place.src), str(place.dst), *choice, "--quiet").code == 0
    chosen = verify(place, *choice)
    assert (chosen.code, chosen.err) == (0, "")


def test_usage(place: Place) -> None:
    run = gpuseg("verify", str(place.src), str(place.root / "none"))
    assert run.code == 2
    assert "does not exist; give the folder of the label maps" in run.err
    (place.root / "in.tar").touch()
    run = gpuseg("verify", str(place.root / "in.tar"), str(place.dst))
    assert (run.code, "an archive" in run.err) == (2, True), run
    assert verify(place, "--column", "mask").code == 2
    assert verify(place, "--shard", "3").code == 2
    assert verify(place, "--ignore-index", "7", "--palette", str(place.palette)).code == 1
