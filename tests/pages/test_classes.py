"""Names, colours and bars of classes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gpuseg.frequencies.counts import Tally
from gpuseg.frequencies.statistics import conclude
from gpuseg.pages.classes import Classes, class_rows
from gpuseg.palette import VOID_COLOUR, Palette, voc_colormap
from gpuseg.results import Report
from tests.making import COLOURS, PALETTE
from tests.pages.making import counted


def stats_of(*label_maps: dict[int, int], palette: Palette | None = PALETTE, ignore: int = 255):
    tally = Tally(ignore)
    for i, pixels in enumerate(label_maps):
        tally.add(counted(f"{i}.png", pixels))
    return conclude(Report(), tally, palette)


def test_classes_that_occur_come_by_their_pixels_and_the_ignore_index_last() -> None:
    rows = class_rows(stats_of({1: 10, 2: 90, 255: 500}, {1: 5, 9: 20}))
    assert [row.entry.index for row in rows] == [2, 9, 1, 255]
    assert [row.name for row in rows] == ["b", "index 9, no class", "a", "ignore index"]
    assert [row.entry.images for row in rows] == [1, 1, 2, 1]


def test_bars_are_lengths_of_the_longest() -> None:
    rows = class_rows(stats_of({0: 1000, 1: 500, 2: 1}, {1: 1}))
    assert [row.pixel_bar for row in rows] == [100, 50.1, 0.4]
    assert [row.image_bar for row in rows] == [50, 100, 50]
    assert rows[1].pixel_log_bar == pytest.approx(100 * math.log(502) / math.log(1001), abs=0.01)


def test_without_palette_classes_are_numbers() -> None:
    rows = class_rows(stats_of({3: 10, 255: 1}, palette=None))
    assert [row.name for row in rows] == ["index 3", "ignore index"]
    assert [row.hex for row in rows] == ["#808000", "#e0e0c0"]  # of PASCAL VOC: files have none
    assert class_rows(stats_of()) == ()


def test_colours_are_those_of_the_palette_and_void_for_the_ignore_index() -> None:
    table = Classes(PALETTE, 200).colours()
    assert table[: len(COLOURS)].tolist() == [list(rgb) for rgb in COLOURS]
    assert tuple(table[200]) == VOID_COLOUR
    assert tuple(Classes(PALETTE, 3).colours()[3]) == COLOURS[3]
    assert Classes(PALETTE, 255).hexes([1, 4, 999]) == {1: "#800000", 4: "#fffefd", 999: "#000000"}
    assert Classes(None, 255, b"\x01\x02\x03").colours().tolist() == [[1, 2, 3]]
    assert np.array_equal(Classes(None, 255).colours(), voc_colormap())


def test_names_of_indices() -> None:
    names = [Classes(PALETTE, 9).name(i) for i in (1, 9, 77)]
    assert names == ["a", "ignore index", "index 77, no class"]
    assert Classes(None, 255).name(3) == "index 3"


def test_the_nearest_class_is_the_first_of_several() -> None:
    palette = Palette.from_colours([(10, 0, 0), (0, 0, 0), (20, 0, 0)], ["x", "y", "z"])
    assert Classes(palette, 255).nearest((15, 0, 0)) == ("x", "#0a0000", 5.0)
    name, _, distance = Classes(palette, 255).nearest((0, 3, 4))
    assert (name, distance) == ("y", 5.0)
    assert Classes(None, 255).nearest((1, 1, 1)) is None
