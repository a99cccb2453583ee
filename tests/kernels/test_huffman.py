"""Huffman codes: as short as any, prefix-free, and the ones that DEFLATE's rule gives."""

from __future__ import annotations

import heapq
from itertools import combinations

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from gpuseg.kernels.huffman import MOST_BITS, canonical_codes, code_lengths
from gpuseg.kernels.jit import njit

Counts = NDArray[np.uint64]


@njit
def _lengths(counts: Counts, lengths: Counts) -> None:
    code_lengths(counts, lengths)


@njit
def _codes(lengths: Counts, codes: Counts) -> None:
    canonical_codes(lengths, codes)


def lengths_of(counts: Counts) -> Counts:
    lengths = np.zeros_like(counts)
    _lengths(counts, lengths)
    return lengths


def codes_of(lengths: Counts) -> list[str]:
    """Codes as they stand in a stream, the first bit first."""
    codes = np.zeros_like(lengths)
    _codes(lengths, codes)
    pairs = zip(codes.tolist(), lengths.tolist(), strict=True)
    return [f"{code:0{size}b}"[::-1] if size else "" for code, size in pairs]


def best_code(counts: Counts) -> tuple[int, int]:
    """Bits of the best code, and of its longest symbol, as short as that can be.

    Each join of the two lightest costs their weight; of equal ones the flatter are joined.
    """
    heap = [(int(count), 0) for count in counts if count]
    heapq.heapify(heap)
    bits = 0
    while len(heap) > 1:
        (left, depth), (right, other) = heapq.heappop(heap), heapq.heappop(heap)
        bits += left + right
        heapq.heappush(heap, (left + right, 1 + max(depth, other)))
    return bits, heap[0][1]


LONG = [1, 1, 1, 1, 1, 4, 6, 10, 16, 68, 110, 178, 288, 288, 288, 754, 1330]
"""Counts whose best code is longer than it may be; once they are halved it is much shorter."""


@settings(max_examples=200, deadline=None)
@example(LONG, [26, 42])
@given(
    st.lists(
        st.one_of(st.just(0), st.integers(1, 40), st.integers(1, 30_000)), min_size=1, max_size=286
    ),
    st.lists(st.integers(1, 1000), min_size=2, max_size=2),
)
def test_codes_are_as_short_as_can_be(some: list[int], two: list[int]) -> None:
    counts = np.array(some + two, np.uint64)
    lengths = lengths_of(counts)
    assert ((lengths > 0) == (counts > 0)).all()
    assert sum(2.0 ** -int(length) for length in lengths if length) == 1  # all codes are used
    assert lengths.max() <= MOST_BITS
    bits, longest = best_code(counts)
    if longest <= MOST_BITS:
        assert int((counts * lengths).sum()) == bits
    else:
        assert bits < int((counts * lengths).sum()) < 1.02 * bits


@pytest.mark.parametrize("size", [16, 17, 18, 25, 40])
def test_the_limit(size: int) -> None:
    """Counts of Fibonacci have the longest codes there are: one bit more a symbol."""
    counts = np.ones(size, np.uint64)
    for k in range(2, size):
        counts[k] = counts[k - 1] + counts[k - 2]
    lengths = lengths_of(counts)
    assert lengths.max() <= MOST_BITS
    assert sum(2.0 ** -int(length) for length in lengths) == 1
    if size > 16:  # costs little
        bits, _ = best_code(counts)
        assert bits < int((counts * lengths).sum()) < 1.02 * bits


def test_the_example_of_the_rfc() -> None:
    """RFC 1951, 3.2.2: the codes of the letters A to H."""
    lengths = np.array([3, 3, 3, 3, 3, 2, 4, 4], np.uint64)
    want = ["010", "011", "100", "101", "110", "00", "1110", "1111"]
    assert codes_of(lengths) == want


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(1, 500), min_size=2, max_size=60))
def test_no_code_begins_another(counts: list[int]) -> None:
    codes = codes_of(lengths_of(np.array(counts, np.uint64)))
    assert not any(a.startswith(b) or b.startswith(a) for a, b in combinations(codes, 2))
