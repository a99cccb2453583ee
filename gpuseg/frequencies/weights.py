"""Class weights for a loss: what makes rare classes count as much as common ones."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gpuseg.errors import UsageError

Weighting = Literal["inverse", "median", "enet"]
"""How weights follow from frequencies; see `class_weights`."""

WEIGHTINGS: tuple[Weighting, ...] = get_args(Weighting)


def class_weights(
    pixels: NDArray[np.int64], area: NDArray[np.int64], total: int, weighting: Weighting
) -> NDArray[np.float64]:
    """The weight of each class in a loss, float64 (K,).

    pixels: int64 (K,), of each class. area: int64 (K,), pixels of the images that hold it. total:
    pixels of all images. Pixels with the ignore index are none of these.

    `inverse`: total / (n pixels), n being how many classes occur, so that a class as large as the
        mean has weight 1. Source: `class_weight="balanced"` of scikit-learn, after King & Zeng,
        Logistic Regression in Rare Events Data, 2001.
    `median`: median(f) / f with f = pixels / area, the median over the classes that occur.
        Source: Eigen & Fergus, Predicting Depth, Surface Normals and Semantic Labels, ICCV 2015,
        arXiv:1411.4734 (median frequency balancing).
    `enet`: 1 / ln(1.02 + pixels / total), from 1.42 for a class that is everything up to 50.5.
        Source: Paszke et al., ENet, 2016, arXiv:1606.02147.

    A class that never occurs has weight 0 by all of them: there is no pixel to learn it from, and
    where some turn up later, 0 is seen at once and an invented large weight is not.
    Raises UsageError for another weighting.
    """
    if weighting not in WEIGHTINGS:
        raise UsageError(f"weighting must be one of {', '.join(WEIGHTINGS)}, got {weighting!r}")
    weights = np.zeros(len(pixels))
    seen = pixels > 0
    if not seen.any():
        return weights
    if weighting == "inverse":
        weights[seen] = total / (seen.sum() * pixels[seen])
    elif weighting == "median":
        frequencies = pixels[seen] / area[seen]
        weights[seen] = np.median(frequencies) / frequencies
    else:
        weights[seen] = 1 / np.log(1.02 + pixels[seen] / total)
    return weights
