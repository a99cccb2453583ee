"""Confusion matrices of ragged batches: the specification, and the kernel that follows it."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.kernels import confusion, reference_confusion
from tests.kernels.confusion_batches import ConfusionBatch, random_batch

PAIRS = [("u1", "u1"), ("i8", "i8"), ("u1", "i8"), ("i1", "u1"), ("u2", "u4"), ("u8", "i2")]


def count_slowly(batch: ConfusionBatch) -> list[list[list[int]]]:
    """Pixel by pixel, in plain Python."""
    counts, slots = batch.counts.tolist(), batch.slots.tolist()
    last = len(counts[0]) - 1 if counts else 0
    for image, (begin, end) in enumerate(zip(batch.offsets, batch.offsets[1:], strict=False)):
        for pixel in range(begin, end):
            row, column = (
                slots[index] if 0 <= index < len(slots) else last
                for index in (int(batch.truth[pixel]), int(batch.prediction[pixel]))
            )
            counts[image][row][column] += 1
    return counts


@pytest.mark.parametrize("dtypes", PAIRS)
def test_the_specification(dtypes: tuple[str, str]) -> None:
    batch = random_batch(len(dtypes[0] + dtypes[1]), [7, 0, 90, 1], 5, dtypes)
    assert batch.expected().tolist() == count_slowly(batch)


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 300), max_size=6),
    seed=st.integers(0, 2**32),
    bins=st.integers(2, 300),
    dtypes=st.sampled_from(PAIRS),
)
def test_the_kernel_agrees(sizes: list[int], seed: int, bins: int, dtypes: tuple[str, str]) -> None:
    batch = random_batch(seed, sizes, bins, dtypes)
    expected = batch.expected()
    confusion.confuse(batch.truth, batch.prediction, batch.offsets, batch.slots, batch.counts)
    np.testing.assert_array_equal(batch.counts, expected)


@pytest.mark.parametrize("indices", [3, 256, 257, 4000])
def test_tables_of_any_length(indices: int) -> None:
    truth = np.arange(256, dtype=np.uint8)
    slots = (np.arange(indices) % 5).astype(np.uint16)
    found, expected = np.zeros((2, 1, 6, 6), np.int64)
    for kernel, counts in ((confusion, found), (reference_confusion, expected)):
        kernel.confuse(truth, truth[::-1].copy(), np.array([0, 256]), slots, counts)
    np.testing.assert_array_equal(found, expected)
    assert found.sum() == 256
