"""What a table says of each pixel, and how many pixels each of its places has."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.jit import U64, njit

Pixels = NDArray[np.unsignedinteger]


def chosen(values: Pixels, numbers: Pixels) -> Pixels:
    """`values[numbers]`, without the copy of the numbers that NumPy makes to look them up.

    values: uint8, uint16 or uint32 (K,). numbers: of these types, too, (H, W), C-contiguous, all
    below K, which is not checked. Returns (H, W), of the type of the values.
    """
    made = np.empty(numbers.shape, values.dtype)
    _choose(_read_only(values), _read_only(numbers.reshape(-1)), made.reshape(-1))
    return made


def counted(numbers: Pixels, size: int) -> NDArray[np.int64]:
    """How many pixels have each of 0 to `size` - 1: int64 (size,). numbers: as in `chosen`."""
    counts = np.zeros(size, np.int64)
    _count(_read_only(numbers.reshape(-1)), counts)
    return counts


def _read_only(array: Pixels) -> Pixels:
    """Kernels are compiled once for what is read."""
    view = array.view()
    view.flags.writeable = False
    return view


@njit
def _choose(values: Any, numbers: Any, made: Any) -> None:
    for i in range(U64(numbers.size)):
        made[i] = values[numbers[i]]


@njit
def _count(numbers: Any, counts: Any) -> None:
    """Run by run, for most neighbours are equal."""
    start: Any = U64(0)
    size = U64(numbers.size)
    for i in range(U64(1), size):
        if numbers[i] != numbers[i - U64(1)]:
            counts[numbers[start]] += np.int64(i - start)
            start = i
    if size:
        counts[numbers[start]] += np.int64(size - start)
