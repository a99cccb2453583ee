"""pycocotools, without the warning that its decoding gives with NumPy 2."""

from __future__ import annotations

import warnings

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pycocotools import mask as pycocotools


def decoded(runs: object) -> NDArray[np.bool_]:
    """Compressed runs as pixels, bool (H, W)."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
        mask: NDArray[np.bool_] = pycocotools.decode(runs) == 1
    return mask


def polygon(points: ArrayLike, height: int, width: int) -> NDArray[np.bool_]:
    """The pixels of a polygon of 3 points and more."""
    (runs,) = pycocotools.frPyObjects([np.ravel(points).tolist()], height, width)
    return decoded(runs)


def encoded(mask: NDArray[np.bool_]) -> bytes:
    """The compressed text of pixels, bool (H, W)."""
    text: bytes = pycocotools.encode(np.asfortranarray(mask.astype(np.uint8)))["counts"]
    return text
