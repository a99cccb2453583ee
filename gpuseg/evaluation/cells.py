"""What one pair holds: the cells of its confusion matrix, small to send, and its own scores."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

from gpuseg.errors import LabelError
from gpuseg.evaluation.boundary import ImageBoundaries
from gpuseg.label_maps import listed

Keys = tuple[int, ...]


class Cells(NamedTuple):
    """The cells of a pair (a tuple, for it is sent by the hundred thousand).

    keys: `truth << 16 | prediction` of those that hold a pixel, ascending. pixels: of each.
    ignore_index: the truth's that does not count. outside: predicted indices that are no class.
    accuracy, miou: see ImageScore. boundaries: where they were asked for. painted: classes that
    occur in a label map whose own palette gives them another colour: the side (0 truth, 1
    prediction), the index and the colour.
    """

    keys: tuple[int, ...]
    pixels: tuple[int, ...]
    ignore_index: int
    outside: frozenset[int]
    accuracy: float
    miou: float
    boundaries: ImageBoundaries | None = None
    painted: tuple[tuple[int, int, str], ...] = ()

    def row(self) -> Mapping[str, Any]:
        """Its part of the row."""
        row = score_of(self.keys, self.pixels, self.ignore_index, self.outside).row()
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


class _Sums(NamedTuple):
    """Pixels by index, of one pass over the cells. truth: all. predicted, hits: that count.

    beside: predictions where the truth is the ignore index.
    """

    truth: dict[int, int]
    predicted: dict[int, int]
    hits: dict[int, int]
    beside: set[int]


def _sums(keys: Keys, pixels: Keys, ignore_index: int) -> _Sums:
    truths: defaultdict[int, int] = defaultdict(int)
    predicted: defaultdict[int, int] = defaultdict(int)
    hits: dict[int, int] = {}
    beside: set[int] = set()
    for key, count in zip(keys, pixels, strict=True):
        truth, prediction = key >> 16, key & 0xFFFF
        truths[truth] += count
        if truth == ignore_index:
            beside.add(prediction)
            continue
        predicted[prediction] += count
        if truth == prediction:
            hits[truth] = count
    return _Sums(truths, predicted, hits, beside)


def cells_of(keys: Keys, pixels: Keys, ignore_index: int, classes: frozenset[int] | None) -> Cells:
    """Those of a pair, checked. classes: indices that may occur; None: all.

    Raises LabelError for a truth that holds others: what they mean nobody knows.
    """
    sums = _sums(keys, pixels, ignore_index)
    outside: frozenset[int] = frozenset()
    if classes is not None:
        # one by one, for a palette has more classes than an image
        strange = [
            (index, n)
            for index, n in sums.truth.items()
            if index not in classes and index != ignore_index
        ]
        if strange:
            raise LabelError(
                f"the truth holds indices that the palette does not: {listed(tuple(strange))}; "
                "use the palette they belong to, or make others of them with --truth-map"
            )
        predicted = sums.predicted.keys() | sums.beside
        outside = frozenset(
            index for index in predicted if index not in classes and index != ignore_index
        )
    score = _score(sums, ignore_index, outside)
    return Cells(keys, pixels, ignore_index, outside, score.accuracy, score.miou)


def score_of(keys: Keys, pixels: Keys, ignore_index: int, outside: frozenset[int]) -> ImageScore:
    """How good a prediction is by its cells; see `Cells`."""
    return _score(_sums(keys, pixels, ignore_index), ignore_index, outside)


def _score(sums: _Sums, ignore_index: int, outside: frozenset[int]) -> ImageScore:
    iou = {}
    there = {*sums.truth, *sums.predicted} - outside
    there.discard(ignore_index)
    for index in sorted(there):
        hits = sums.hits.get(index, 0)
        iou[index] = hits / (sums.truth.get(index, 0) + sums.predicted.get(index, 0) - hits)
    ignored = sums.truth.get(ignore_index, 0)
    return ImageScore(sum(sums.truth.values()) - ignored, ignored, sum(sums.hits.values()), iou)
