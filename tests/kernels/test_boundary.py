"""Boundary matching by the kernel follows its specification, and that does what it promises."""

from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gpuseg.batch import Labels
from gpuseg.kernels.boundary import boundary_matches
from gpuseg.kernels.jit import CHECKED
from gpuseg.kernels.reference_boundary import boundary_matches as specified

few = settings(max_examples=40 if CHECKED else 300, deadline=None)
RADII = (0, 0.5, 1, math.sqrt(2), 2, math.sqrt(5), 3, 7.3, 70, 1e300)
DTYPES = st.sampled_from([np.uint8, np.uint16])

Pair = tuple[Labels, Labels]
Counts = dict[int, list[int]]


@st.composite
def pairs(draw: st.DrawFn) -> Pair:
    """A truth and a prediction of few labels: runs, columns or noise, some alike but for a few."""
    side = st.one_of(st.integers(0, 3), st.integers(0, 24))
    shape = draw(st.one_of(st.tuples(side, side), st.tuples(st.integers(1, 3), st.just(200))))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    top, run = draw(st.sampled_from([2, 3, 256])), draw(st.sampled_from([1, 2, 9, 70]))
    size = shape[0] * shape[1]

    def labels() -> NDArray[np.int64]:
        values = rng.integers(256 - top, 256, size // run + 1).repeat(run)[:size]
        return values.reshape(shape[::-1]).T if run == 2 else values.reshape(shape)

    truth = labels()
    prediction = np.where(rng.random(shape) < draw(st.sampled_from([0, 0.1, 1])), labels(), truth)
    return tuple(  # type: ignore[return-value]
        np.ascontiguousarray(array, draw(DTYPES)) for array in (truth, prediction)
    )


@few
@given(pair=pairs(), radius=st.sampled_from(RADII), ignored=st.sampled_from([None, 255, 254, 300]))
def test_the_kernel_equals_the_specification(
    pair: Pair, radius: float, ignored: int | None
) -> None:
    found, want = boundary_matches(*pair, radius, ignored), specified(*pair, radius, ignored)
    for array, expected in zip(found, want, strict=True):
        assert array.dtype == expected.dtype
        assert np.array_equal(array, expected)


def test_indices_of_16_bits() -> None:
    truth = np.array([[65535, 7, 300, 300], [44, 44, 300, 7]], np.uint16)
    prediction = np.array([[65535, 300, 300, 300], [44, 44, 1300, 7]], np.uint16)
    for ignored in (None, 65535, 300):
        found, want = (way(truth, prediction, 1, ignored) for way in (boundary_matches, specified))
        assert np.array_equal(found[0], want[0])
        assert np.array_equal(found[1], want[1])


@few
@given(pair=pairs(), radius=st.sampled_from(RADII))
def test_truth_and_prediction_in_each_others_place(pair: Pair, radius: float) -> None:
    labels, counts = boundary_matches(*pair, radius, None)
    turned, other = boundary_matches(*reversed(pair), radius, None)
    assert np.array_equal(labels, turned)
    assert np.array_equal(counts, other[:, [2, 3, 0, 1]])


@few
@given(pair=pairs())
def test_the_same_image_matches_at_any_radius(pair: Pair) -> None:
    counts = boundary_matches(pair[0], pair[0], 0, None)[1]
    assert (counts == counts[:, :1]).all()
    assert (counts > 0).all()


@few
@given(pair=pairs())
def test_a_larger_radius_matches_no_less_and_all_where_it_has_no_end(pair: Pair) -> None:
    matched = np.array([boundary_matches(*pair, radius, None)[1][:, 1::2] for radius in RADII])
    assert (np.diff(matched, axis=0) >= 0).all()
    counts = boundary_matches(*pair, RADII[-1], None)[1]
    both = (counts[:, ::2] > 0).all(axis=1)
    assert np.array_equal(counts[:, 1::2], np.where(both[:, None], counts[:, ::2], 0))


def of(truth: object, prediction: object, radius: float = 0, ignored: int | None = 255) -> Counts:
    """Counts by label: by the kernel, and no others by the specification."""
    pair = np.array(truth, np.uint8), np.array(prediction, np.uint8)
    labels, counts = boundary_matches(*pair, radius, ignored)
    want = specified(*pair, radius, ignored)
    assert np.array_equal(labels, want[0])
    assert np.array_equal(counts, want[1])
    return dict(zip(labels.tolist(), counts.tolist(), strict=True))


ROW = [[1, 1, 1, 2, 2, 2, 2]]
LATER = [[1, 1, 1, 1, 1, 2, 2]]


@pytest.mark.parametrize(
    ("truth", "prediction", "radius", "counts"),
    [
        (ROW, ROW, 0, {1: [1, 1, 1, 1], 2: [1, 1, 1, 1]}),
        (ROW, LATER, 1.99, {1: [1, 0, 1, 0], 2: [1, 0, 1, 0]}),
        (ROW, LATER, 2, {1: [1, 1, 1, 1], 2: [1, 1, 1, 1]}),
        (ROW, [[1, 1, 1, 3, 2, 2, 2]], 0, {1: [1, 1, 1, 1], 2: [1, 0, 1, 0], 3: [1, 0, 0, 0]}),
        (ROW, [[1, 1, 1, 3, 2, 2, 2]], 1, {1: [1, 1, 1, 1], 2: [1, 1, 1, 1], 3: [1, 0, 0, 0]}),
        (ROW, [[4] * 7], 9, {1: [0, 0, 1, 0], 2: [0, 0, 1, 0]}),
        ([[1] * 7], [[4] * 7], 9, {}),  # no label has a boundary
        (np.transpose(ROW), np.transpose(LATER), 2, {1: [1, 1, 1, 1], 2: [1, 1, 1, 1]}),
    ],
)
def test_one_row_or_column(
    truth: object, prediction: object, radius: float, counts: Counts
) -> None:
    assert of(truth, prediction, radius) == counts


def test_the_last_pixel_of_a_row_is_no_neighbour_of_the_next() -> None:
    assert of([[1, 1, 1], [2, 2, 2]], [[1, 1, 1], [2, 2, 2]]) == {1: [3, 3, 3, 3], 2: [3, 3, 3, 3]}
    assert of([[1, 2], [1, 2]], [[1, 2], [1, 2]]) == {1: [2, 2, 2, 2], 2: [2, 2, 2, 2]}
    assert of([[3, 3, 1], [2, 2, 2]], np.ones((2, 3)), 9)[3] == [0, 0, 2, 0]


def test_nor_is_it_near_the_next() -> None:
    truth, prediction = np.ones((2, 30)), np.ones((2, 30))
    truth[0, -1] = prediction[1, 0] = 2
    assert of(truth, prediction, 29)[2] == [1, 0, 1, 0]
    assert of(truth, prediction, math.hypot(29, 1))[2] == [1, 1, 1, 1]


@pytest.mark.parametrize(
    ("step", "radius", "is_near"),
    [((3, 4), 5, True), ((3, 4), 4.999, False), ((1, 1), 1, False), ((1, 1), math.sqrt(2), True)],
)
def test_distance_is_euclidean_and_may_be_the_radius(
    step: tuple[int, int], radius: float, is_near: bool
) -> None:
    truth, prediction = np.zeros((9, 9)), np.zeros((9, 9))
    truth[2, 3] = 1
    prediction[2 + step[0], 3 + step[1]] = 1
    assert of(truth, prediction, radius)[1] == [1, int(is_near)] * 2


@pytest.mark.parametrize("radius", [31, 32, 33, 63.5, 64, 65, 130, 200])
@pytest.mark.parametrize("side", [-1, 1])
@pytest.mark.parametrize("far", [0, 1])
def test_rows_wider_than_a_vector(radius: float, side: int, far: int) -> None:
    """A mark at the very end of what is in reach, and one pixel further."""
    truth, prediction = np.zeros((1, 501)), np.zeros((1, 501))
    truth[0, 250] = 1
    prediction[0, 250 + side * (int(radius) + far)] = 1
    assert of(truth, prediction, radius)[1] == [1, 1 - far] * 2


@pytest.mark.parametrize("other", [3 + 128, 3 + 256, 3 + 1024, 3 + 65408])
def test_labels_that_share_a_mark_are_no_match(other: int) -> None:
    """One of another label comes first, on the same pixel too; then the pixel's own."""
    dtype = np.uint8 if other < 256 else np.uint16
    truth, prediction = np.zeros((3, 12), dtype), np.zeros((3, 12), dtype)
    truth[1, [5, 7, 11]] = other, other, 3
    prediction[1, 5] = 3
    for radius, matched in ((5.9, 0), (6, 1)):
        for way in (boundary_matches, specified):
            labels, counts = way(truth, prediction, radius, None)
            found = dict(zip(labels.tolist(), counts.tolist(), strict=True))
            assert found[3] == [1, matched, 1, matched]
            assert found[other] == [0, 0, 2, 0]


def test_ignored_pixels_are_on_no_boundary_and_make_none() -> None:
    truth = [[1, 1, 255, 2, 2, 3]]
    assert of(truth, truth) == {2: [1, 1, 1, 1], 3: [1, 1, 1, 1]}
    prediction = [[1, 2, 1, 2, 2, 2]]  # none beside the third pixel, whatever is predicted there
    assert of(truth, prediction) == {1: [1, 0, 0, 0], 2: [1, 0, 1, 0], 3: [0, 0, 1, 0]}
    assert of(truth, truth, ignored=None)[255] == [1, 1, 1, 1]


def test_a_predicted_ignore_index_is_a_label_like_any_other() -> None:
    assert of([[1, 1, 1, 1]], [[1, 1, 255, 255]]) == {1: [1, 0, 0, 0], 255: [1, 0, 0, 0]}


@pytest.mark.parametrize("shape", [(0, 0), (0, 9), (9, 0), (1, 1), (1, 9), (9, 1), (70, 70)])
@pytest.mark.parametrize("radius", [0, 2.5, 1e300])
def test_nothing_to_count(shape: tuple[int, int], radius: float) -> None:
    """No pixels, one label, and a truth that is ignored everywhere."""
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, shape)
    assert of(np.full(shape, 3), np.full(shape, 4), radius) == {}
    assert of(np.full(shape, 255), noise, radius) == {}


def test_what_was_marked_before_is_forgotten() -> None:
    """Memory is kept from image to image, larger and smaller ones."""
    rng = np.random.default_rng(2)
    for size in (40, 3, 41, 7, 40):
        of(rng.integers(0, 3, (size, size)), rng.integers(0, 3, (size, size)), 1)
        assert of(np.zeros((size, size)), np.zeros((size, size))) == {}


def test_threads_do_not_meet() -> None:
    rng = np.random.default_rng(3)
    images = [np.repeat(rng.integers(0, 9, (300, 60), np.uint8), 5, axis=1) for _ in range(8)]
    jobs = list(zip(images, images[1:] + images[:1], strict=True)) * 4
    alone = [boundary_matches(*pair, 3, 8) for pair in jobs]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda pair: boundary_matches(*pair, 3, 8), jobs))
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one[0], other[0])
        assert np.array_equal(one[1], other[1])
