"""Copying to memory that this processor does not read again: it stays out of the caches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.jit import U64, njit
from gpuseg.kernels.vectors import STEP, finish_stores, store_past_caches


def copy_past_caches(source: NDArray[np.uint8], target: NDArray[np.uint8]) -> None:
    """Copy uint8 (N,) to uint8 (N,), for a device or a much later reader.

    A plain store first reads the line it writes to; these do not, which saves half of the
    memory's work. Raises IndexError for a target of another size.
    """
    if source.size != target.size:
        raise IndexError("a copy needs as many bytes as there are")
    _copy(source, target)


@njit
def _copy(source: NDArray[np.uint8], target: NDArray[np.uint8]) -> None:
    size, at = U64(source.size), U64(0)
    aligned = min(size, U64(-target.ctypes.data) & (STEP - U64(1)))
    while at < aligned:
        target[at] = source[at]
        at += U64(1)
    while at + STEP <= size:
        store_past_caches(target, at, source, at)
        at += STEP
    while at < size:
        target[at] = source[at]
        at += U64(1)
    finish_stores()
