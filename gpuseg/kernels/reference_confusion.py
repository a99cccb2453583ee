"""The specification of counting which label the prediction has where the truth has which."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import Labels


def count_cells(truth: Labels, prediction: Labels) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """The cells of a confusion matrix that hold a pixel, and how many each holds.

    truth, prediction: uint8 or uint16, of one shape. Returns keys, uint32 (K,), ascending,
    `truth << 16 | prediction`, and pixels, int64 (K,).
    """
    keys = truth.astype(np.uint32).reshape(-1) << 16 | prediction.reshape(-1)
    cells, pixels = np.unique(keys, return_counts=True)
    return cells, pixels.astype(np.int64)
