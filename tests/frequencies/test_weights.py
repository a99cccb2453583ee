"""Class weights, against the formulas of their papers written out plainly."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gpuseg.errors import UsageError
from gpuseg.frequencies.weights import WEIGHTINGS, class_weights

MAPS = [
    np.array([[0, 0, 0, 0], [1, 1, 2, 2]]),
    np.array([[0, 0, 0, 0, 0, 0], [4, 4, 0, 0, 0, 1]]),
    np.array([[2, 2, 2]]),
]
"""Label maps of classes 0 to 4; class 3 never occurs."""


def sums() -> tuple[np.ndarray, np.ndarray, int]:
    """Pixels of each class, pixels of the images that hold it, and all pixels."""
    pixels = np.array([sum((labels == c).sum() for labels in MAPS) for c in range(5)])
    area = np.array([sum(labels.size for labels in MAPS if (labels == c).any()) for c in range(5)])
    return pixels, area, sum(labels.size for labels in MAPS)


def test_inverse_is_what_scikit_learn_calls_balanced() -> None:
    every = np.concatenate([labels.ravel() for labels in MAPS])
    classes = np.unique(every)  # compute_class_weight: n_samples / (n_classes * bincount)
    want = np.zeros(5)
    want[classes] = len(every) / (len(classes) * np.bincount(every)[classes])
    assert np.allclose(class_weights(*sums(), "inverse"), want)


def test_median_frequency_balancing() -> None:
    frequencies = {0: 13 / (8 + 12), 1: 3 / (8 + 12), 2: 5 / (8 + 3), 4: 2 / 12}
    middle = (2 / 12 + 5 / 11) / 2  # of 0.15, 0.167, 0.455 and 0.65
    want = [middle / frequencies[c] if c in frequencies else 0 for c in range(5)]
    assert np.allclose(class_weights(*sums(), "median"), want)


def test_enet() -> None:
    shares = [13 / 23, 3 / 23, 5 / 23, None, 2 / 23]
    want = [0 if share is None else 1 / math.log(1.02 + share) for share in shares]
    assert np.allclose(class_weights(*sums(), "enet"), want)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_nothing_at_all_has_weights_of_zero(weighting: str) -> None:
    nothing = np.zeros(3, np.int64)
    assert class_weights(nothing, nothing, 0, weighting).tolist() == [0, 0, 0]
    assert class_weights(nothing[:0], nothing[:0], 0, weighting).shape == (0,)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_one_pixel_among_many_is_finite(weighting: str) -> None:
    pixels = np.array([1, 10**15])
    found = class_weights(pixels, np.array([10**15 + 1] * 2), 10**15 + 1, weighting)
    assert np.isfinite(found).all()
    assert found[0] > found[1] > 0


def test_another_weighting_is_refused() -> None:
    with pytest.raises(UsageError, match="one of inverse, median, enet, got 'balanced'"):
        class_weights(*sums(), "balanced")
