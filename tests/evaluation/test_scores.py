"""Scores by their formulas, on matrices that can be done by hand, and against plain loops."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gpuseg.evaluation.scores import MEANS, Scores, mean

NAN = math.nan


def scores(rows: list[list[int]]) -> Scores:
    return Scores(np.array(rows, np.int64))


def same(found: object, want: object) -> bool:
    """Equal, NaN where NaN."""
    return np.array_equal(np.array(found, float), np.array(want, float), equal_nan=True)


def test_by_hand() -> None:
    """Two classes: 8 pixels of the first, 6 are right; 4 of the second, 1 is ignored."""
    found = scores([[6, 2, 0, 0], [0, 3, 1, 0]])
    assert found.hits.tolist() == [6, 3]
    assert found.truth.tolist() == [8, 4]
    assert found.predicted.tolist() == [6, 5]
    assert (found.pixels, found.predicted_ignored, found.predicted_outside) == (12, 1, 0)
    assert found.iou.tolist() == [6 / 8, 3 / 6]
    assert found.dice.tolist() == [12 / 14, 6 / 9]
    assert found.accuracy.tolist() == [6 / 8, 3 / 4]
    assert found.precision.tolist() == [1, 3 / 5]
    assert found.miou == (6 / 8 + 3 / 6) / 2
    assert found.pixel_accuracy == 9 / 12
    assert found.mean_accuracy == 3 / 4
    assert found.fwiou == pytest.approx((8 * 6 / 8 + 4 * 3 / 6) / 12)
    assert found.mean_dice == pytest.approx((12 / 14 + 6 / 9) / 2)
    assert found.mean_precision == 4 / 5


def test_a_class_that_is_nowhere_has_no_score_and_no_part_in_means() -> None:
    with_it = scores([[6, 2, 0, 0, 0], [0, 3, 0, 1, 0], [0, 0, 0, 0, 0]])
    without = scores([[6, 2, 0, 0], [0, 3, 1, 0]])
    for name in ("iou", "dice", "accuracy", "precision"):
        assert same(getattr(with_it, name), [*getattr(without, name), NAN])
    assert with_it.means() == without.means()


def test_a_class_that_is_predicted_only_is_0_and_counts() -> None:
    found = scores([[6, 2, 0, 0], [0, 0, 0, 0]])
    assert same(found.iou, [6 / 8, 0])
    assert same(found.dice, [12 / 14, 0])
    assert same(found.precision, [1, 0])
    assert same(found.accuracy, [6 / 8, NAN])  # recall of what is not there: nobody can tell
    assert found.miou == 3 / 8
    assert found.mean_accuracy == 6 / 8
    assert found.mean_precision == 1 / 2
    assert found.fwiou == 6 / 8


def test_a_class_that_is_never_predicted_is_0_but_has_no_precision() -> None:
    found = scores([[6, 0, 0, 0], [3, 0, 0, 0]])
    assert same(found.iou, [6 / 9, 0])
    assert same(found.accuracy, [1, 0])
    assert same(found.precision, [6 / 9, NAN])
    assert found.mean_precision == 6 / 9


@pytest.mark.parametrize("column", [2, 3])
def test_what_is_predicted_as_no_class_is_wrong_in_favour_of_nobody(column: int) -> None:
    rows = [[6, 0, 0, 0], [0, 4, 0, 0]]
    rows[0][column] = 2
    found = scores(rows)
    assert same(found.iou, [6 / 8, 1])
    assert same(found.accuracy, [6 / 8, 1])
    assert same(found.precision, [1, 1])
    assert found.pixel_accuracy == 10 / 12
    assert (found.predicted_ignored, found.predicted_outside) == ((2, 0) if column == 2 else (0, 2))


@pytest.mark.parametrize("classes", [0, 1, 3])
def test_nothing_that_counts_scores_nothing(classes: int) -> None:
    found = Scores(np.zeros((classes, classes + 2), np.int64))
    assert found.pixels == 0
    assert same(found.iou, [NAN] * classes)
    assert list(found.means()) == list(MEANS)
    assert all(math.isnan(value) for value in found.means().values())


def test_counts_past_32_and_53_bits() -> None:
    """Sums are exact; a ratio is the nearest that a float can say."""
    most = 1 << 60
    found = scores([[most, 1, 0, 0], [0, most, 0, 0]])
    assert found.pixels == 2 * most + 1
    assert found.truth.tolist() == [most + 1, most]
    assert found.iou.tolist() == [1.0, 1.0]


def test_against_plain_loops() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        classes = int(rng.integers(1, 6))
        rows = rng.integers(0, 9, (classes, classes + 2)) * rng.integers(0, 2, (classes, 1))
        found = scores(rows.tolist())
        for k in range(classes):
            hit, truth = int(rows[k, k]), int(rows[k].sum())
            predicted = int(rows[:, k].sum())
            union = truth + predicted - hit
            want = {
                "iou": hit / union if union else NAN,
                "dice": 2 * hit / (truth + predicted) if truth + predicted else NAN,
                "accuracy": hit / truth if truth else NAN,
                "precision": hit / predicted if predicted else NAN,
            }
            for name, value in want.items():
                assert same(getattr(found, name)[k], value), (name, rows)
        weights = rows.sum(axis=1) / max(1, rows.sum())
        if rows.sum():
            assert found.fwiou == pytest.approx(float(np.nansum(weights * found.iou)))


def test_means() -> None:
    assert mean(np.array([1.0, NAN, 0.0])) == 0.5
    assert math.isnan(mean(np.array([NAN])))
    assert math.isnan(mean(np.array([])))
