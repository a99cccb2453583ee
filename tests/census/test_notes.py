"""What else is told of a dump: colours that are doubtful, classes that share one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

import gpuseg
from gpuseg.palette import Palette, PaletteClass


def save(path: Path, colours: list[tuple[int, int, int]], counts: list[int]) -> None:
    pixels = np.array(colours, np.uint8).repeat(counts, axis=0)
    Image.fromarray(pixels[None]).save(path)


def test_colours_one_step_apart(tmp_path: Path) -> None:
    colours = [(9, 99, 9), (10, 98, 9), (200, 7, 1), (9, 101, 9)]
    save(tmp_path / "a.png", colours, [70, 5, 20, 1])
    told = [note for note in gpuseg.scan(tmp_path).notes if "rounding" in note]
    assert told == ["#0a6209 (5 pixels) is one step beside #096309: rounding?"]


def test_rare_colours(tmp_path: Path) -> None:
    usual = [(9, 99, 9), (10, 8, 9), (200, 7, 1)]
    for name in "abc":
        save(tmp_path / f"{name}.png", usual, [900, 800, 700])
    save(tmp_path / "odd.png", [*usual, (1, 2, 3)], [900, 800, 700, 2])
    told = [note for note in gpuseg.scan(tmp_path).notes if "rare" in note]
    assert told == ["#010203 is rare: 2 pixels in 1 file of 4 (odd.png); a class, or a slip?"]


def test_classes_that_share_a_colour(tmp_path: Path) -> None:
    save(tmp_path / "a.png", [(1, 0, 0), (2, 0, 0), (3, 0, 9)], [5, 5, 5])
    classes = [PaletteClass(i, n, (i + 1, 0, 9 if i == 2 else 0)) for i, n in enumerate("abc")]
    palette = Palette.resolve([*classes, PaletteClass(3, "d", (1, 0, 0))], "first")
    [told] = [n for n in gpuseg.scan(tmp_path, palette=palette).notes if "share" in n]
    assert told == "classes that share a colour cannot be told apart: 'd' with 'a'"


def test_kinds_that_differ_in_colours_only_are_one(tmp_path: Path) -> None:
    """A mask with a preset's colours beside one without is no file of another kind."""
    save(tmp_path / "a.png", [(0, 0, 0), (128, 0, 0), (0, 128, 0)], [5, 5, 5])
    save(tmp_path / "b.png", [(0, 0, 0), (128, 0, 0), (0, 128, 99)], [5, 5, 5])
    assert not [note for note in gpuseg.scan(tmp_path).notes if "another kind" in note]
