"""The task of evaluating: each pair is read, and the cells of its confusion matrix are counted."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

from gpuseg.discover import Source
from gpuseg.errors import GpusegError, LabelError, UnknownColourError, UnreadableMaskError
from gpuseg.evaluation.boundary import image_boundaries
from gpuseg.evaluation.cells import Cells, cells_of
from gpuseg.evaluation.options import Theta
from gpuseg.evaluation.pairing import NoPredictionError, NoTruthError
from gpuseg.evaluation.reading import Image, Reader
from gpuseg.options import ReadOptions
from gpuseg.results import FileResult
from gpuseg.scratch import Scratch
from gpuseg.task import row_of

MOST_CELLS = 1 << 20
"""Cells of one pair, each of which is sent with its result: 1,024 classes have no more."""

_truth = Scratch()
_prediction = Scratch()  # both images are alive at once


@dataclass(frozen=True, slots=True)
class Sides:
    """How pairs are read, and what counts.

    predictions: the folder of the predictions. prediction, truth: how each side is read.
    ignore_index: pixels whose truth it is do not count. classes: indices that are classes; None:
    all others are. boundary: how far apart boundaries may be, see `EvaluateOptions`.
    """

    predictions: str
    prediction: Reader
    truth: Reader
    ignore_index: int
    classes: frozenset[int] | None
    boundary: Theta | None = None

    def read(self, source: Source) -> tuple[Image, Image]:
        """Truth and prediction, valid until this thread reads the next pair.

        Raises MaskError and LabelError; where the prediction is at fault, its message says so.
        """
        truth = self.truth.read(source.image, _truth.take)
        try:
            path = self.path(source)
            _check_regular(path)
            found = self.prediction.read(path, _prediction.take)
        except UnknownColourError as error:
            raise UnknownColourError(_blamed(source, error), error.colours, error.pixels) from error
        except GpusegError as error:
            raise type(error)(_blamed(source, error)) from error
        if truth.labels.shape != found.labels.shape:
            (height, width), (own_height, own_width) = found.labels.shape, truth.labels.shape
            raise LabelError(
                f"the prediction is {width} x {height} pixels, its truth {own_width} x "
                f"{own_height}; resize the scores of the network before they become indices"
            )
        return truth, found

    def path(self, source: Source) -> str:
        """Where the prediction of a truth is."""
        return os.path.join(self.predictions, source.target)

    def count(self, truth: Image, prediction: Image) -> Cells:
        """The cells of a pair. Raises LabelError for a truth that is no class."""
        from gpuseg.kernels.confusion import count_cells  # numba loads with the first pair

        keys, pixels = count_cells(truth.labels, prediction.labels)
        return self.scored(keys, pixels, truth, prediction)

    def scored(
        self,
        keys: NDArray[np.uint32],
        pixels: NDArray[np.int64],
        truth: Image,
        prediction: Image,
    ) -> Cells:
        """The cells of a pair that were counted, see `count_cells`; and boundaries, if wanted.

        Raises LabelError for a truth that is no class, and for more cells than classes have.
        """
        if len(keys) > MOST_CELLS:
            raise LabelError(
                f"{MOST_CELLS:,} combinations of a true and a predicted index are expected in a "
                f"pair at most, got {len(keys):,}: are they ids of instances? Make classes of them "
                "first (--truth-map, --pred-map)"
            )
        cells = cells_of(keys, pixels, self.ignore_index, self.classes)
        if truth.painted or prediction.painted:
            cells = cells._replace(painted=_painted(cells, truth, prediction))
        if self.boundary is None:
            return cells
        theta = None if self.boundary == "auto" else self.boundary
        images = truth.labels, prediction.labels
        found = image_boundaries(*images, self.ignore_index, self.classes, theta)
        return cells._replace(boundaries=found)


@dataclass(frozen=True, slots=True)
class Evaluating:
    """Evaluates pair by pair; the `details` of its results are Cells."""

    sides: Sides
    options: ReadOptions

    def run(self, source: Source) -> FileResult:
        """Evaluate one pair; whatever happens becomes its row."""
        if (alone := alone_row(source)) is not None:
            return alone
        return row_of(source, self._evaluate, self.options.max_pixels)

    def _evaluate(self, source: Source) -> FileResult:
        start = perf_counter()
        truth, prediction = self.sides.read(source)
        read = perf_counter()
        cells = self.sides.count(truth, prediction)
        seconds = {"read": read - start, "count": perf_counter() - read}
        return pair_row(source, truth, prediction, cells, seconds)


def _painted(cells: Cells, truth: Image, prediction: Image) -> tuple[tuple[int, int, str], ...]:
    """Which of the colours that differ matter; see Cells."""
    keys, _ = cells.arrays()
    there = set((keys >> 16).tolist()), set((keys & 0xFFFF).tolist())
    return tuple(
        (side, index, image.painted[index])
        for side, image in enumerate((truth, prediction))
        for index in sorted(there[side] & image.painted.keys())
    )


def _check_regular(path: str) -> None:
    """Raise UnreadableMaskError for what is no file: reading a pipe may wait for ever."""
    try:
        mode = os.stat(path).st_mode
    except OSError as error:
        raise UnreadableMaskError(f"cannot be opened: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise UnreadableMaskError("is a folder, a pipe or a device; remove it")


def _blamed(source: Source, error: GpusegError) -> str:
    return f"its prediction {source.target} {error}"


def pair_row(
    source: Source, truth: Image, prediction: Image, cells: Cells, seconds: dict[str, float]
) -> FileResult:
    """The row of a pair that was evaluated."""
    height, width = truth.labels.shape
    warnings = [f"truth: {each}" for each in truth.warnings]
    warnings += [f"prediction: {each}" for each in prediction.warnings]
    return FileResult(
        source=source.relative,
        target=source.target,
        status="read",
        width=width,
        height=height,
        format=truth.format,
        codec=truth.codec if truth.codec == prediction.codec else "png, pillow",
        warnings=tuple(warnings),
        details=cells,
        seconds=seconds,
    )


def alone_row(source: Source) -> FileResult | None:
    """The row of a file that is no pair; None for one that is."""
    if isinstance(source.error, NoPredictionError):
        return FileResult(
            source=source.relative,
            status="missing",
            message=f"its prediction {source.target} is not in PRED; predict it, or leave it out "
            "of TRUTH (--pattern)",
        )
    if isinstance(source.error, NoTruthError):
        return FileResult(
            source=source.relative,
            target=source.relative,
            status="extra",
            message="the prediction has no truth; evaluate with the truth of all, or remove it",
        )
    return None
