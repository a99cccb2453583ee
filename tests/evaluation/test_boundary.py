"""Boundary F-scores of images, and their sums."""

from __future__ import annotations

import math
import pickle
from fractions import Fraction
from functools import reduce
from itertools import pairwise
from operator import add

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuseg.errors import UsageError
from gpuseg.evaluation.boundary import (
    DIAGONAL,
    ONE,
    BoundaryTally,
    ImageBoundaries,
    image_boundaries,
    radius,
)
from gpuseg.kernels.reference_boundary import boundary_matches

CLASSES = frozenset(range(5))
IGNORED = 255


def scores_of(
    truth: object, prediction: object, theta: float | None = 0
) -> tuple[dict[int, float], float]:
    """F of each class and of the image; classes are 0 to 4."""
    pair = np.array(truth, np.uint8), np.array(prediction, np.uint8)
    found = image_boundaries(*pair, IGNORED, CLASSES, theta)
    return dict(found.by_class), found.score


@pytest.mark.parametrize(
    ("truth", "prediction", "theta", "scores"),
    [
        ([[1, 1, 2, 2]], [[1, 1, 2, 2]], 0, {1: 1, 2: 1}),
        ([[1, 1, 2, 2]], [[1, 2, 2, 2]], 0, {1: 0, 2: 0}),
        ([[1, 1, 2, 2]], [[1, 2, 2, 2]], 1, {1: 1, 2: 1}),
        ([[1, 1, 1, 1]], [[1, 1, 1, 2]], 9, {1: 0, 2: 0}),  # only in the prediction
        ([[1, 1, 1, 2]], [[1, 1, 1, 1]], 9, {1: 0, 2: 0}),  # only in the truth
        ([[1, 1, 1, 1]], [[1, 1, 255, 9]], 9, {1: 0}),  # beside what is no class
        ([[1, 255, 2, 2]], [[1, 0, 2, 2]], 9, {}),
        ([[1, 2, 1, 1, 1]], [[1, 2, 2, 1, 1]], 0, {1: 1 / 2, 2: 2 / 3}),
        ([[2, 1, 1, 1, 3]], [[2, 1, 3, 1, 3]], 0, {1: 1, 2: 1, 3: 2 / 3}),
    ],
)
def test_scores_of_one_image(
    truth: object, prediction: object, theta: float, scores: dict[int, float]
) -> None:
    found, score = scores_of(truth, prediction, theta)
    assert found == pytest.approx(scores, rel=1e-15)
    mean = float(np.mean(list(scores.values()))) if scores else math.nan
    assert score == pytest.approx(mean, rel=1e-15, nan_ok=True)


def test_without_classes_all_indices_have_a_score_but_the_ignore_index() -> None:
    pair = np.array([[1, 1, 2, 2]], np.uint8), np.array([[1, 255, 7, 9]], np.uint16)
    assert image_boundaries(*pair, IGNORED, None, 9).by_class == {1: 1, 2: 0, 7: 0, 9: 0}
    assert image_boundaries(*pair, IGNORED, frozenset({1, 9, 255}), 9).by_class == {1: 1, 9: 0}
    assert image_boundaries(*pair, 65535, None, 9).by_class == {1: 1, 2: 0, 7: 0, 9: 0, 255: 0}


@pytest.mark.parametrize("shape", [(0, 0), (0, 4), (1, 1), (6, 7)])
def test_no_boundary_no_score(shape: tuple[int, int]) -> None:
    assert math.isnan(scores_of(np.ones(shape), np.ones(shape), None)[1])


def test_precision_and_recall_make_the_score() -> None:
    """In floating point, and from the specification."""
    rng = np.random.default_rng(4)
    truth, prediction = (np.repeat(rng.integers(0, 5, (20, 8)), 4, 1) for _ in range(2))
    want = {}
    labels, counts = boundary_matches(truth, prediction, 1, IGNORED)
    for label, (predicted, of_predicted, true, of_true) in zip(labels, counts, strict=True):
        precision, recall = of_predicted / predicted, of_true / true
        want[int(label)] = 2 * precision * recall / (precision + recall)
    assert scores_of(truth, prediction, 1)[0] == pytest.approx(want, rel=1e-14)
    assert len(set(want.values()) - {0, 1}) == 5


@pytest.mark.parametrize(
    ("shape", "theta", "pixels"),
    [((300, 400), None, 3.75), ((3, 4), None, 0.0375), ((300, 400), 0, 0), ((3, 4), 2.5, 2.5)],
)
def test_radius(shape: tuple[int, int], theta: float | None, pixels: float) -> None:
    assert radius(shape, theta) == pixels


