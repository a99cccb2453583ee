"""Arithmetic on the bytes of a word, over all pairs of bytes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels import words
from gpuseg.kernels.jit import njit

Words = NDArray[np.uint64]


@njit
def _add(left: Any, right: Any, out: Any) -> None:
    for i in range(out.size):
        out[i] = words.add_bytes(left[i], right[i])


def pairs() -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """All pairs of bytes in each of the 8 places, beside others: uint8 (65536, 8) twice."""
    numbers = (np.arange(1 << 16)[:, None] + np.arange(8) * 8191) % (1 << 16)
    return (numbers >> 8).astype(np.uint8), (numbers & 255).astype(np.uint8)


def apply(kernel: Callable[..., None], left: NDArray[Any], right: NDArray[Any]) -> Words:
    out: Words = np.empty(len(left), np.uint64)
    kernel(left.view(np.uint64).reshape(-1), right.view(np.uint64).reshape(-1), out)
    return out


def test_each_byte_alone() -> None:
    left, right = pairs()
    found = apply(_add, left, right).view(np.uint8).reshape(-1, 8)
    assert np.array_equal(found, left + right)
