"""The specification of boundary matching, in plain NumPy: written to be read.

The boundary F-score asks how much of a class's predicted boundary lies near its true boundary,
and the reverse (G. Csurka, D. Larlus, F. Perronnin, What is a good evaluation measure for
semantic segmentation?, BMVC 2013). Here is what is counted for it in one image:

1.  A pixel is on the boundary of its class if one of its 4 neighbours in the image has another
    label. Where the image ends is no boundary: nobody knows what lies beyond.
2.  Pixels whose truth is the ignore index belong to nothing, in the truth and in the prediction:
    they are on no boundary, and a border with them is none.
3.  What is predicted as the ignore index, or as an index that is no class, is a label like any
    other: the class beside it has a boundary there. Who takes scores leaves its own counts out.
4.  A pixel on a boundary is matched if on the other image's boundary of the same class there is
    one at most `radius` away, by Euclidean distance. (Others take "less than"; so a radius of 0
    asks for the same pixel, and one of 3 includes a step of 3.)
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import Labels


def boundary_matches(
    truth: Labels, prediction: Labels, radius: float, ignore_index: int | None
) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """Pixels on boundaries, and of them those that are matched, of each label that has any.

    truth, prediction: uint8 or uint16 (H, W). radius: in pixels, from 0. Returns labels, uint16
    (K,), ascending, and counts, int64 (K, 4): predicted boundary, of it matched, true boundary,
    of it matched.
    """
    counted = np.ones(truth.shape, bool) if ignore_index is None else truth != ignore_index
    predicted_edge, true_edge = boundary(prediction, counted), boundary(truth, counted)
    labels = np.union1d(prediction[predicted_edge], truth[true_edge])
    counts = np.zeros((len(labels), 4), np.int64)
    for row, label in zip(counts, labels, strict=True):
        predicted = np.argwhere(predicted_edge & (prediction == label))
        true = np.argwhere(true_edge & (truth == label))
        row[:] = len(predicted), 0, len(true), 0
        if len(predicted) and len(true):
            steps = predicted[:, None] - true[None, :]
            near = np.sqrt((steps**2).sum(axis=-1)) <= radius
            row[1], row[3] = near.any(axis=1).sum(), near.any(axis=0).sum()
    return labels.astype(np.uint16), counts


def boundary(labels: Labels, counted: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which pixels have a neighbour of another label, both being counted: bool (H, W)."""
    edge = np.zeros(labels.shape, bool)
    for axis in (0, 1):
        values, counts, edges = (np.moveaxis(array, axis, 0) for array in (labels, counted, edge))
        differ = (values[1:] != values[:-1]) & counts[1:] & counts[:-1]
        edges[1:] |= differ
        edges[:-1] |= differ
    return edge
