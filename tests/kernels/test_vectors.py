"""8 and 64 bytes at once, at every alignment, against NumPy byte by byte."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from gpuseg.kernels import vectors
from gpuseg.kernels.jit import U64, njit

SIZE = 256


@njit
def _move(memory: Any, source: Any, target: Any) -> None:
    vectors.store_word(memory, U64(target), vectors.load_word(memory, U64(source)))


@njit
def _fill(memory: Any, at: Any, byte: Any) -> None:
    vectors.fill_bytes(memory, U64(at), np.uint8(byte))


@njit
def _nonzero(memory: Any, at: Any) -> Any:
    return vectors.nonzero_bits(memory, U64(at))


@njit
def _equal(memory: Any, at: Any, byte: Any) -> Any:
    return vectors.equal_bits(memory, U64(at), np.uint8(byte))


@njit
def _unequal(memory: Any, at: Any, other: Any, place: Any) -> Any:
    return vectors.unequal_bits(memory, U64(at), other, U64(place))


@njit
def _unequal_steps(memory: Any, at: Any, back: Any) -> Any:
    return vectors.unequal_step_bits(memory, U64(at), U64(back))


@njit
def _counts(words: Any, ones: Any, zeros: Any) -> None:
    for i in range(words.size):
        ones[i] = vectors.count_ones(words[i])
        zeros[i] = vectors.trailing_zeros(words[i])


def bits(flags: np.ndarray) -> int:
    """64 flags as the word whose lowest bit is the first."""
    return sum(1 << i for i, flag in enumerate(flags) if flag)


def memory(seed: int, values: int = 3) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, values, SIZE).astype(np.uint8)


def test_words_are_little_endian_at_any_alignment() -> None:
    for source in range(8):
        for target in range(16, 24):
            found = np.arange(1, 33, dtype=np.uint8)
            want = found.copy()
            want[target : target + 8] = want[source : source + 8]
            _move(found, source, target)
            assert np.array_equal(found, want)


@pytest.mark.parametrize("at", [0, 1, 7, 63, 64, 100, SIZE - 64])
def test_64_bytes(at: int) -> None:
    for seed in range(20):
        some, other = memory(seed), memory(seed + 100, 256)
        assert _nonzero(some, at) == bits(some[at : at + 64] != 0)
        assert _equal(other, at, other[100]) == bits(other[at : at + 64] == other[100])
        assert _equal(some, at, 2) == bits(some[at : at + 64] == 2)
        place = 3 * seed
        want = some[at : at + 64] != memory(seed + 50)[place : place + 64]
        assert _unequal(some, at, memory(seed + 50), place) == bits(want)
        filled = other.copy()
        filled[at : at + 64] = seed
        _fill(other, at, seed)
        assert np.array_equal(other, filled)


@pytest.mark.parametrize("back", [1, 5, 64, 100])
@pytest.mark.parametrize("values", [2, 256])
def test_steps(back: int, values: int) -> None:
    for seed in range(20):
        some = memory(seed, values)
        some[120:160] = some[120 - back : 160 - back]
        at = back + 1 + seed
        steps = some[at - 1 : at + 64] - some[at - 1 - back : at + 64 - back]
        assert _unequal_steps(some, at, back) == bits(steps[1:] != steps[:-1])


def test_bits_are_counted() -> None:
    powers = np.uint64(1) << np.arange(64, dtype=np.uint64)
    for words in (powers, powers | powers[-1], ~(powers - np.uint64(1))):
        ones, zeros = np.empty(64, np.uint64), np.empty(64, np.uint64)
        _counts(words, ones, zeros)
        assert zeros.tolist() == list(range(64))
        assert ones.tolist() == [int(word).bit_count() for word in words]
