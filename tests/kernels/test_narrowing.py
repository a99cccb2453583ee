"""Indices of any integers to bytes: each is looked at, and what is outside is counted."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.kernels.narrowing import BLOCK, narrow_labels

INTEGERS = ("i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8")


def allow(*indices: int, size: int = 256) -> np.ndarray:
    table = np.zeros(size, np.uint8)
    table[list(indices)] = 1
    return table


def count_strange(labels: np.ndarray, allowed: np.ndarray) -> int:
    """The specification, in Python's integers."""
    return sum(not (0 <= k < len(allowed) and allowed[k]) for k in labels.tolist())


def check(labels: np.ndarray, allowed: np.ndarray, kind: str = "u1") -> None:
    narrow = np.full(labels.size, 99, kind)
    assert narrow_labels(labels, allowed, narrow) == count_strange(labels, allowed)
    np.testing.assert_array_equal(narrow, labels.astype(kind))


@settings(max_examples=60)
@given(
    kind=st.sampled_from(INTEGERS),
    indices=st.lists(st.one_of(st.integers(-3, 22), st.integers(250, 258)), max_size=40),
    few=st.booleans(),
)
def test_agrees_with_the_specification(kind: str, indices: list[int], few: bool) -> None:
    info = np.iinfo(kind)
    found = [k for k in indices if info.min <= k <= info.max] + [info.min, info.max]
    check(np.array(found, kind), allow(1, 3, 255) if few else allow(*range(20), 255))


@pytest.mark.parametrize("size", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK])
@pytest.mark.parametrize("place", [0, -1])
def test_each_block_is_looked_at(size: int, place: int) -> None:
    labels = np.arange(size) % 20
    check(labels, allow(*range(20), 255))
    if size:
        labels[place] = 255
        check(labels, allow(*range(20), 255))
        labels[place] = 20
        check(labels, allow(*range(20), 255))
    check(labels.astype(np.uint8), np.ones(256, np.uint8))


def test_16_bits() -> None:
    labels = np.array([0, 299, 300, 65535, 65536, -1])
    check(labels, allow(*range(300), 65535, size=1 << 16), "u2")
