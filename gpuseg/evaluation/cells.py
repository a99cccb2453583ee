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
    accuracy, miou: see ImageScore. boundaries: where they were asked for.
    """

    keys: tuple[int, ...]
    pixels: tuple[int, ...]
    ignore_index: int
    outside: frozenset[int]
    accuracy: float
    miou: float
    boundaries: ImageBoundaries | None = None

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


def cells_of(keys: Keys, pixels: Keys, ignore_index: int, classes: frozenset[int] | None) -> Cells:
    """Those of a pair, checked. classes: indices that may occur; None: all.

    Raises LabelError for a truth that holds others: what they mean nobody knows.
    """
    outside: frozenset[int] = frozenset()
    if classes is not None:
        _check_truth(keys, pixels, classes | {ignore_index})
        outside = frozenset({key & 0xFFFF for key in keys} - classes - {ignore_index})
    score = score_of(keys, pixels, ignore_index, outside)
    return Cells(keys, pixels, ignore_index, outside, score.accuracy, score.miou)


def _check_truth(keys: Keys, pixels: Keys, known: frozenset[int]) -> None:
    strange: dict[int, int] = {}
    for key, count in zip(keys, pixels, strict=True):
        if key >> 16 not in known:
            strange[key >> 16] = strange.get(key >> 16, 0) + count
    if strange:
        raise LabelError(
            f"the truth holds indices that the palette does not: {listed(tuple(strange.items()))}; "
            "use the palette they belong to, or make others of them with --truth-map"
        )


def score_of(keys: Keys, pixels: Keys, ignore_index: int, outside: frozenset[int]) -> ImageScore:
    """How good a prediction is by its cells; see `Cells`."""
    hits: defaultdict[int, int] = defaultdict(int)
    union: defaultdict[int, int] = defaultdict(int)
    total = ignored = 0
    for key, count in zip(keys, pixels, strict=True):
        truth, predicted = key >> 16, key & 0xFFFF
        if truth == ignore_index:
            ignored += count
            continue
        total += count
        union[truth] += count
        if truth == predicted:
            hits[truth] += count
        elif predicted != ignore_index and predicted not in outside:
            union[predicted] += count
    iou = {index: hits[index] / union[index] for index in sorted(union)}
    return ImageScore(total, ignored, sum(hits.values()), iou)
