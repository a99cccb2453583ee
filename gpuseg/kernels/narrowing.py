"""Indices of any integers to the bytes of a label map, with a look at each."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.jit import U64, njit

BLOCK = 4096


def narrow_labels(
    labels: NDArray[Any], allowed: NDArray[np.uint8], narrow: NDArray[np.unsignedinteger]
) -> int:
    """Labels as they are stored; returns how many of them are not allowed.

    labels: (P,), any integers, C-contiguous, in the byte order of the machine. allowed: uint8
    (K,), 1 for each label that may occur; those outside of 0 to K - 1 may not. narrow: uint8 or
    uint16 (P,), written.
    """
    given = labels.view()
    given.flags.writeable = False  # kernels are compiled once for what is read
    first = np.flatnonzero(allowed == 0)
    known = int(first[0]) if first.size else len(allowed)
    return int(_narrow(given, allowed, known, narrow))


@njit
def _narrow(labels: Any, allowed: Any, known: Any, narrow: Any) -> Any:
    """The first `known` labels are allowed, which many are compared with at a time."""
    strange, size, block = U64(0), U64(labels.size), U64(BLOCK)
    for begin in range(U64(0), size, block):
        end = min(begin + block, size)
        others = U64(0)
        for i in range(begin, end):
            label = U64(labels[i])  # what is below 0 becomes huge
            narrow[i] = label
            others += U64(label >= U64(known))
        if others:
            for i in range(begin, end):
                label = U64(labels[i])
                strange += U64(label >= U64(allowed.size) or not allowed[label])
    return strange
