"""The specification of void borders, in plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def void_outline(instances: NDArray[np.integer[Any]], width: int) -> NDArray[np.bool_]:
    """Which pixels are at most `width` rows and columns away from one of another instance.

    instances: integers (H, W). Returns bool (H, W). So a border of n is n pixels wide on either
    side of where two instances meet, and has none at the edge of the image.
    """
    height, across = instances.shape
    padded = np.pad(instances, width, mode="edge")
    least, most = instances.copy(), instances.copy()
    for y in range(2 * width + 1):
        for x in range(2 * width + 1):
            other = padded[y : y + height, x : x + across]
            np.minimum(least, other, out=least)
            np.maximum(most, other, out=most)
    differs: NDArray[np.bool_] = least != most
    return differs
