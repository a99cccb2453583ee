"""Labels counted from scanlines equal those of the label map that the specification gives."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.kernels import counting_masks, scanlines
from gpuseg.kernels.jit import CHECKED
from tests.kernels.scanline_cases import (
    CONTENTS,
    STRANGE,
    Case,
    encode,
    expected,
    make_pixels,
    table_of,
)

few = settings(max_examples=30 if CHECKED else 250, deadline=None)


def run(case: Case, cuts: list[int]) -> tuple[int, np.ndarray]:
    """How the kernel ended, and its counts; the scanlines come in pieces of `cuts` rows."""
    width, channels = case.shape
    row = scanlines.row_buffer(width, channels)
    counts = np.zeros((2, 256), np.int64)
    first = 0
    for rows in [*cuts, len(case.lines)]:
        piece = case.lines[first : first + rows]
        if not len(piece):
            break
        data = np.frombuffer(piece.tobytes(), np.uint8)
        arguments = (data, first, case.shape, row, table_of(channels), counts)
        verdict = counting_masks.count_scanlines(*arguments)
        if verdict != scanlines.DONE:
            return verdict, counts[1]
        first += rows
    return scanlines.DONE, counts[1]


@few
@given(
    seed=st.integers(0, 2**32),
    channels=st.sampled_from([3, 4]),
    height=st.integers(1, 9),
    width=st.one_of(st.integers(1, 40), st.integers(60, 140)),
    content=st.sampled_from(CONTENTS),
    number=st.sampled_from([None, 0, 1, 2, 3, 4]),
    cuts=st.lists(st.integers(1, 8), max_size=4),
)
def test_against_counting_the_label_map(
    seed: int,
    channels: int,
    height: int,
    width: int,
    content: str,
    number: int | None,
    cuts: list[int],
) -> None:
    rng = np.random.default_rng(seed)
    pixels = make_pixels(rng, content, height, width, channels)
    numbers = rng.integers(0, 5, height) if number is None else np.full(height, number)
    case = Case(pixels, encode(pixels, numbers))
    labels = expected(case)[1]
    verdict, counts = run(case, cuts)
    assert verdict == scanlines.DONE
    assert np.array_equal(counts, np.bincount(labels.reshape(-1), minlength=256))


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("place", [(0, 0), (0, 69), (3, 0), (3, 68), (5, 69)])
def test_an_unknown_colour_ends_it(number: int, channels: int, place: tuple[int, int]) -> None:
    pixels = make_pixels(np.random.default_rng(3), "runs", 6, 70, channels)
    pixels[place][:] = [*STRANGE, 255][:channels]
    case = Case(pixels, encode(pixels, np.full(6, number)))
    assert run(case, [])[0] == scanlines.UNKNOWN


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4])
def test_alpha_that_is_not_opaque_ends_it(number: int) -> None:
    pixels = make_pixels(np.random.default_rng(3), "runs", 6, 70, 4)
    pixels[3, 9, 3] = 254
    case = Case(pixels, encode(pixels, np.full(6, number)))
    assert run(case, [])[0] == scanlines.TRANSPARENT


def test_a_filter_that_png_does_not_know_ends_it() -> None:
    pixels = make_pixels(np.random.default_rng(3), "runs", 6, 70, 3)
    lines = encode(pixels, np.full(6, 2)).copy()
    lines[4, 0] = 5
    assert run(Case(pixels, lines), [2])[0] == scanlines.BAD_FILTER
