"""Colours that are so many, and so evenly rare, that no mask has them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

MANY = 256
"""More colours than a palette PNG holds."""

TOP = 32
_MOSTLY = 0.5
"""A mask, however blurred, has most of its pixels in its most frequent colours."""


def is_photograph(counts: NDArray[np.int64]) -> bool:
    """Whether an image is no mask, by the pixels of each of its colours, int64 (K,)."""
    return len(counts) > MANY and of_the_top(counts) < _MOSTLY * int(counts.sum())


def of_the_top(counts: NDArray[np.int64]) -> int:
    """Pixels of the TOP most frequent colours."""
    return int(np.partition(counts, -min(TOP, len(counts)))[-TOP:].sum())
