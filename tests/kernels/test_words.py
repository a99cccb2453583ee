"""Arithmetic on the bytes of a word, over all pairs of bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gpuseg.kernels import words
from gpuseg.kernels.jit import U64, load_word, njit, store_word, trailing_zeros

Words = NDArray[np.uint64]


@njit
def _add(left: Any, right: Any, out: Any) -> None:
    for i in range(out.size):
        out[i] = words.add_bytes(left[i], right[i])


@njit
def _subtract(left: Any, right: Any, out: Any) -> None:
    for i in range(out.size):
        out[i] = words.subtract_bytes(left[i], right[i])


@njit
def _count(left: Any, right: Any, out: Any) -> None:
    for i in range(out.size):
        out[i] = words.count_nonzero_bytes(left[i] ^ right[i])


@njit
def _move(memory: Any, source: Any, target: Any) -> None:
    store_word(memory, U64(target), load_word(memory, U64(source)))


@njit
def _zeros(values: Any, out: Any) -> None:
    for i in range(out.size):
        out[i] = trailing_zeros(values[i])


def pairs() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """All pairs of bytes in each of the 8 places, beside others: uint8 (65536, 8) twice."""
    numbers = (np.arange(1 << 16)[:, None] + np.arange(8) * 8191) % (1 << 16)
    return (numbers >> 8).astype(np.uint8), (numbers & 255).astype(np.uint8)


def apply(kernel: Callable[..., None], left: NDArray[Any], right: NDArray[Any]) -> Words:
    out: Words = np.empty(len(left), np.uint64)
    kernel(left.view(np.uint64).reshape(-1), right.view(np.uint64).reshape(-1), out)
    return out


@pytest.mark.parametrize(("kernel", "operation"), [(_add, np.add), (_subtract, np.subtract)])
def test_each_byte_alone(kernel: Callable[..., None], operation: np.ufunc) -> None:
    left, right = pairs()
    found = apply(kernel, left, right).view(np.uint8).reshape(-1, 8)
    assert np.array_equal(found, operation(left, right))


def test_nonzero_bytes_are_counted() -> None:
    left, right = pairs()
    assert np.array_equal(apply(_count, left, right), (left != right).sum(axis=1))
    # every subset of the places, with the values that carries could spoil
    for value in (0x01, 0x7F, 0x80, 0xFF):
        chosen = np.unpackbits(np.arange(256, dtype=np.uint8)[:, None], axis=1)
        found = apply(_count, chosen * np.uint8(value), np.zeros_like(chosen))
        assert np.array_equal(found, chosen.sum(axis=1))


def test_words_are_little_endian_at_any_alignment() -> None:
    for source in range(8):
        for target in range(16, 24):
            memory = np.arange(1, 33, dtype=np.uint8)
            want = memory.copy()
            want[target : target + 8] = want[source : source + 8]
            _move(memory, source, target)
            assert np.array_equal(memory, want)
    word = np.zeros(1, np.uint64)
    apply_to = np.frombuffer(bytes([1, 0, 0, 0, 0, 0, 0, 2]), np.uint8)
    _add(apply_to.view("<u8"), np.zeros(1, np.uint64), word)
    assert word[0] == 2 << 56 | 1


def test_trailing_zeros() -> None:
    powers = np.uint64(1) << np.arange(64, dtype=np.uint64)
    out = np.empty(64, np.uint64)
    for values in (powers, powers | powers[-1], ~(powers - np.uint64(1))):
        _zeros(values, out)
        assert np.array_equal(out, np.arange(64))
