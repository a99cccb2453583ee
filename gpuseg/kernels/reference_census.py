"""The specification of `census`, in plain NumPy; see `reference`."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def count_colours(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Keys, uint32 (K,), in the order in which they first come, and counts, int64 (K,).

    pixels: uint8 (3 * P,). A key is `r | g << 8 | b << 16`.
    """
    red, green, blue = pixels.reshape(-1, 3).astype(np.uint32).T
    keys, first, counts = np.unique(
        red | green << 8 | blue << 16, return_index=True, return_counts=True
    )
    order = np.argsort(first)
    return keys[order].astype(np.uint32), counts[order].astype(np.int64)
