"""The cells of one pair: what is checked, its scores, and how it travels."""

from __future__ import annotations

import json
import math
import pickle

import numpy as np
import pytest

from gpuseg.errors import LabelError
from gpuseg.evaluation.cells import Cells, cells_of
from tests.evaluation.making import cells


def row(found: Cells) -> dict[str, object]:
    """As a program gets it, back from JSON without NaN."""
    told: dict[str, object] = json.loads(json.dumps(found.row(), allow_nan=False))
    return told


def test_a_row() -> None:
    found = cells([0, 0, 0, 1, 1, 255, 255], [0, 0, 1, 1, 3, 0, 255])
    assert row(found) == {
        "pixels": 5,
        "ignored": 2,
        "correct": 3,
        "accuracy": 3 / 5,
        "miou": (2 / 3 + 1 / 3 + 0) / 3,
        "iou": {"0": 2 / 3, "1": 1 / 3, "3": 0},
    }
    assert (found.accuracy, found.miou) == (3 / 5, pytest.approx(1 / 3))


def test_nothing_that_counts() -> None:
    found = cells([255, 255], [0, 1])
    assert math.isnan(found.miou)
    assert math.isnan(found.accuracy)
    told = {"pixels": 0, "ignored": 2, "correct": 0, "accuracy": None, "miou": None, "iou": {}}
    assert row(found) == told


@pytest.mark.parametrize("predicted", [255, 77, 65535])
def test_a_prediction_of_no_class_is_wrong_in_favour_of_nobody(predicted: int) -> None:
    found = cells([0, 0, 1], [0, predicted, 1])
    assert found.outside == frozenset({predicted} - {255})
    assert row(found)["iou"] == {"0": 1 / 2, "1": 1}
    assert row(found)["accuracy"] == 2 / 3


def test_without_a_palette_every_index_is_a_class() -> None:
    found = cells([0, 0, 300], [0, 77, 300], classes=None)
    assert found.outside == frozenset()
    assert row(found)["iou"] == {"0": 1 / 2, "77": 0, "300": 1}


def test_where_the_truth_is_ignored_any_prediction_is_as_good() -> None:
    one, other = cells([0, 255], [0, 0]), cells([0, 255], [0, 99])
    assert row(one) == row(other)


def test_a_truth_outside_the_palette_is_refused_with_all_its_indices() -> None:
    with pytest.raises(LabelError) as told:
        cells([0, 9, 9, 300, 255], [0, 0, 1, 0, 0])
    assert "the truth holds indices that the palette does not: 9 (2 px), 300 (1 px)" in str(
        told.value
    )
    assert "--truth-map" in str(told.value)


def test_an_ignore_index_that_is_a_class_of_the_palette() -> None:
    """As a background is that nobody scores: predictions of it are wrong, for no class."""
    found = cells([0, 0, 1, 1], [0, 1, 1, 0], ignore=0, classes=range(1, 6))
    assert row(found)["iou"] == {"1": 1 / 2}
    assert found.outside == frozenset()


def test_no_pixel_at_all() -> None:
    found = cells_of(np.zeros(0, np.uint32), np.zeros(0, np.int64), 255, frozenset({0}))
    assert (row(found)["pixels"], row(found)["miou"]) == (0, None)


def test_cells_travel() -> None:
    for found in (cells([0, 1, 255], [0, 88, 0]), cells([255], [0])):
        again = pickle.loads(pickle.dumps(found))
        assert repr(again) == repr(found)  # NaN is not equal to itself
        assert again.row() == found.row()


def test_scores_count_each_cell_once() -> None:
    keys = np.array([0 << 16 | 0, 0 << 16 | 1, 1 << 16 | 1], np.uint32)
    score = cells_of(keys, np.array([5, 2, 7]), 255, None).score()
    assert (score.pixels, score.correct, score.accuracy) == (14, 12, 12 / 14)
    assert score.iou == {0: 5 / 7, 1: 7 / 9}
