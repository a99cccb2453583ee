"""Sums over pairs, in memory bounded by classes, whatever the number of pairs and their order."""

from __future__ import annotations

import heapq
import math
from collections import Counter, defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpuseg.errors import LabelError
from gpuseg.evaluation.boundary import BoundaryTally
from gpuseg.evaluation.cells import Cells
from gpuseg.evaluation.scores import IGNORED, MOST_CLASSES, OUTSIDE
from gpuseg.results import FileResult

_MOST_CELLS = 1 << 22
"""Cells that are summed: a quarter of those of so many classes."""


@dataclass(frozen=True, slots=True, order=True)
class Ranked:
    """A pair among the worst; the worse is the smaller.

    miou: mean IoU of the classes of the image. name: of its truth. prediction: of its prediction,
    below PRED. accuracy: part of its pixels that is right.
    """

    miou: float
    name: str
    prediction: str
    accuracy: float


@dataclass(frozen=True, slots=True)
class _Worse:
    """Turns the order round: a heap gives the smallest, and of the worst the best has to go."""

    pair: Ranked

    def __lt__(self, other: _Worse) -> bool:
        return other.pair < self.pair


class Tally:
    """Sums over pairs; `add` takes their results one at a time, in any order.

    worst: how many of the worst are kept. pairs: how many there were. uncounted: of them, those
    without a pixel that counts. boundaries: where they were asked for. painted: label maps by
    the side and the class that they give another colour, see Cells; colours: the smallest of those.
    """

    def __init__(self, ignore_index: int, worst: int) -> None:
        self.ignore_index = ignore_index
        self.pairs = self.uncounted = 0
        self.boundaries = BoundaryTally()
        self.painted: Counter[tuple[int, int]] = Counter()
        self.colours: dict[tuple[int, int], str] = {}
        self._most = worst
        self._cells: defaultdict[int, int] = defaultdict(int)
        self._outside: defaultdict[int, int] = defaultdict(int)  # by truth
        self._strangers: defaultdict[int, int] = defaultdict(int)  # the same by prediction
        self._worst: list[_Worse] = []

    def add(self, result: FileResult) -> None:
        """Add a pair; a result without Cells adds nothing."""
        cells = result.details
        if not isinstance(cells, Cells):
            return
        self.pairs += 1
        if len(self._cells) < _MOST_CELLS:
            self._sum(cells)
        if cells.boundaries is not None:
            self.boundaries.add(cells.boundaries)
        for side, index, colour in cells.painted:
            self.painted[side, index] += 1
            self.colours[side, index] = min(colour, self.colours.get((side, index), colour))
        if math.isnan(cells.miou):
            self.uncounted += 1
            return
        is_full = len(self._worst) == self._most
        if is_full and not (self._worst and cells.miou <= self._worst[0].pair.miou):
            return
        pair = Ranked(cells.miou, result.source, result.target or "", cells.accuracy)
        if not is_full:
            heapq.heappush(self._worst, _Worse(pair))
        elif pair < self._worst[0].pair:
            heapq.heapreplace(self._worst, _Worse(pair))

    def _sum(self, cells: Cells) -> None:
        inside = self._cells
        if not cells.outside:  # as nearly always: at the least cost
            keys, counts = cells.arrays()
            for key, pixels in zip(keys.tolist(), counts.tolist(), strict=True):
                inside[key] += pixels
            return
        for truth, prediction, pixels in cells.listed():
            if prediction not in cells.outside:
                inside[truth << 16 | prediction] += pixels
                continue
            self._outside[truth] += pixels
            if truth != cells.ignore_index:
                self._strangers[prediction] += pixels

    @property
    def worst(self) -> tuple[Ranked, ...]:
        """The worst first."""
        return tuple(sorted(each.pair for each in self._worst))

    def indices(self) -> list[int]:
        """All that occur in a truth or a prediction, but for the ignore index, ascending."""
        found = {index for key in self._cells for index in (key >> 16, key & 0xFFFF)}
        found.discard(self.ignore_index)
        return sorted(found)

    def truths(self) -> set[int]:
        """All indices that occur in a truth, with the ignore index."""
        return {key >> 16 for key in self._cells} | set(self._outside)

    def confusion(self, indices: list[int]) -> NDArray[np.int64]:
        """The confusion matrix over these classes, int64 (C, C + 2), as Scores takes it.

        Raises LabelError for more than can be classes.
        """
        if len(indices) > MOST_CLASSES or len(self._cells) >= _MOST_CELLS:
            raise LabelError(
                f"expected at most {MOST_CLASSES:,} classes, and {_MOST_CELLS:,} cells of their "
                f"confusion matrix that hold a pixel, got {len(indices):,} and "
                f"{len(self._cells):,}, if not more: are they ids of instances? Make classes of "
                "them first (--truth-map, --pred-map)"
            )
        place = {index: k for k, index in enumerate(indices)}
        columns = {**place, self.ignore_index: len(indices) + IGNORED}
        matrix = np.zeros((len(indices), len(indices) + 2), np.int64)
        for key, pixels in self._cells.items():
            truth, predicted = key >> 16, key & 0xFFFF
            if truth != self.ignore_index:
                matrix[place[truth], columns[predicted]] += pixels
        for truth, pixels in self._outside.items():
            if truth != self.ignore_index:
                matrix[place[truth], len(indices) + OUTSIDE] += pixels
        return matrix

    def ignored_pixels(self) -> int:
        """Pixels whose truth is the ignore index."""
        inside = sum(n for key, n in self._cells.items() if key >> 16 == self.ignore_index)
        return inside + self._outside.get(self.ignore_index, 0)

    def outside(self) -> dict[int, int]:
        """Predicted indices that are no class, where the truth is one, and pixels, by index."""
        return dict(sorted(self._strangers.items()))
