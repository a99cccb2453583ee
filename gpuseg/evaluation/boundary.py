"""The boundary F-score, or BF: how near a prediction's boundaries are to the true ones.

- Of a class in an image: F = 2 P R / (P + R). P is the part of its predicted boundary that lies
  within θ of its true one, R the part of the true one that lies within θ of the predicted; where
  both are 0, so is F.
- Of an image: the mean over the classes with a boundary in its truth or in its prediction.
- Of a class: the mean over the images where it has a boundary in either.
- Of a data set: the mean over images; beside it, the mean over classes.

The source is G. Csurka, D. Larlus, F. Perronnin, What is a good evaluation measure for semantic
segmentation?, BMVC 2013, who argue for scores per image. The mean over images is what
V. Badrinarayanan, A. Kendall, R. Cipolla, SegNet (2015) report, and MeanBFScore of MATLAB's
evaluateSemanticSegmentation. θ is 0.75 % of the image's diagonal unless told, as it is there, with
no least value: below a diagonal of 133 pixels, only boundaries on the same pixels match.

What differs: pixels at exactly θ match, where some take only nearer ones. A class that is
predicted where it is not counts as 0, as for the IoU, where SegNet's mean has only classes of the
truth. What a boundary is, also beside ignored pixels and at the ends of images, is said in
`kernels/reference_boundary`.

Sums of floats depend on their order, and files come in any. So the F of a class and the score of
an image are rounded to whole multiples of 2⁻⁵³, and those are summed as integers.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from gpuseg.batch import Labels, Shape
from gpuseg.errors import UsageError
from gpuseg.evaluation.scores import Floats, mean

ONE = 1 << 53
"""What a score of 1 is as an integer."""

DIAGONAL = 0.0075
"""θ as a part of the image's diagonal: Csurka et al. 2013."""


class ImageBoundaries(NamedTuple):
    """The boundary F-scores of one image (a tuple, for it is sent by the hundred thousand).

    indices: classes with a boundary in the truth or in the prediction, ascending. parts: the
    F-score of each, as integers, ONE being 1.
    """

    indices: tuple[int, ...]
    parts: tuple[int, ...]

    @property
    def part(self) -> int:
        """The score of the image as an integer; there must be a boundary."""
        return _nearest(sum(self.parts), len(self.parts))

    @property
    def score(self) -> float:
        """Mean over the classes that have a boundary, NaN where none has."""
        return self.part / ONE if self.parts else math.nan

    @property
    def by_class(self) -> Mapping[int, float]:
        """The F-score of each class that has a boundary, by index."""
        return {i: part / ONE for i, part in zip(self.indices, self.parts, strict=True)}

    def row(self) -> Mapping[str, Any]:
        """For JSON; what does not exist is None."""
        return {
            "boundary": self.score if self.parts else None,
            "boundary_by_class": {str(index): score for index, score in self.by_class.items()},
        }


def image_boundaries(
    truth: Labels,
    prediction: Labels,
    ignore_index: int,
    classes: frozenset[int] | None = None,
    theta: float | None = None,
) -> ImageBoundaries:
    """The boundary F-scores of one image.

    truth, prediction: uint8 or uint16 (H, W), of one shape, C-contiguous. classes: indices that
    have a score; None: all but the ignore index. theta: in pixels, see `radius`.
    """
    from gpuseg.kernels.boundary import boundary_matches  # numba loads with the first pair

    reach = radius(truth.shape, theta)
    labels, counts = boundary_matches(truth, prediction, reach, ignore_index)
    found = {
        index: _f_score(*row)
        for index, row in zip(labels.tolist(), counts.tolist(), strict=True)
        if index != ignore_index and (classes is None or index in classes)
    }
    return ImageBoundaries(tuple(found), tuple(found.values()))


def radius(shape: Shape, theta: float | None) -> float:
    """How far apart boundaries of an image may be, in pixels: theta, or a part of its diagonal."""
    if theta is None:
        return DIAGONAL * math.hypot(*shape)
    if not (math.isfinite(theta) and theta >= 0):
        raise UsageError(
            f"boundaries must be allowed to be 0 pixels apart or more, but got {theta}; "
            f"give a number from 0, or none for {DIAGONAL:.2%} of each image's diagonal"
        )
    return theta


def _f_score(predicted: int, of_predicted: int, true: int, of_true: int) -> int:
    """2 P R / (P + R) as an integer. Of predicted and true pixels, those that are matched."""
    below = of_predicted * true + of_true * predicted
    return _nearest(2 * ONE * of_predicted * of_true, below) if below else 0


def _nearest(above: int, below: int) -> int:
    """The integer nearest to a quotient, a half being rounded up."""
    return (2 * above + below) // (2 * below)


@dataclass
class BoundaryTally:
    """Sums over images; the same in whatever order they are added, in parts, too.

    images: those that have a boundary. total: their scores. images_of, total_of: the images
    where a class has a boundary, and its F-scores there. Scores are integers, ONE being 1.
    """

    images: int = 0
    total: int = 0
    images_of: Counter[int] = field(default_factory=Counter)
    total_of: Counter[int] = field(default_factory=Counter)

    def add(self, image: ImageBoundaries) -> None:
        """Add one image."""
        if image.parts:
            self.images += 1
            self.total += image.part
        for index, part in zip(image.indices, image.parts, strict=True):
            self.images_of[index] += 1
            self.total_of[index] += part

    def __add__(self, other: BoundaryTally) -> BoundaryTally:
        """The sums over the images of both."""
        merged = BoundaryTally(self.images + other.images, self.total + other.total)
        for tally in (self, other):
            merged.images_of.update(tally.images_of)
            merged.total_of.update(tally.total_of)
        return merged

    @property
    def score(self) -> float:
        """Mean over images of their scores, NaN where none has one."""
        return self.total / (self.images * ONE) if self.images else math.nan

    def by_class(self, classes: Sequence[int]) -> Floats:
        """Mean over images of each class, float64 (C,); NaN where it has no boundary anywhere."""
        of, total = self.images_of, self.total_of
        return np.array([total[i] / (of[i] * ONE) if of[i] else math.nan for i in classes], float)

    def class_mean(self, classes: Sequence[int]) -> float:
        """Mean over the classes that have a boundary somewhere, NaN where none has."""
        return mean(self.by_class(classes))