def test_the_radius_is_used() -> None:
    """A diagonal of 133.3 pixels is where the part of it that is taken reaches one pixel."""
    assert pytest.approx(1 / DIAGONAL, rel=1e-3) == 133.3
    for width, score in ((132, 0), (134, 1)):
        truth = (np.arange(width) < 50).astype(np.uint8)[None]
        prediction = (np.arange(width) < 51).astype(np.uint8)[None]
        assert scores_of(truth, prediction, None)[1] == score


@pytest.mark.parametrize("theta", [-1, -0.001, math.nan, math.inf])
def test_a_radius_that_is_none(theta: float) -> None:
    with pytest.raises(UsageError, match="give a number from 0"):
        radius((3, 4), theta)


@st.composite
def images(draw: st.DrawFn) -> ImageBoundaries:
    indices = tuple(sorted(draw(st.sets(st.sampled_from([0, 1, 4, 65534])))))
    part = st.one_of(st.integers(0, ONE), st.sampled_from([0, 1, ONE // 3, ONE]))
    return ImageBoundaries(indices, tuple(draw(part) for _ in indices))


def tally_of(some: list[ImageBoundaries]) -> BoundaryTally:
    tally = BoundaryTally()
    for image in some:
        tally.add(image)
    return tally


def said(tally: BoundaryTally) -> tuple[object, ...]:
    """All figures of a tally, to the last bit."""
    by_class = tally.by_class([0, 1, 4, 7])
    return tally, tally.score.hex(), tally.class_mean([0, 1, 4, 7]).hex(), by_class.tobytes()


@given(
    some=st.lists(images(), max_size=9),
    cuts=st.lists(st.integers(0, 9), max_size=3),
    rng=st.randoms(use_true_random=False),
)
def test_order_and_parts_change_no_bit(
    some: list[ImageBoundaries], cuts: list[int], rng: object
) -> None:
    whole = said(tally_of(some))
    mixed = list(some)
    rng.shuffle(mixed)  # type: ignore[attr-defined]
    assert said(tally_of(mixed)) == whole
    ends = [0, *sorted(cuts), len(mixed)]
    parts = [tally_of(mixed[a:b]) for a, b in pairwise(ends)]
    assert said(reduce(add, parts)) == whole
    assert said(pickle.loads(pickle.dumps(tally_of(some)))) == whole


@given(some=st.lists(images(), max_size=9))
def test_means_are_those_of_fractions(some: list[ImageBoundaries]) -> None:
    tally = tally_of(some)
    every: dict[int, list[Fraction]] = {}
    of_images: list[Fraction] = []
    for image in some:
        scores = [Fraction(part, ONE) for part in image.parts]
        for index, score in zip(image.indices, scores, strict=True):
            every.setdefault(index, []).append(score)
        if scores:
            of_images.append(sum(scores, Fraction(0)) / len(scores))
    assert tally.images == len(of_images)
    indices = [0, 1, 4, 65534, 7]
    means = [float(mean(every[i])) if i in every else math.nan for i in indices]
    assert np.array_equal(tally.by_class(indices), means, equal_nan=True)
    assert [tally.images_of[i] for i in indices] == [len(every.get(i, [])) for i in indices]
    assert tally.score == pytest.approx(float(mean(of_images)), abs=2**-52, nan_ok=True)
    there = [value for value in means if not math.isnan(value)]
    want = float(np.mean(there)) if there else math.nan
    assert tally.class_mean(indices) == pytest.approx(want, abs=1e-15, nan_ok=True)


def mean(values: list[Fraction]) -> Fraction | float:
    return sum(values, Fraction(0)) / len(values) if values else math.nan


def test_images_count_alike_and_so_do_classes() -> None:
    """Two images of one class, one of two: the means differ."""
    tally = tally_of(
        [
            ImageBoundaries((0,), (ONE,)),
            ImageBoundaries((0,), (ONE // 2,)),
            ImageBoundaries((0, 1), (ONE // 2, 0)),
            ImageBoundaries((), ()),
        ]
    )
    assert tally.images == 3
    assert tally.score == (1 + 1 / 2 + 1 / 4) / 3
    assert tally.by_class([1, 0]).tolist() == [0, (1 + 1 / 2 + 1 / 2) / 3]
    assert tally.class_mean([0, 1]) == 1 / 3
    assert math.isnan(tally.class_mean([7]))
