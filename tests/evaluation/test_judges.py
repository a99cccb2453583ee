"""scikit-learn and torchmetrics find the same, on pairs of all real data sets and on noise."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gpuseg.evaluation.scores import Scores
from tests.evaluation.making import confusion, evaluated, save_pairs
from tests.evaluation.real_pairs import QUICK, RealPairs, real_pairs, set_names

DATA = Path(__file__).parents[2].parent / "shared" / "data"


@pytest.fixture(params=set_names())
def pairs(request: pytest.FixtureRequest, tmp_path: Path) -> list[RealPairs]:
    """Some pairs of a real set."""
    return list(real_pairs(request.param, DATA, tmp_path, QUICK))


@pytest.fixture
def noise(tmp_path: Path) -> RealPairs:
    """Maps at random; a class that is nowhere, one predicted only, one never predicted, ignore."""
    rng = np.random.default_rng(7)
    truth, prediction = rng.choice([0, 1, 2, 4, 7, 255], (2, 60, 300))
    truth[truth == 4] = 0
    prediction[prediction == 7] = 1
    prediction[prediction == 255] = 2
    made = [(truth[:, :99], prediction[:, :99]), (truth[:, 99:], prediction[:, 99:])]
    save_pairs(tmp_path, {"a.png": made[0], "b/c.png": made[1]}, None)
    return RealPairs(evaluated(tmp_path, palette=None), made)


def test_there_are_real_pairs(shared: Path) -> None:
    assert len(set_names()) >= 20


def by_sklearn(found: RealPairs) -> None:
    metrics = pytest.importorskip("sklearn.metrics", reason="needs scikit-learn")
    scores = found.evaluation.scores
    truth, prediction = found.flat()
    classes = [entry.index for entry in found.evaluation.classes]
    ignored = found.evaluation.ignore_index
    columns = [*classes, ignored]
    matrix = metrics.confusion_matrix(truth, prediction, labels=columns)
    assert np.array_equal(scores.confusion[:, :-1], matrix[:-1])
    assert not matrix[-1].any()
    assert not scores.predicted_outside
    precision, recall, dice, support = metrics.precision_recall_fscore_support(
        truth, prediction, labels=classes, zero_division=np.nan
    )
    iou = metrics.jaccard_score(truth, prediction, labels=classes, average=None, zero_division=0)
    there = scores.truth + scores.predicted > 0
    assert np.array_equal(support, scores.truth)
    np.testing.assert_allclose(scores.precision, precision, rtol=1e-12)
    np.testing.assert_allclose(scores.accuracy, recall, rtol=1e-12)
    np.testing.assert_allclose(scores.dice, dice, rtol=1e-12)
    np.testing.assert_allclose(scores.iou[there], iou[there], rtol=1e-12)
    assert np.isnan(scores.iou[~there]).all()
    assert scores.pixel_accuracy == pytest.approx(metrics.accuracy_score(truth, prediction))


def by_torchmetrics(found: RealPairs) -> None:
    """What it calls macro is over classes that are in the truth or predicted, for all scores.

    So a class that is predicted only has recall 0 there, and one that is never predicted
    precision 0; here neither exists. The means are held against it where all classes are both.
    """
    torch = pytest.importorskip("torch")
    metrics = pytest.importorskip("torchmetrics.classification", reason="needs torchmetrics")
    scores = found.evaluation.scores
    truth, prediction = (torch.from_numpy(side) for side in _numbered(found))
    ways = {"num_classes": len(scores.iou) + 1, "validate_args": False}
    matrix = metrics.MulticlassConfusionMatrix(**ways)(prediction, truth).numpy()
    assert np.array_equal(matrix[:-1], scores.confusion[:, :-1])
    there = scores.truth + scores.predicted > 0
    kinds = {
        "iou": metrics.MulticlassJaccardIndex,
        "accuracy": metrics.MulticlassAccuracy,
        "dice": metrics.MulticlassF1Score,
        "precision": metrics.MulticlassPrecision,
    }
    for name, kind in kinds.items():
        each = kind(**ways, average=None)(prediction, truth).numpy()[:-1]
        np.testing.assert_allclose(np.nan_to_num(getattr(scores, name)[there]), each[there], 1e-5)
    micro = metrics.MulticlassAccuracy(**ways, average="micro")(prediction, truth)
    assert scores.pixel_accuracy == pytest.approx(micro.item(), rel=1e-5)
    if scores.predicted_ignored:
        return  # which has a row and a column of its own there, and a part in means
    macro = {
        name: kind(**ways, average="macro")(prediction, truth).item()
        for name, kind in kinds.items()
    }
    weighted = metrics.MulticlassJaccardIndex(**ways, average="weighted")(prediction, truth)
    assert scores.miou == pytest.approx(macro["iou"], rel=1e-5)
    assert scores.mean_dice == pytest.approx(macro["dice"], rel=1e-5)
    assert scores.fwiou == pytest.approx(weighted.item(), rel=1e-5)
    if (scores.truth[there] > 0).all():
        assert scores.mean_accuracy == pytest.approx(macro["accuracy"], rel=1e-5)
    if (scores.predicted[there] > 0).all():
        assert scores.mean_precision == pytest.approx(macro["precision"], rel=1e-5)


def _numbered(found: RealPairs) -> Iterator[Any]:
    """Truth and prediction by the places of classes; the ignore index comes behind them."""
    classes = [entry.index for entry in found.evaluation.classes]
    table = np.full(1 << 16, len(classes), np.int64)
    table[classes] = np.arange(len(classes))
    for side in found.flat():
        yield table[side]


def test_scikit_learn(pairs: list[RealPairs]) -> None:
    assert pairs
    for found in pairs:
        by_sklearn(found)


@pytest.mark.torch
def test_torchmetrics(pairs: list[RealPairs]) -> None:
    assert pairs
    for found in pairs:
        by_torchmetrics(found)


@pytest.mark.slow
@pytest.mark.torch
@pytest.mark.parametrize("name", set_names())
def test_all_pixels_of_all_sets(name: str, tmp_path: Path) -> None:
    for found in real_pairs(name, DATA, tmp_path, math.inf):
        by_sklearn(found)
        by_torchmetrics(found)


def test_scikit_learn_on_noise(noise: RealPairs) -> None:
    by_sklearn(noise)


@pytest.mark.torch
def test_torchmetrics_on_noise(noise: RealPairs) -> None:
    by_torchmetrics(noise)


@pytest.mark.torch
def test_torchmetrics_leaves_out_the_ignore_index(noise: RealPairs) -> None:
    """By its own option, of maps as they stand."""
    torch = pytest.importorskip("torch")
    metrics = pytest.importorskip("torchmetrics.classification", reason="needs torchmetrics")
    truth, prediction = (
        torch.from_numpy(np.concatenate([pair[side].reshape(-1) for pair in noise.pairs]))
        for side in (0, 1)
    )
    metric = metrics.MulticlassJaccardIndex(8, ignore_index=255)
    metric.update(prediction[:900], truth[:900])
    metric.update(prediction[900:], truth[900:])
    assert metric.compute().item() == pytest.approx(noise.evaluation.miou, rel=1e-6)


def test_the_oracle_of_other_tests_finds_it_too(noise: RealPairs) -> None:
    classes = [entry.index for entry in noise.evaluation.classes]
    want = Scores(confusion(noise.pairs, classes))
    assert np.array_equal(want.confusion, noise.evaluation.scores.confusion)
