"""Pixels of each label, against the specification."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.kernels import counting, reference, scanlines
from gpuseg.kernels.jit import CHECKED
from tests.kernels.scanline_cases import CONTENTS, encode, guarded, is_untouched, make_pixels

few = settings(max_examples=30 if CHECKED else 250, deadline=None)


@st.composite
def label_maps(draw: st.DrawFn) -> np.ndarray:
    """Runs of few or many labels, from noise to one run."""
    dtype = draw(st.sampled_from([np.uint8, np.uint16]))
    size = draw(st.one_of(st.integers(0, 3), st.integers(0, 400)))
    run = draw(st.sampled_from([1, 2, 63, 64, 65, 1000]))
    top = draw(st.sampled_from([1, 2, 12, int(np.iinfo(dtype).max) + 1]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    values = top - 1 - rng.integers(0, top, size // run + 1)
    start = draw(st.integers(0, min(9, size)))
    return values.repeat(run)[start:size].astype(dtype)


@few
@given(label_maps())
def test_labels(labels: np.ndarray) -> None:
    found, want = counting.count_labels(labels), reference.count_labels(labels)
    assert found.dtype == want.dtype == np.int64
    assert np.array_equal(found, want)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_labels_of_two_dimensions(dtype: type) -> None:
    labels = (np.arange(35 * 77) // 11).astype(dtype).reshape(35, 77)
    assert np.array_equal(counting.count_labels(labels), reference.count_labels(labels))


def count(lines: np.ndarray, cuts: list[int]) -> tuple[int, np.ndarray]:
    """Verdict and counts of scanlines, uint8 (H, 1 + W), in blocks that begin at `cuts`."""
    height, width = len(lines), lines.shape[1] - 1
    row, around = guarded(scanlines.row_buffer(width, 1).size, 0)
    counts = np.zeros(256, np.int64)
    verdict = scanlines.DONE
    for first, end in pairwise(sorted({0, *(cut for cut in cuts if cut < height), height})):
        verdict = counting.count_scanlines(lines[first:end].reshape(-1), width, row, counts)
        if verdict != scanlines.DONE:
            break
    assert is_untouched(around)
    assert not row[: scanlines.LEFT].any(), "the zeros left of the image"
    return verdict, counts


@few
@given(
    seed=st.integers(0, 2**32),
    content=st.sampled_from(CONTENTS),
    height=st.integers(1, 9),
    width=st.one_of(st.integers(1, 70), st.sampled_from([127, 128, 129, 500])),
    number=st.sampled_from([None, 0, 1, 2, 3, 4]),
    cuts=st.lists(st.integers(1, 8), max_size=4),
)
def test_scanlines(
    seed: int, content: str, height: int, width: int, number: int | None, cuts: list[int]
) -> None:
    rng = np.random.default_rng(seed)
    pixels = make_pixels(rng, content, height, width, 1)
    numbers = rng.integers(0, 5, height) if number is None else np.full(height, number)
    lines = encode(pixels, numbers)
    labels = reference.unfilter(lines.tobytes(), height, width, 1)
    verdict, counts = count(lines, cuts)
    assert verdict == scanlines.DONE
    assert np.array_equal(counts, reference.count_labels(labels))


@pytest.mark.parametrize("cuts", [[], [1, 2, 3, 4]])
def test_every_filter_after_every_other(cuts: list[int]) -> None:
    rng = np.random.default_rng(5)
    for first in range(5):
        for second in range(5):
            pixels = make_pixels(rng, "runs", 5, 90, 1)
            counts = count(encode(pixels, np.array([first, second, 4, first, second])), cuts)[1]
            assert np.array_equal(counts, reference.count_labels(pixels)), (first, second)


@pytest.mark.parametrize("number", [5, 255])
def test_a_filter_that_png_does_not_know(number: int) -> None:
    lines = np.zeros((3, 10), np.uint8)
    lines[1, 0] = number
    assert count(lines, [])[0] == scanlines.BAD_FILTER
