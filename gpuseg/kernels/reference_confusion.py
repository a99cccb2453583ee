"""The specification of counting which label the prediction has where the truth has which."""

from __future__ import annotations

from typing import Any

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


def sum_cells(
    keys: NDArray[np.uint32], pixels: NDArray[np.int64], ignore_index: int
) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """Pixels of each label in the cells of a pair.

    keys, pixels: as `count_cells` gives them. Returns the labels, uint16 (L,), ascending, and
    int64 (L, 3): pixels that are the label in the truth; that are predicted as it, where the truth
    is not the ignore index; and that are both, there.
    """
    truth, prediction = keys >> 16, keys & 0xFFFF
    labels = np.unique(np.concatenate([truth, prediction]))
    counted = truth != ignore_index
    sums = np.zeros((len(labels), 3), np.int64)
    for row, label in zip(sums, labels, strict=True):
        row[0] = pixels[truth == label].sum()
        row[1] = pixels[(prediction == label) & counted].sum()
        row[2] = pixels[(truth == label) & (prediction == label) & counted].sum()
    return labels.astype(np.uint16), sums


def confuse(
    truth: NDArray[np.integer[Any]],
    prediction: NDArray[np.integer[Any]],
    offsets: NDArray[np.int64],
    slots: NDArray[np.uint16],
    counts: NDArray[np.int64],
) -> None:
    """Add the pixels of a ragged batch to the confusion matrices of its images.

    truth, prediction: integers of any dtypes, (P,), the images one after the other.
    offsets: int64 (N + 1,), where each image starts.
    slots: uint16 (K,), which row and column of a matrix an index has. One that is below 0, or K
        and more, has the last.
    counts: int64 (N, S, S), added to; rows are those of the truth.
    """
    rows, columns = _slots_of(truth, slots, counts), _slots_of(prediction, slots, counts)
    for image in range(len(offsets) - 1):
        here = slice(offsets[image], offsets[image + 1])
        np.add.at(counts[image], (rows[here], columns[here]), 1)


def _slots_of(
    indices: NDArray[np.integer[Any]], slots: NDArray[np.uint16], counts: NDArray[np.int64]
) -> NDArray[np.int64]:
    found = np.full(indices.shape, counts.shape[-1] - 1)
    inside = (indices >= 0) & (indices < len(slots))
    found[inside] = slots[indices[inside]]
    return found
