"""Counting the colours of an image.

By runs, for masks are long ones: bytes are compared with those a pixel before, 64 at a time, and
only where they differ is anything counted.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.jit import U64, inlined, njit
from gpuseg.kernels.vectors import STEP, trailing_zeros, unequal_bits

COLOURS = 1 << 24

MOST_PIXELS = (1 << 32) - 1
"""Pixels of an image whose colours can be counted at most: a counter has 32 bits."""


class _Counters(threading.local):
    """A counter for each colour, zeros between calls: 64 MiB a thread, of which masks touch few."""

    def __init__(self) -> None:
        self.zeros: NDArray[np.uint32] = np.zeros(COLOURS, np.uint32)


_counters = _Counters()


def count_colours(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """The colours of an image, and how many pixels each has.

    pixels: uint8 (3 * P,), P at most MOST_PIXELS. Returns keys, uint32 (K,), `r | g << 8 |
    b << 16`, in the order in which they first come, and counts, int64 (K,).
    """
    counters = _counters.zeros
    keys = np.empty(min(pixels.size // 3, COLOURS), np.uint32)
    keys = keys[: int(_colours(pixels, counters, keys))].copy()
    counts = counters[keys].astype(np.int64)
    counters[keys] = 0
    return keys, counts


@njit
def _colours(pixels: Any, counters: Any, keys: Any) -> Any:
    """Count all pixels; the number of colours that were not seen before."""
    found = at = U64(0)
    end = U64(pixels.size) // U64(3) * U64(3)
    while at < end:
        stop = _end_of_run(pixels, at, end)
        key = (
            U64(pixels[at])
            | U64(pixels[at + U64(1)]) << U64(8)
            | U64(pixels[at + U64(2)]) << U64(16)
        )
        if not counters[key]:
            keys[found] = key
            found += U64(1)
        length = (stop - at) // U64(3)  # of whole pixels: the first difference may lie inside one
        counters[key] += length
        at += length * U64(3)
    return found


@inlined
def _end_of_run(pixels: Any, at: Any, end: Any) -> Any:
    """The first byte from the pixel after `at` on that differs from the byte 3 before, or `end`."""
    stop = at + U64(3)
    while stop + STEP <= end:
        bits = unequal_bits(pixels, stop, pixels, stop - U64(3))
        if bits:
            return stop + trailing_zeros(bits)
        stop += STEP
    while stop < end and pixels[stop] == pixels[stop - U64(3)]:
        stop += U64(1)
    return stop
