"""Classes of an evaluation on a page: scores in words, colours, and what they are taken for."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from gpuseg.pages.scores import Legend, score, score_rows, taken_for
from gpuseg.palette import Palette, voc_colormap
from tests.evaluations import of_matrix

FOUR = Palette.from_colours(
    [(1, 1, 1), (2, 2, 2), (3, 3, 3), (4, 4, 4)], ["a", "b", "c", "never"], name="four"
)
CELLS = {(0, 0): 60, (0, 1): 20, (0, 2): 10, (0, 255): 7, (0, 99): 3, (1, 1): 5, (255, 0): 9}


def test_scores_in_words() -> None:
    assert [score(v) for v in (float("nan"), 0.0, 0.123, 1.0)] == ["–", "0 %", "12.3 %", "100 %"]


def test_rows_hold_the_scores_and_leave_out_absent_classes(tmp_path: Path) -> None:
    found = of_matrix(tmp_path, CELLS, palette=FOUR)
    a, b, c = score_rows(found, Legend.of(found))
    assert (a.name, a.hex, a.iou, a.accuracy, a.precision) == (
        "a",
        "#010101",
        "60.0 %",
        "60.0 %",
        "100 %",
    )
    assert (a.bar, b.iou, b.precision) == (60.0, "20.0 %", "20.0 %")
    assert (c.iou, c.accuracy, c.precision, c.bar) == ("0 %", "–", "0 %", 0.0)


def test_what_a_class_is_taken_for(tmp_path: Path) -> None:
    found = of_matrix(tmp_path, CELLS | {(1, 99): 95, (2, 2): 4}, palette=FOUR)
    b, a = taken_for(found, Legend.of(found))
    assert (b.name, b.wrong, b.more) == ("b", 0.95, 0)
    assert [(t.name, t.hex, t.share) for t in b.taken] == [("no class", "#000000", 0.95)]
    assert (a.name, a.wrong, a.more) == ("a", 0.4, 1)
    told = [(t.name, t.share) for t in a.taken]
    assert told == [("b", 0.2), ("c", 0.1), ("the ignore index", 0.07)]
    assert a.taken[2].hex == "#e0e0c0"


def test_colours_are_those_of_the_palette(tmp_path: Path) -> None:
    legend = Legend.of(of_matrix(tmp_path, CELLS, palette=FOUR))
    assert legend.table[:4].tolist() == [[k, k, k] for k in (1, 2, 3, 4)]
    assert legend.table[255].tolist() == [224, 224, 192]
    assert not legend.made_up
    assert legend.share(99, 0.5).name == "index 99"


def test_without_a_palette_they_are_made_up_and_always_the_same(tmp_path: Path) -> None:
    legend = Legend.of(of_matrix(tmp_path, {(3, 3): 5, (300, 7): 1}))
    assert legend.made_up
    colours = voc_colormap()
    for index in (3, 7, 300):
        assert np.array_equal(legend.table[index], colours[index % 256])
    assert legend.share(300, 0.5).name == "index 300"


def test_long_names_are_cut(tmp_path: Path) -> None:
    palette = Palette.from_colours([(1, 1, 1)], ["x" * 3000], name="long")
    legend = Legend.of(of_matrix(tmp_path, {(0, 0): 1}, palette=palette))
    assert len(legend.share(0, 1.0).name) == 80
