"""Scores that follow from a confusion matrix.

With T_ij the pixels of truth i that are predicted as j, t_i = Σ_j T_ij and p_j = Σ_i T_ij:

| score                          | formula                 | source                    |
|--------------------------------|-------------------------|---------------------------|
| pixel accuracy                 | Σ_i T_ii / Σ_i t_i      | Long et al. 2015, chap. 5 |
| accuracy of a class, or recall | T_ii / t_i              | the same                  |
| IoU                            | T_ii / (t_i + p_i - T_ii) | the same                |
| frequency-weighted IoU         | Σ_i t_i IoU_i / Σ_i t_i | the same                  |
| precision                      | T_ii / p_i              |                           |
| Dice, or F1                    | 2 T_ii / (t_i + p_i)    | Dice 1945                 |

(J. Long, E. Shelhamer, T. Darrell, Fully Convolutional Networks for Semantic Segmentation, CVPR
2015; L. R. Dice, Measures of the Amount of Ecologic Association Between Species, 1945.)

A score whose denominator is 0 does not exist: it is NaN, and means leave it out. So the IoU of a
class that is neither in the truth nor in the prediction has no part in the mean IoU, and one that
was predicted but is not there counts as 0: so do cityscapesScripts, mmsegmentation, torchmetrics.
A class that is never predicted has no precision, one that is only predicted no accuracy, and the
means leave them out, as those of mmsegmentation do; torchmetrics and scikit-learn make 0 of them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Counts = NDArray[np.int64]

IGNORED, OUTSIDE = 0, 1
"""Columns behind those of the classes: predicted as the ignore index, and as no class at all."""

MOST_CLASSES = 4096
"""Classes of a confusion matrix, which is then 128 MiB: more are ids of instances."""

MEANS = (
    "miou", "pixel_accuracy", "mean_accuracy", "fwiou", "mean_dice", "mean_precision"
)  # fmt: skip
"""Names of the scores that are one number, the first being what images are ranked by."""


@dataclass(frozen=True, eq=False)
class Scores:
    """What a confusion matrix says. Arrays are float64 (C,), by class; NaN where nothing tells.

    confusion: int64 (C, C + 2), rows of the truth. The columns behind those of the C classes are
    pixels predicted as the ignore index, and as an index that is no class: wrong, but in favour
    of no other class. Pixels whose truth is the ignore index are in no cell.
    """

    confusion: Counts

    @cached_property
    def hits(self) -> Counts:
        """Pixels of each class that are predicted as it: int64 (C,)."""
        hits: Counts = np.diagonal(self.confusion)
        return hits

    @cached_property
    def truth(self) -> Counts:
        """Pixels of each class in the truth: int64 (C,)."""
        truth: Counts = self.confusion.sum(axis=1)
        return truth

    @cached_property
    def predicted(self) -> Counts:
        """Pixels that are predicted as each class, but for those whose truth is ignored: (C,)."""
        predicted: Counts = self.confusion.sum(axis=0)[: len(self.confusion)]
        return predicted

    @property
    def pixels(self) -> int:
        """Pixels that count: those whose truth is a class."""
        return int(self.confusion.sum())

    @property
    def predicted_ignored(self) -> int:
        """Pixels that count and were predicted as the ignore index."""
        return self._behind(IGNORED)

    @property
    def predicted_outside(self) -> int:
        """Pixels that count and were predicted as an index that is no class."""
        return self._behind(OUTSIDE)

    @cached_property
    def iou(self) -> Floats:
        """Intersection over union, or Jaccard index."""
        return _ratio(self.hits, self.truth + self.predicted - self.hits)

    @cached_property
    def dice(self) -> Floats:
        """Dice coefficient, or F1."""
        return _ratio(2 * self.hits, self.truth + self.predicted)

    @cached_property
    def precision(self) -> Floats:
        """Of the pixels that are predicted as a class, the part that is right."""
        return _ratio(self.hits, self.predicted)

    @cached_property
    def accuracy(self) -> Floats:
        """Of the pixels that are a class, the part that is predicted as it; also called recall."""
        return _ratio(self.hits, self.truth)

    @property
    def miou(self) -> float:
        """Mean of the IoU of the classes that have one."""
        return mean(self.iou)

    @property
    def pixel_accuracy(self) -> float:
        """Part of all pixels that is right."""
        return _ratio_of(int(self.hits.sum()), self.pixels)

    @property
    def mean_accuracy(self) -> float:
        """Mean of the accuracy of the classes that are in the truth."""
        return mean(self.accuracy)

    @property
    def fwiou(self) -> float:
        """IoU weighted by the pixels of each class in the truth."""
        here = self.truth > 0
        if not here.any():
            return math.nan
        return float((self.truth[here] * self.iou[here]).sum() / self.pixels)

    @property
    def mean_dice(self) -> float:
        """Mean of the Dice coefficients of the classes that have one."""
        return mean(self.dice)

    @property
    def mean_precision(self) -> float:
        """Mean of the precision of the classes that are predicted."""
        return mean(self.precision)

    def means(self) -> Mapping[str, float]:
        """The scores that are one number, by name; see `MEANS`."""
        return {name: getattr(self, name) for name in MEANS}

    def _behind(self, column: int) -> int:
        return int(self.confusion[:, len(self.confusion) + column].sum())


def mean(values: Floats) -> float:
    """Mean of those that are not NaN, NaN where there is none."""
    here = values[~np.isnan(values)]
    return float(here.mean()) if here.size else math.nan


def _ratio(part: Counts, whole: Counts) -> Floats:
    ratio: Floats = np.full(len(whole), np.nan)
    np.divide(part, whole, out=ratio, where=whole > 0)
    return ratio


def _ratio_of(part: int, whole: int) -> float:
    return part / whole if whole else math.nan
