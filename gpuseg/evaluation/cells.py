"""What one pair holds: the cells of its confusion matrix, small to send, and its own scores."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpuseg.errors import LabelError
from gpuseg.evaluation.boundary import ImageBoundaries
from gpuseg.label_maps import listed


class Cells(NamedTuple):
    """The cells of a pair (a tuple of bytes, for it is sent by the hundred thousand).

    keys: uint32, `truth << 16 | prediction` of those that hold a pixel, ascending. pixels: int64,
    of each. ignore_index: the truth's that does not count. outside: predicted indices that are no
    class. accuracy, miou: see ImageScore. boundaries: where they were asked for. painted: classes
    that occur in a label map whose own palette gives them another colour: the side (0 truth, 1
    prediction), the index and the colour.
    """

    keys: bytes
    pixels: bytes
    ignore_index: int
    outside: frozenset[int]
    accuracy: float
    miou: float
    boundaries: ImageBoundaries | None = None
    painted: tuple[tuple[int, int, str], ...] = ()

    def listed(self) -> Iterator[tuple[int, int, int]]:
        """Truth, prediction and pixels of each."""
        keys, pixels = self.arrays()
        for key, count in zip(keys.tolist(), pixels.tolist(), strict=True):
            yield key >> 16, key & 0xFFFF, count

    def arrays(self) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
        """Keys, uint32 (K,), and pixels, int64 (K,)."""
        return np.frombuffer(self.keys, np.uint32), np.frombuffer(self.pixels, np.int64)

    def score(self) -> ImageScore:
        """How good the prediction is."""
        sums = _sums(*self.arrays(), self.ignore_index)
        return _score(sums, self.ignore_index, self.outside)

    def row(self) -> Mapping[str, Any]:
        """Its part of the row."""
        row = self.score().row()
        return row if self.boundaries is None else {**row, **self.boundaries.row()}


class ImageScore(NamedTuple):
    """How good one prediction is.

    pixels: those that count. ignored: those whose truth is the ignore index. correct: of the
    former. iou: of each class in the truth or the prediction, by index.
    """

    pixels: int
    ignored: int
    correct: int
    iou: Mapping[int, float]

    @property
    def accuracy(self) -> float:
        """Part of the pixels that is right, NaN where none counts."""
        return self.correct / self.pixels if self.pixels else math.nan

    @property
    def miou(self) -> float:
        """Mean of the IoU of the classes of this image, NaN where it has none."""
        return sum(self.iou.values()) / len(self.iou) if self.iou else math.nan

    def row(self) -> Mapping[str, Any]:
        """For JSON; what does not exist is None."""
        return {
            "pixels": self.pixels,
            "ignored": self.ignored,
            "correct": self.correct,
            "accuracy": self.accuracy if self.pixels else None,
            "miou": self.miou if self.iou else None,
            "iou": {str(index): value for index, value in self.iou.items()},
        }


Sums = dict[int, list[int]]
"""Of each label pixels that are it in the truth, that are predicted as it, and both; the latter
where the truth counts."""


def _sums(keys: NDArray[np.uint32], pixels: NDArray[np.int64], ignore_index: int) -> Sums:
    from gpuseg.kernels.confusion import sum_cells  # numba loads with the first pair

    labels, sums = sum_cells(keys, pixels, ignore_index)
    return dict(zip(labels.tolist(), sums.tolist(), strict=True))


def cells_of(
    keys: NDArray[np.uint32],
    pixels: NDArray[np.int64],
    ignore_index: int,
    classes: frozenset[int] | None,
) -> Cells:
    """Those of a pair, as `count_cells` gives them, checked.

    classes: indices that may occur; None: all. Raises LabelError for a truth that holds others:
    what they mean nobody knows.
    """
    sums = _sums(keys, pixels, ignore_index)
    outside: frozenset[int] = frozenset()
    if classes is not None:
        # one by one, for a palette has more classes than an image
        strange = [index for index in sums if index not in classes and index != ignore_index]
        if strange:
            _check_truth([(index, sums[index][0]) for index in strange if sums[index][0]])
            outside = frozenset(strange)
    score = _score(sums, ignore_index, outside)
    return Cells(
        keys.tobytes(), pixels.tobytes(), ignore_index, outside, score.accuracy, score.miou
    )


def _check_truth(strange: list[tuple[int, int]]) -> None:
    if strange:
        raise LabelError(
            f"the truth holds indices that the palette does not: {listed(tuple(strange))}; "
            "use the palette they belong to, or make others of them with --truth-map"
        )


def _score(sums: Sums, ignore_index: int, outside: frozenset[int]) -> ImageScore:
    iou = {}
    total = correct = ignored = 0
    for index, (truth, predicted, hits) in sums.items():
        if index == ignore_index:
            ignored = truth
            continue
        total += truth
        correct += hits
        union = truth + predicted - hits
        if union and index not in outside:
            iou[index] = hits / union
    return ImageScore(total, ignored, correct, iou)
