"""COCO's run lengths to and from their compressed text.

The text, as pycocotools has it (2.0.11, `rleToString` in maskApi.c): 5 bits a character, the
lowest first, from "0" on, with 32 more where the number goes on; the highest bit of the last five
is the sign. From the fourth count on, what is written is the difference to the last but one.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.jit import njit

MOST_GROUPS = 9
"""Characters of a number: 45 bits, more than an image has pixels."""

_FINE, _STRANGE, _LONG, _CUT, _NEGATIVE, _MORE = range(6)

_FAULTS = {
    _STRANGE: "has a character that is none of COCO's",
    _LONG: "has a number that is too large",
    _CUT: "ends within a number",
    _NEGATIVE: "has a negative count",
    _MORE: "has more pixels",
}


def counts_of(text: bytes, pixels: int) -> NDArray[np.int64]:
    """The counts of a compressed text, runs of 0 and 1 by turns: int64 (K,), 0 and up.

    pixels: of the bitmap, which the counts sum up to. Raises ValueError where they do not and for
    a text that is damaged.
    """
    counts = np.empty(len(text), np.int64)
    count, fault, place, total = _read(np.frombuffer(text, np.uint8), pixels, counts)
    if fault:
        told = f"character {place + 1} of its runs {_FAULTS[fault]}"
        raise ValueError(told if fault != _MORE else f"its runs have more than {pixels:,} pixels")
    if total != pixels:
        raise ValueError(f"its runs have {total:,} pixels, and {pixels:,} were expected")
    return counts[:count].copy()


def text_of(counts: NDArray[np.int64]) -> bytes:
    """The compressed text of counts, int64 (K,), 0 to 2**40."""
    given = counts.view()
    given.flags.writeable = False  # kernels are compiled once for what is read
    text = np.empty(MOST_GROUPS * len(counts), np.uint8)
    return text[: _write(given, text)].tobytes()


@njit
def _read(text: Any, pixels: Any, counts: Any) -> Any:
    """How many counts there are, what is wrong, where, and the sum."""
    count = total = np.int64(0)
    value = groups = np.int64(0)
    for place in range(text.size):
        bits = np.int64(text[place]) - 48
        if bits < 0 or bits > 63:
            return count, _STRANGE, place, total
        if groups == MOST_GROUPS:
            return count, _LONG, place, total
        value |= (bits & 31) << 5 * groups
        groups += 1
        if bits & 32:
            continue
        if bits & 16:
            value -= np.int64(1) << 5 * groups
        if count > 2:
            value += counts[count - 2]
        if value < 0:
            return count, _NEGATIVE, place, total
        total += value
        if total > pixels:
            return count, _MORE, place, total
        counts[count] = value
        count += 1
        value = groups = np.int64(0)
    return count, _CUT if groups else _FINE, text.size - 1, total


@njit
def _write(counts: Any, text: Any) -> Any:
    """How many characters were written."""
    at = 0
    for k in range(counts.size):
        value = counts[k] - counts[k - 2] if k > 2 else counts[k]
        goes_on = True
        while goes_on:
            bits = value & 31
            value >>= 5
            goes_on = value != -1 if bits & 16 else value != 0
            text[at] = bits + (80 if goes_on else 48)
            at += 1
    return at
