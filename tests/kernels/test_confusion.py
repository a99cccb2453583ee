"""The cells of a confusion matrix, against the specification."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.kernels import confusion, reference_confusion
from gpuseg.kernels.jit import CHECKED
from tests.kernels.scanline_cases import guarded, is_untouched

few = settings(max_examples=30 if CHECKED else 250, deadline=None)

TYPES = st.sampled_from([np.uint8, np.uint16])
SIZES = st.one_of(
    st.integers(0, 3), st.integers(60, 70), st.integers(124, 132), st.integers(0, 400)
)


def labels(rng: np.random.Generator, dtype: type, size: int, run: int, top: int) -> np.ndarray:
    """Runs of labels, the largest of the type among them; each begins anywhere in a run."""
    values = int(np.iinfo(dtype).max) - rng.integers(0, top, size // run + 2)
    start = int(rng.integers(0, run))
    return values.repeat(run)[start : start + size].astype(dtype)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """A truth and a prediction of one size: runs or noise, of few labels or all."""
    size = draw(SIZES)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    one, other = (
        labels(
            rng,
            draw(TYPES),
            size,
            draw(st.sampled_from([1, 2, 63, 64, 65, 1000])),
            draw(st.sampled_from([1, 2, 12, 256])),
        )
        for _ in range(2)
    )
    return one, other


def check(truth: np.ndarray, prediction: np.ndarray) -> None:
    found = confusion.count_cells(truth, prediction)
    want = reference_confusion.count_cells(truth, prediction)
    for one, other in zip(found, want, strict=True):
        assert one.dtype == other.dtype
        assert one.tolist() == other.tolist()


@few
@given(pairs())
def test_cells(pair: tuple[np.ndarray, np.ndarray]) -> None:
    check(*pair)


@pytest.mark.parametrize("size", [1, 2, 63, 64, 65, 127, 128, 129, 130, 192, 193])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_one_pixel_that_is_other_at_each_place(size: int, dtype: type) -> None:
    """In the truth, in the prediction, and in both."""
    for at in range(size):
        for changes in ((1, 0), (0, 1), (1, 1)):
            truth, prediction = np.zeros(size, dtype), np.full(size, 7, dtype)
            truth[at] += changes[0]
            prediction[at] += changes[1]
            check(truth, prediction)


@pytest.mark.parametrize("types", [(np.uint8, np.uint8), (np.uint16, np.uint8)])
def test_all_cells_of_8_bits_at_once(types: tuple[type, type]) -> None:
    """In any order, and of so many pixels each that they tell the cells apart."""
    rng = np.random.default_rng(3)
    cells = rng.permutation(np.arange(1 << 16).repeat(rng.integers(1, 4, 1 << 16)))
    truth, prediction = (cells >> 8).astype(types[0]), (cells & 255).astype(types[1])
    check(truth, prediction)
    assert len(confusion.count_cells(truth, prediction)[0]) == 1 << 16


def test_images_and_what_lies_around_them() -> None:
    """Two dimensions, in memory that begins anywhere; nothing around them is counted."""
    rng = np.random.default_rng(4)
    made = rng.integers(0, 3, (2, 7, 19), np.uint8)
    around = []
    for image in range(2):
        for shift in range(2):
            buffer, memory = guarded(7 * 19 + shift, 9)
            buffer[shift:] = made[image].reshape(-1)
            around.append((buffer[shift:].reshape(7, 19), memory))
    for truth, prediction in ((0, 2), (1, 3), (1, 2)):
        check(around[truth][0], around[prediction][0])
    assert all(is_untouched(memory) for _, memory in around)


def test_what_is_returned_is_no_memory_of_the_next_call() -> None:
    one = confusion.count_cells(np.array([1, 2], np.uint8), np.array([3, 4], np.uint8))
    before = [each.copy() for each in one]
    confusion.count_cells(np.array([9, 9], np.uint8), np.array([9, 8], np.uint8))
    assert all(map(np.array_equal, one, before))


def test_a_call_that_is_interrupted_leaves_no_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    truth = np.zeros(70, np.uint8)
    check(truth, truth)
    count = confusion._count_bytes

    def interrupted(*arguments: object) -> int:
        count(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(confusion, "_count_bytes", interrupted)
        with pytest.raises(KeyboardInterrupt):
            confusion.count_cells(truth, truth)
    check(truth, truth)


def test_threads_at_once() -> None:
    rng = np.random.default_rng(5)
    images = [labels(rng, np.uint8, 200_000, 3, 12) for _ in range(5)]
    want = [
        [each.tolist() for each in reference_confusion.count_cells(images[i], images[i - 1])]
        for i in range(5)
    ]

    def count(number: int) -> bool:
        i = number % 5
        found = confusion.count_cells(images[i], images[i - 1])
        return [each.tolist() for each in found] == want[i]

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(count, range(100)))


@few
@given(pairs(), st.sampled_from([0, 7, 255, 65535]))
def test_sums_of_cells(pair: tuple[np.ndarray, np.ndarray], ignored: int) -> None:
    cells = reference_confusion.count_cells(*pair)
    found, want = (module.sum_cells(*cells, ignored) for module in (confusion, reference_confusion))
    for one, other in zip(found, want, strict=True):
        assert one.dtype == other.dtype
        assert one.tolist() == other.tolist()
    truth, prediction = pair
    counted = truth != ignored
    for label, sums in zip(*(array.tolist() for array in found), strict=True):
        here = truth == label, (prediction == label) & counted
        assert sums == [int(here[0].sum()), int(here[1].sum()), int((here[0] & here[1]).sum())]
