"""Labels that stay as they are, against the specification of unfiltering."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.kernels import positions, reference, scanlines
from gpuseg.kernels.jit import CHECKED
from tests.kernels.scanline_cases import CONTENTS, encode, guarded, is_untouched, make_pixels

few = settings(max_examples=30 if CHECKED else 250, deadline=None)

WIDTHS = st.one_of(st.integers(1, 70), st.sampled_from([127, 128, 129, 500]))


def read(lines: np.ndarray, cuts: list[int]) -> tuple[int, np.ndarray]:
    """Verdict and labels of scanlines, uint8 (H, 1 + W), in blocks that begin at `cuts`."""
    height, width = len(lines), lines.shape[1] - 1
    row, above = guarded(scanlines.row_buffer(width, 1).size, 0)
    labels, around = guarded(height * width + scanlines.MARGIN, 0x5A)
    verdict = scanlines.DONE
    for first, end in pairwise(sorted({0, *(cut for cut in cuts if cut < height), height})):
        block = np.frombuffer(lines[first:end].tobytes(), np.uint8)  # read-only, as in production
        verdict = positions.read_scanlines(block, first, (width, 1), row, labels)
        if verdict != scanlines.DONE:
            break
    assert is_untouched(around)
    assert is_untouched(above)
    assert not row.any()
    return verdict, labels[: height * width].reshape(height, width)


@few
@given(
    seed=st.integers(0, 2**32),
    content=st.sampled_from(CONTENTS),
    height=st.integers(1, 9),
    width=WIDTHS,
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
    want = reference.unfilter(lines.tobytes(), height, width, 1).reshape(height, width)
    verdict, labels = read(lines, cuts)
    assert verdict == scanlines.DONE
    assert np.array_equal(labels, want)
    assert np.array_equal(labels, pixels[..., 0])


@pytest.mark.parametrize("cuts", [[], [1, 2, 3, 4]])
@pytest.mark.parametrize("width", [1, 63, 64, 65, 90])
def test_every_filter_after_every_other(cuts: list[int], width: int) -> None:
    rng = np.random.default_rng(5)
    for first in range(5):
        for second in range(5):
            for content in ("runs", "noise"):
                pixels = make_pixels(rng, content, 6, width, 1)
                lines = encode(pixels, np.array([first, second, 4, first, second, 3]))
                assert np.array_equal(read(lines, cuts)[1], pixels[..., 0]), (first, second)


@pytest.mark.parametrize("number", [5, 255])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_filter_that_png_does_not_know(number: int, at: int) -> None:
    lines = np.zeros((3, 10), np.uint8)
    lines[at, 0] = number
    assert read(lines, [])[0] == scanlines.BAD_FILTER
