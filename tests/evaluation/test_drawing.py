"""Plots of an evaluation: which classes are drawn, and that rows are whole."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpuseg.evaluation import drawing
from gpuseg.evaluation.drawing import draw_evaluation
from gpuseg.palette import Palette
from gpuseg.plots import MOST, Plot, share_map
from tests.evaluations import of_matrix

pytest.importorskip("matplotlib")

THREE = Palette.from_colours([(9, 9, 9), (8, 8, 8), (7, 7, 7)], ["a", "b", "never"], name="three")


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[tuple[np.ndarray, list[str], list[str], str]]:
    """What heat maps were asked for: matrix, rows, columns, title."""
    asked = []

    def keep(*arguments: Any) -> Plot:
        asked.append(arguments)
        return share_map(*arguments)

    monkeypatch.setattr(drawing, "share_map", keep)
    return asked


def test_rows_are_shares_of_the_truth_and_absent_classes_are_left_out(
    tmp_path: Path, drawn: list
) -> None:
    cells = {(0, 0): 6, (0, 1): 2, (0, 255): 1, (0, 77): 1, (1, 1): 3, (255, 0): 5}
    found = of_matrix(tmp_path, cells, palette=THREE)
    assert set(draw_evaluation(found)) == {"confusion", "iou"}
    [(matrix, rows, columns, title)] = drawn
    assert rows == ["a", "b"]
    assert columns == ["a", "b", "ignored", "no class"]
    assert np.allclose(matrix, [[0.6, 0.2, 0.1, 0.1], [0, 1, 0, 0]])
    assert "with most wrong pixels" not in title


def test_a_class_that_is_predicted_only_has_an_empty_row(tmp_path: Path, drawn: list) -> None:
    draw_evaluation(of_matrix(tmp_path, {(0, 0): 3, (0, 4): 1}))
    assert np.allclose(drawn[0][0], [[0.75, 0.25], [0, 0]])
    assert drawn[0][2] == ["0", "4"]


def test_of_many_classes_those_with_most_wrong_pixels_are_drawn(
    tmp_path: Path, drawn: list
) -> None:
    """And what is predicted as any other stays in the row."""
    last = MOST + 5
    cells = {(k, k): 5 for k in range(MOST + 6)} | {(k, last): 1 for k in range(MOST - 1)}
    draw_evaluation(of_matrix(tmp_path, cells))
    cells[40, MOST + 1] = 1
    draw_evaluation(of_matrix(tmp_path, cells))
    shown = [*map(str, range(MOST - 1)), str(last)]
    for (matrix, rows, columns, title), behind in zip(drawn, ([], ["other classes"]), strict=True):
        assert rows == shown
        assert columns == shown + behind
        assert np.allclose(matrix.sum(axis=1), 1)
        assert f"the {MOST} of {MOST + 6} classes with most wrong pixels" in title
    assert drawn[1][0][40, -1] == pytest.approx(1 / 7)


def test_bars_of_iou_leave_out_what_has_none(tmp_path: Path) -> None:
    found = of_matrix(tmp_path, {(0, 0): 3, (0, 1): 1, (1, 1): 1}, palette=THREE)
    root = ET.fromstring(draw_evaluation(found)["iou"].svg())
    texts = ["".join(t.itertext()) for t in root.iter("{http://www.w3.org/2000/svg}text")]
    assert [text for text in texts if re.fullmatch("a|b|never", text)] == ["a", "b"]
    assert {"75.0 %", "50.0 %"} <= set(texts)


def test_of_many_classes_the_lowest_iou_is_drawn(tmp_path: Path) -> None:
    cells = {(k, k): 1 + k for k in range(MOST + 3)} | {(k, k + 1): 1 for k in range(MOST)}
    svg = draw_evaluation(of_matrix(tmp_path, cells))["iou"].svg()
    assert f"IoU of each class (the {MOST} lowest of {MOST + 3})" in svg
    assert ">0</text>" in svg.replace(" ", "").replace("\n", "")
    assert f">{MOST + 2}</text>" not in svg.replace(" ", "").replace("\n", "")


def test_where_no_class_occurs_nothing_is_drawn(tmp_path: Path) -> None:
    assert draw_evaluation(of_matrix(tmp_path, {(255, 3): 4}, palette=THREE)) == {}
