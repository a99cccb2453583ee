"""Palette files that lie with a dump are found, and what is none is passed over."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

import gpuseg
from gpuseg.census.tables import MOST_BYTES
from gpuseg.palette import Palette
from tests.making import PALETTE, mask, save_mask


@pytest.fixture
def src(tmp_path: Path) -> Path:
    for seed in range(3):
        save_mask(tmp_path / "a b" / f"{seed}.png", 30, 40, seed=seed)
    return tmp_path / "a b"


@pytest.mark.parametrize("place", ["a b/classes.csv", "my labels.txt", "a b/voc.json"])
def test_a_table_in_the_folder_or_around_it(
    src: Path, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gpuseg.save_palette(PALETTE, src.parent / place)
    monkeypatch.chdir(src.parent)
    for name in ("a b", "a b/", str(src)):
        path = str(src.parent / place) if os.path.isabs(name) else place
        found = gpuseg.scan(name).conclusion
        assert found.code == "convert-table"
        assert shlex.split(found.command) == ["gpuseg", "convert", name, "DST", "--palette", path]


def test_the_best_table_wins_and_others_are_passed_over(src: Path) -> None:
    colours = [entry.rgb for entry in PALETTE.classes]
    gpuseg.save_palette(Palette.from_colours(colours[:1]), src / "few.csv")
    gpuseg.save_palette(Palette.from_colours([*colours, (1, 2, 3)]), src / "more.csv")
    gpuseg.save_palette(PALETTE, src / "right.csv")
    (src / "notes.txt").write_text("these are masks")
    (src / "broken.json").write_bytes(b"\xff\xfe{")
    (src / "long.txt").write_bytes(b"255 0 0 a\n" * MOST_BYTES)
    (src / "folder.csv").mkdir()
    (src / "nowhere.csv").symlink_to("none")
    os.mkfifo(src / "pipe.csv")
    assert "right.csv" in gpuseg.scan(src).conclusion.command


def test_a_table_of_other_masks_is_not_named(src: Path) -> None:
    classes = tuple(replace(c, rgb=c.rgb[::-1]) for c in PALETTE.classes)
    gpuseg.save_palette(Palette(classes), src / "classes.csv")
    assert gpuseg.scan(src).conclusion.code == "propose"


def test_masks_that_a_table_explains_in_part_are_judged_by_it(src: Path) -> None:
    odd = mask(30, 40, seed=9)
    odd[:3, :4] = (1, 2, 3)
    Image.fromarray(odd).save(src / "odd.png")
    gpuseg.save_palette(PALETTE, src / "classes.csv")
    found = gpuseg.scan(src).conclusion
    assert found.code == "convert-table"
    assert f"it has {100 * (1 - 12 / (4 * 30 * 40)):.2f} % of the pixels" in found.words
    assert found.command == f"gpuseg scan '{src}' --palette '{src}/classes.csv'"
