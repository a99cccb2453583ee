"""That subscripts are checked at all; run by test_scanlines in a process that checks them."""

from __future__ import annotations

import numpy as np
import pytest

from gpuseg.kernels import positions, scanlines
from gpuseg.kernels.jit import CHECKED
from tests.kernels.scanline_cases import encode, table_of


def test_checks_are_on() -> None:
    assert CHECKED


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("short", ["labels", "row"])
def test_a_buffer_that_is_too_short_is_caught(number: int, short: str) -> None:
    """So the checks do see the words that are read and written past subscripts."""
    width = 13
    pixels = np.full((4, width, 3), 9, np.uint8)
    pixels[1:, -2] = 200  # runs and changes that end in the last word
    lines = encode(pixels, np.full(4, number)).reshape(-1)
    row = scanlines.row_buffer(width, 3)
    labels = np.zeros(4 * width + scanlines.MARGIN, np.uint8)
    arguments = (lines, 0, (width, 3))
    assert scanlines.index_scanlines(*arguments, row.copy(), table_of(3), labels) == 0
    if short == "labels":
        labels = labels[: 4 * width - 1]
    else:
        row = row[: scanlines.LEFT + 3 * width - 1]
    with pytest.raises(IndexError):
        scanlines.index_scanlines(*arguments, row, table_of(3), labels)


def test_words_past_the_end_are_caught() -> None:
    """Only the margins of both buffers are missing: nothing but whole words goes past the end."""
    pixels = np.full((3, 13, 3), 9, np.uint8)
    lines = encode(pixels, np.array([0, 1, 2])).reshape(-1)
    row, labels = scanlines.row_buffer(13, 3), np.zeros(3 * 13 + scanlines.MARGIN, np.uint8)
    sub = encode(pixels, np.array([1, 1, 1])).reshape(-1)
    with pytest.raises(IndexError):  # a word of labels is written
        scanlines.index_scanlines(sub, 0, (13, 3), row.copy(), table_of(3), labels[: 3 * 13])
    with pytest.raises(IndexError):  # a word of the row is read
        scanlines.index_scanlines(
            lines, 0, (13, 3), row[: scanlines.LEFT + 39], table_of(3), labels
        )


@pytest.mark.parametrize("number", [0, 1, 2, 3, 4])
def test_labels_that_are_too_short_are_caught(number: int) -> None:
    pixels = np.full((4, 13, 1), 9, np.uint8)
    pixels[1:, -2] = 200
    lines = encode(pixels, np.full(4, number)).reshape(-1)
    row, labels = scanlines.row_buffer(13, 1), np.zeros(4 * 13 - 1, np.uint8)
    with pytest.raises(IndexError):
        positions.read_scanlines(lines, 0, (13, 1), row, labels)
