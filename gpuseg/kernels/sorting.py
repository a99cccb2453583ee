"""Sorting in kernels: where a row is crossed, mostly a few times."""

from __future__ import annotations

from typing import Any

import numpy as np

from gpuseg.kernels.jit import U64, inlined

FEW = 32
"""Values up to which the simplest way is the fastest."""


@inlined
def sort(values: Any, count: Any) -> None:
    """Sort the first `count` (U64) values of an array.

    By merging where they are many: numba's own way, quicksort, is slow for some that are nearly
    sorted, as those of a zigzag are.
    """
    if count > U64(FEW):
        given = values[:count].copy()
        order = np.argsort(given, kind="mergesort")
        for i in range(count):
            values[i] = given[order[i]]
        return
    for i in range(U64(1), count):
        value = values[i]
        k: Any = i
        while k > U64(0) and values[k - U64(1)] > value:
            values[k] = values[k - U64(1)]
            k -= U64(1)
        values[k] = value
