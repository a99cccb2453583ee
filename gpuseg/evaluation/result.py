"""How good predictions are, as a value."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from gpuseg.evaluation.boundary import BoundaryTally
from gpuseg.evaluation.evaluating import Sides
from gpuseg.evaluation.options import Theta
from gpuseg.evaluation.remarks import no_pair, remarks_on, warned
from gpuseg.evaluation.scores import Scores
from gpuseg.evaluation.tally import Ranked, Tally
from gpuseg.evaluation.troubles import Troubles
from gpuseg.palette import Palette
from gpuseg.palette_entries import rgb_of
from gpuseg.results import Report

_FIELDS = (
    "index", "name", "colour", "truth", "predicted", "hits", "iou", "dice", "accuracy", "precision",
    "boundary",
)  # fmt: skip

CSV_HEAD = ",".join(_FIELDS)
"""First line of a table of classes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassScore:
    """One class.

    name: the number where no palette is known. colour: `#rrggbb`, "" where no palette is known.
    truth, predicted: pixels that are it, and that are predicted as it; hits: that are both.
    iou, dice, accuracy (or recall), precision: see `evaluation.scores`, NaN where nothing tells.
    boundary: mean of its boundary F-score over images, NaN where it has none, or none was wanted.
    """

    index: int
    name: str
    colour: str
    truth: int
    predicted: int
    hits: int
    iou: float
    dice: float
    accuracy: float
    precision: float
    boundary: float

    @property
    def rgb(self) -> tuple[int, int, int] | None:
        """The colour as three values 0 to 255."""
        return rgb_of(self.colour) if self.colour else None

    def as_dict(self) -> dict[str, Any]:
        """All fields, for programs; what does not exist is None."""
        return {name: number(getattr(self, name)) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Boundaries:
    """How near boundaries are to the true ones; see `evaluation.boundary`.

    theta: how far apart they may be, in pixels, or `auto`. images: those that have a boundary.
    score: mean over them; class_mean: mean over classes; NaN where there is none.
    """

    theta: Theta
    images: int
    score: float
    class_mean: float

    def as_dict(self) -> dict[str, Any]:
        """All fields, for programs; what does not exist is None."""
        return {name: number(getattr(self, name)) for name in self.__slots__}


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Evaluation:
    """How good a set of predictions is.

    report: how the pairs were gone through; those that failed have no part in the rest.
    palette: name of the palette, "" where none is known. ignore_index: pixels whose truth it is do
    not count. classes: by index. scores: of all pairs together. pairs: how many. uncounted: of
    them, those without a pixel that counts. ignored_pixels: whose truth is the ignore index.
    worst: the pairs with the lowest mean IoU. outside: predicted indices that are no class, with
    their pixels. boundaries: None where they were not asked for. remarks: what there is to know,
    sentences. troubles: what failed, is missing or extra, and warnings. truths: folder of the
    truths; sides: how the files of a pair are read, should somebody want to look at them again.
    """

    report: Report
    palette: str
    ignore_index: int
    classes: tuple[ClassScore, ...]
    scores: Scores
    pairs: int
    uncounted: int
    ignored_pixels: int
    worst: tuple[Ranked, ...]
    outside: Mapping[int, int]
    boundaries: Boundaries | None
    remarks: tuple[str, ...]
    troubles: Troubles
    truths: str
    sides: Sides

    @property
    def miou(self) -> float:
        """Mean IoU, over the classes that are in the truth or in the predictions."""
        return self.scores.miou

    def as_dict(self) -> dict[str, Any]:
        """All but the report, for programs. `confusion` has the `classes` in their order."""
        scores = self.scores
        return {
            "palette": self.palette,
            "ignore_index": self.ignore_index,
            "pairs": self.pairs,
            "uncounted_pairs": self.uncounted,
            "counted_pixels": scores.pixels,
            "ignored_pixels": self.ignored_pixels,
            "predicted_ignored_pixels": scores.predicted_ignored,
            "predicted_outside_pixels": scores.predicted_outside,
            **{name: number(value) for name, value in scores.means().items()},
            "boundary": self.boundaries.as_dict() if self.boundaries is not None else None,
            "classes": [entry.as_dict() for entry in self.classes],
            "confusion": scores.confusion.tolist(),
            "worst": [
                {"source": p.name, "target": p.prediction, "miou": p.miou, "accuracy": p.accuracy}
                for p in self.worst
            ],
            "outside": {str(index): pixels for index, pixels in self.outside.items()},
            "remarks": list(self.remarks),
        }

    def as_csv(self) -> str:
        """A row a class, with a head; what does not exist is empty."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        text.write(f"{CSV_HEAD}\n")
        for entry in self.classes:
            fields = entry.as_dict()
            writer.writerow(["" if fields[name] is None else fields[name] for name in _FIELDS])
        return text.getvalue()


def number(value: Any) -> Any:
    """What JSON has for it: None for NaN."""
    return None if isinstance(value, float) and math.isnan(value) else value


def conclude(
    report: Report,
    tally: Tally,
    troubles: Troubles,
    palette: Palette | None,
    truths: str,
    sides: Sides,
    odd: Sequence[str] = (),
) -> Evaluation:
    """The evaluation that follows from the sums over pairs.

    palette: None if not known. odd: remarks on what was asked for.

    Raises LabelError where indices are too many to be classes.
    """
    listed = palette.first_by_index() if palette is not None else {}
    ignored = tally.ignore_index
    indices = sorted(set(listed) - {ignored}) if listed else tally.indices()
    scores = Scores(tally.confusion(indices))
    outside = tally.outside()
    return Evaluation(
        report=report,
        palette=palette.name if palette is not None else "",
        ignore_index=ignored,
        classes=_classes(indices, scores, tally.boundaries, palette),
        scores=scores,
        pairs=tally.pairs,
        uncounted=tally.uncounted,
        ignored_pixels=tally.ignored_pixels(),
        worst=tally.worst,
        outside=outside,
        boundaries=_boundaries(tally, indices, sides.boundary),
        remarks=(
            *odd,
            *no_pair(report),
            *warned(troubles),
            *remarks_on(tally, scores, palette, outside),
        ),
        troubles=troubles,
        truths=truths,
        sides=sides,
    )


def _boundaries(tally: Tally, indices: list[int], theta: Theta | None) -> Boundaries | None:
    if theta is None:
        return None
    found = tally.boundaries
    return Boundaries(
        theta=theta,
        images=found.images,
        score=found.score,
        class_mean=found.class_mean(indices),
    )


def _classes(
    indices: list[int], scores: Scores, boundaries: BoundaryTally, palette: Palette | None
) -> tuple[ClassScore, ...]:
    listed = palette.first_by_index() if palette is not None else {}
    near = boundaries.by_class(indices)
    return tuple(
        ClassScore(
            index=index,
            name=listed[index].name if listed else str(index),
            colour=listed[index].hex if listed else "",
            truth=int(scores.truth[k]),
            predicted=int(scores.predicted[k]),
            hits=int(scores.hits[k]),
            iou=float(scores.iou[k]),
            dice=float(scores.dice[k]),
            accuracy=float(scores.accuracy[k]),
            precision=float(scores.precision[k]),
            boundary=float(near[k]),
        )
        for k, index in enumerate(indices)
    )
