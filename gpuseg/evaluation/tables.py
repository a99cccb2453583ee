"""Tables of an evaluation as CSV: a row a pair, and the confusion matrix."""

from __future__ import annotations

import csv
import io
import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, BinaryIO

from gpuseg.evaluation.cells import Cells
from gpuseg.evaluation.result import Evaluation, number
from gpuseg.output import check_replaceable, open_atomically
from gpuseg.results import FileResult

_COLUMNS = (
    "source", "target", "status", "width", "height", "pixels", "ignored", "correct", "accuracy",
    "miou", "boundary", "error", "message",
)  # fmt: skip

IMAGES_HEAD = ",".join(_COLUMNS)
"""First line of a table of pairs."""

CORNER = "truth/predicted"
"""First cell of a confusion matrix."""

_BEHIND = ("ignored", "outside")


def check_images(path: str) -> None:
    """Refuse a place where the table of pairs could not go. Raises OutputError."""
    advice = "--images must name a new file, or an earlier table, in a folder that exists"
    check_replaceable(path, IMAGES_HEAD.encode(), advice)


@contextmanager
def image_table(path: str | os.PathLike[str] | None) -> Iterator[Callable[[FileResult], object]]:
    """Writes a table with a row for each result that it is given, as they come; None writes none.

    pixels: those that count; what does not exist is empty. The file gets its name at the end of
    the context, and only if nothing ends it early. Raises OutputError.
    """
    if path is None:
        yield lambda result: None
        return
    target = os.fspath(path)
    check_images(target)
    with open_atomically(target) as file:
        writer = csv.DictWriter(_Encoded(file), _COLUMNS, lineterminator="\n")
        writer.writeheader()
        yield lambda result: writer.writerow(_row(result))


@dataclass(frozen=True, slots=True)
class _Encoded:
    """A file that takes text. Names that are no text are written as escapes."""

    file: BinaryIO

    def write(self, text: str) -> int:
        return self.file.write(text.encode("utf-8", "backslashreplace"))


def _row(result: FileResult) -> dict[str, Any]:
    row: dict[str, Any] = {
        "source": result.source,
        "target": result.target,
        "status": result.status,
        "width": result.width or None,
        "height": result.height or None,
        "error": result.error,
        "message": result.message,
    }
    if isinstance(cells := result.details, Cells):
        score = cells.score()
        row |= {"pixels": score.pixels, "ignored": score.ignored, "correct": score.correct}
        row |= {"accuracy": number(cells.accuracy), "miou": number(cells.miou)}
        if cells.boundaries is not None:
            row["boundary"] = number(cells.boundaries.score)
    return row


def matrix_csv(found: Evaluation) -> str:
    """The confusion matrix: a row a class of the truth, a column a class of the prediction.

    Behind these come `ignored` and `outside`: pixels predicted as the ignore index, and as no
    class. Classes are called by their names, those that share one by name and index.
    """
    names = _distinct(found)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([CORNER, *names, *_BEHIND])
    for name, row in zip(names, found.scores.confusion.tolist(), strict=True):
        writer.writerow([name, *row])
    return text.getvalue()


def _distinct(found: Evaluation) -> list[str]:
    times = Counter(entry.name for entry in found.classes) + Counter(_BEHIND)
    return [f"{c.name} ({c.index})" if times[c.name] > 1 else c.name for c in found.classes]
