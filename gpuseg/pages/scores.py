"""The classes of an evaluation on a page: their scores, and what they are taken for."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpuseg.evaluation.result import ClassScore, Evaluation
from gpuseg.evaluation.scores import IGNORED, OUTSIDE
from gpuseg.pages.classes import MAX_ROWS, hex_at
from gpuseg.pages.gallery import Share
from gpuseg.pages.html import percent
from gpuseg.palette import VOID_COLOUR, voc_colormap
from gpuseg.text import shortened

_TAKEN = 3
"""Classes that are named of those that a class is taken for."""

_LONGEST = 80  # characters of a name, which comes many times

_SCORES = ("iou", "dice", "accuracy", "precision", "boundary")

_NO_CLASS = "#000000"  # pictures paint an index without a class black


@dataclass(frozen=True, slots=True)
class Legend:
    """Names and colours of indices. table: uint8 (K, 3); an index beyond it is black.

    Where no palette is known, names are numbers, and colours those of PASCAL VOC, which come
    again after 256 indices: made up, but the same for the same index.
    """

    table: NDArray[np.uint8]
    names: dict[int, str]
    made_up: bool

    @classmethod
    def of(cls, found: Evaluation) -> Legend:
        """That of an evaluation."""
        indices = [entry.index for entry in found.classes]
        table = np.zeros((max([*indices, found.ignore_index]) + 1, 3), np.uint8)
        table[found.ignore_index] = VOID_COLOUR
        colours = voc_colormap()
        for entry in found.classes:
            table[entry.index] = entry.rgb if entry.rgb is not None else colours[entry.index % 256]
        names = {
            c.index: shortened(c.name, _LONGEST) if found.palette else f"index {c.name}"
            for c in found.classes
        }
        return cls(table, names, not found.palette)

    def share(self, index: int, share: float) -> Share:
        """A class with a share, 0 to 1."""
        return Share(self.names.get(index, f"index {index}"), hex_at(self.table, index), share)


@dataclass(frozen=True, slots=True)
class ScoreRow:
    """One class. Scores are in words, "–" where nothing tells; bar: length of 0 to 100.

    boundary: its boundary F-score.
    """

    entry: ClassScore
    name: str
    hex: str
    iou: str
    dice: str
    accuracy: str
    precision: str
    boundary: str
    bar: float


@dataclass(frozen=True, slots=True)
class TakenFor:
    """One class of the truth. wrong: part of its pixels that is predicted as something else.

    taken: for what most often, with the part of its pixels. more: classes besides these.
    """

    name: str
    hex: str
    wrong: float
    taken: tuple[Share, ...]
    more: int


def score(value: float) -> str:
    """A score of 0 to 1 in words."""
    return "–" if math.isnan(value) else percent(value)


def score_rows(found: Evaluation, legend: Legend) -> tuple[ScoreRow, ...]:
    """The classes that are in the truth or in the predictions, by index."""
    rows = []
    for entry in seen(found)[:MAX_ROWS]:
        known = legend.share(entry.index, 0.0)
        scores = {name: score(getattr(entry, name)) for name in _SCORES}
        bar = round(100 * entry.iou, 2)
        rows.append(ScoreRow(entry, known.name, known.hex, bar=bar, **scores))
    return tuple(rows)


def seen(found: Evaluation) -> list[ClassScore]:
    """The classes that are in the truth or in the predictions."""
    return [entry for entry in found.classes if entry.truth or entry.predicted]


def taken_for(found: Evaluation, legend: Legend) -> tuple[TakenFor, ...]:
    """The classes that are taken for others, those of which most is wrong first."""
    rows = sorted(_taken_for(found, legend), key=lambda row: -row.wrong)
    return tuple(rows[:MAX_ROWS])


def _taken_for(found: Evaluation, legend: Legend) -> Iterator[TakenFor]:
    last = len(found.classes)
    behind = {
        last + IGNORED: ("the ignore index", hex_at(legend.table, found.ignore_index)),
        last + OUTSIDE: ("no class", _NO_CLASS),
    }
    for k, entry in enumerate(found.classes):
        row = found.scores.confusion[k].copy()
        row[k] = 0
        if not row.any():
            continue
        order = [int(i) for i in np.argsort(-row, kind="stable") if row[i]]
        taken = tuple(
            Share(*behind[i], int(row[i]) / entry.truth)
            if i in behind
            else legend.share(found.classes[i].index, int(row[i]) / entry.truth)
            for i in order[:_TAKEN]
        )
        own = legend.share(entry.index, 0.0)
        wrong = int(row.sum()) / entry.truth
        yield TakenFor(own.name, own.hex, wrong, taken, len(order) - len(taken))
