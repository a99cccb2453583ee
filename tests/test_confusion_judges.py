"""ConfusionMatrix and its scores, judged by torchmetrics and scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gpuseg import ConfusionMatrix
from tests.test_confusion import random_pair

SHAPE = (3, 40, 50)
CLASSES = 21


def counted(seed: int, dtype: str = "i8", **options: Any) -> tuple[ConfusionMatrix, Any, Any]:
    matrix = ConfusionMatrix(CLASSES)
    prediction, truth = random_pair(seed, SHAPE, CLASSES, dtype, **options)
    matrix.add(prediction, truth)
    return matrix, prediction.reshape(-1), truth.reshape(-1)


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("void", [False, True])
def test_scikit_learn(seed: int, void: bool) -> None:
    """It leaves out pixels whose index is not among its labels, so all that occur are."""
    metrics = pytest.importorskip("sklearn.metrics", reason="scikit-learn is not installed")
    matrix, prediction, truth = counted(seed, "u1", void=void)
    labels = [*range(CLASSES), 255, 100]
    expected = metrics.confusion_matrix(truth, prediction, labels=labels)
    np.testing.assert_array_equal(matrix.matrix, expected)
    counts = truth != 255
    present = np.unique(truth[counts])
    scores = matrix.scores()
    judged = {
        "iou": metrics.jaccard_score,
        "dice": metrics.f1_score,
        "accuracy": metrics.recall_score,
        "precision": metrics.precision_score,
    }
    for name, judge in judged.items():
        found = judge(truth[counts], prediction[counts], labels=present, average=None)
        np.testing.assert_allclose(getattr(scores, name)[present], found, rtol=1e-12)
    accuracy = metrics.accuracy_score(truth[counts], prediction[counts])
    assert scores.pixel_accuracy == pytest.approx(accuracy, rel=1e-12)


@pytest.mark.torch
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("ignored", [255, 0])
def test_torchmetrics(seed: int, ignored: int) -> None:
    """Also with a class for the ignore index, whose row and column it empties or leaves out.

    It refuses predictions that are no class, so there are none.
    """
    torch = pytest.importorskip("torch", reason="torch is not installed")
    judges = pytest.importorskip(
        "torchmetrics.classification", reason="torchmetrics is not installed"
    )
    matrix = ConfusionMatrix(CLASSES, ignore_index=ignored)
    sums = judges.MulticlassConfusionMatrix(CLASSES, ignore_index=ignored)
    miou = judges.MulticlassJaccardIndex(CLASSES, ignore_index=ignored, average="macro")
    iou = judges.MulticlassJaccardIndex(CLASSES, ignore_index=ignored, average=None)
    accuracy = judges.MulticlassAccuracy(CLASSES, ignore_index=ignored, average="micro")
    for batch in range(2):
        pair = random_pair(seed + 10 * batch, SHAPE, CLASSES, "i8", void=False)
        prediction, truth = map(torch.from_numpy, pair)
        if ignored != 255:
            truth[truth == 255] = 5
        matrix.add(prediction, truth)
        for judge in (sums, miou, iou, accuracy):
            judge.update(prediction, truth)
    rows = list(matrix.indices)
    scores = matrix.scores()
    confusion = sums.compute().numpy()
    np.testing.assert_array_equal(scores.confusion[:, : len(rows)], confusion[np.ix_(rows, rows)])
    if ignored != 255:
        np.testing.assert_array_equal(scores.confusion[:, -2], confusion[rows, ignored])
    assert scores.miou == pytest.approx(float(miou.compute()), rel=1e-6)  # theirs is float32
    assert scores.pixel_accuracy == pytest.approx(float(accuracy.compute()), rel=1e-6)
    there = ~np.isnan(scores.iou)
    np.testing.assert_allclose(scores.iou[there], iou.compute().numpy()[rows][there], rtol=1e-6)
    assert [rows[k] for k in np.flatnonzero(~there)] == [20]  # the class that is nowhere
