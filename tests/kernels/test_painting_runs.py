"""Bitmaps in runs, painted into images that they are partly outside of."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gpuseg.kernels.painting_runs import paint_columns, paint_rows

SIDES = st.integers(1, 14)


def runs(flat: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Lengths of runs of 0 and 1 by turns, in plain Python."""
    counts, now = [0], False
    for pixel in flat.tolist():
        if pixel != now:
            counts.append(0)
            now = pixel
        counts[-1] += 1
    return np.array(counts, np.int64)


def moved(
    mask: NDArray[np.bool_], left: int, top: int, shape: tuple[int, int]
) -> NDArray[np.bool_]:
    """A bitmap at its place in an image of this shape."""
    image = np.zeros(shape, np.bool_)
    for y, x in np.argwhere(mask).tolist():
        if 0 <= y + top < shape[0] and 0 <= x + left < shape[1]:
            image[y + top, x + left] = True
    return image


@settings(max_examples=200)
@given(
    data=st.data(),
    size=st.tuples(SIDES, SIDES),
    shape=st.tuples(SIDES, SIDES),
    left=st.integers(-16, 16),
    top=st.integers(-16, 16),
)
def test_a_bitmap_is_where_it_should_be(
    data: st.DataObject, size: tuple[int, int], shape: tuple[int, int], left: int, top: int
) -> None:
    height, width = size
    bits = data.draw(st.lists(st.booleans(), min_size=height * width, max_size=height * width))
    mask = np.array(bits).reshape(size)
    want = moved(mask, left, top, shape)
    place = (left, top, width, height)
    pixels, marks = np.full(shape, 5, np.uint8), np.zeros(shape[0] * shape[1], np.uint8)
    paint_columns(runs(mask.T.ravel()), place, 9, pixels, marks)
    np.testing.assert_array_equal(pixels, np.where(want, 9, 5))
    assert not marks.any()
    pixels = np.full(shape, 5, np.uint8)
    paint_rows(runs(mask.ravel()), place, 9, pixels)
    np.testing.assert_array_equal(pixels, np.where(want, 9, 5))


@pytest.mark.parametrize("kind", ["u1", "u2", "u4"])
def test_each_type_of_pixel_and_runs_of_none(kind: str) -> None:
    pixels, marks = np.zeros((3, 4), kind), np.zeros(12, np.uint8)
    counts = np.array([2, 0, 1, 2, 0, 3, 4], np.int64)  # 3 to 8, in two runs
    value = int(np.iinfo(kind).max)
    paint_columns(counts, (0, 0, 4, 3), value, pixels, marks)
    assert np.flatnonzero(pixels.T).tolist() == [3, 4, 5, 6, 7]
    assert pixels.max() == value
    pixels[:] = 0
    paint_rows(counts, (0, 0, 4, 3), value, pixels)
    assert np.flatnonzero(pixels).tolist() == [3, 4, 5, 6, 7]
    assert pixels.max() == value


def test_runs_beyond_the_bitmap_are_left_out() -> None:
    pixels, marks = np.zeros((3, 4), np.uint8), np.zeros(12, np.uint8)
    counts = np.array([1, 1 << 60, 1, 1 << 60], np.int64)
    paint_columns(counts, (1, 0, 2, 3), 1, pixels, marks)
    assert pixels.tolist() == [[0, 0, 1, 0], [0, 1, 1, 0], [0, 1, 1, 0]]
    assert not marks.any()
    pixels[:] = 0
    paint_rows(counts, (1, 0, 2, 3), 1, pixels)
    assert pixels.tolist() == [[0, 0, 1, 0], [0, 1, 1, 0], [0, 1, 1, 0]]
