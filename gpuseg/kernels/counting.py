"""How many pixels have each label."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import Labels
from gpuseg.kernels.jit import U64, njit
from gpuseg.kernels.vectors import STEP, trailing_zeros, unequal_bits


def count_labels(labels: Labels) -> NDArray[np.int64]:
    """Pixels of each label.

    labels: uint8 or uint16 (H, W) or (P,), C-contiguous, in the byte order of the machine.
    Returns int64 (256,) or (65536,).
    """
    counts = np.zeros(1 << 8 * labels.itemsize, np.int64)
    flat = labels.reshape(-1)
    if labels.dtype == np.uint8:
        _count_bytes(flat, counts)
    else:
        _count_words(flat, counts)
    return counts


@njit
def _count_bytes(labels: Any, counts: Any) -> None:
    """Label maps are long runs: 64 bytes are looked at at a time for where one ends."""
    size, begun, at = U64(labels.size), U64(0), U64(1)
    while at < size:
        bits, step = U64(labels[at] != labels[at - U64(1)]), U64(1)
        if size - at >= STEP:
            bits, step = unequal_bits(labels, at, labels, at - U64(1)), STEP
        while bits:
            here = at + trailing_zeros(bits)
            bits &= bits - U64(1)
            counts[labels[begun]] += here - begun
            begun = here
        at += step
    if size:
        counts[labels[begun]] += size - begun


@njit
def _count_words(labels: Any, counts: Any) -> None:
    """The runs of 16 bits a label, one by one: such label maps are few."""
    size, begun = U64(labels.size), U64(0)
    for at in range(U64(1), size):
        if labels[at] != labels[begun]:
            counts[labels[begun]] += at - begun
            begun = at
    if size:
        counts[labels[begun]] += size - begun
