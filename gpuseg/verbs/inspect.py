"""`inspect`: what images are, one by one, and what to do with them."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Unpack

from gpuseg.census.facts import Facts, facts_of
from gpuseg.census.looking import look_at
from gpuseg.census.verdicts import CODES, judge
from gpuseg.discover import Source
from gpuseg.inputs import Inputs
from gpuseg.options import ReadKeywords, ReadOptions
from gpuseg.results import FileResult, Report
from gpuseg.runs import Progress, StrPath, look

MOST_ROWS = 1_000
"""Rows that an Inspection keeps: a report file holds all."""


@dataclass(slots=True, eq=False)
class Inspection:
    """What images are.

    verdicts: how many files have which verdict (`census.verdicts.CODES`). examples: the first
    file by name of each. rows: results, the first MOST_ROWS by name; is_cut: there are more.
    report: of the run.
    """

    verdicts: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    rows: list[FileResult] = field(default_factory=list)
    report: Report = field(default_factory=Report)

    @property
    def is_cut(self) -> bool:
        """Whether there were more files than rows are kept."""
        return self.report.done > len(self.rows)

    def add(self, result: FileResult) -> None:
        """Take the result of one file."""
        code = code_of(result)
        self.verdicts[code] += 1
        first = self.examples.get(code)
        if first is None or result.source < first:
            self.examples[code] = result.source
        self.rows.append(result)
        if len(self.rows) >= 2 * MOST_ROWS:
            self.cut()

    def cut(self) -> None:
        """Sort the rows, and keep as many as may be kept."""
        self.rows.sort(key=lambda result: result.source)
        del self.rows[MOST_ROWS:]

    def as_dict(self) -> dict[str, Any]:
        """The run's summary, verdicts with their counts, and rows, for JSON."""
        return {
            **self.report.as_dict(),
            "verdicts": {
                code: {"files": self.verdicts[code], "example": self.examples[code]}
                for code in CODES
                if self.verdicts[code]
            },
            "rows": [result.row() for result in self.rows],
            "rows_cut": self.is_cut,
        }


def inspect(
    *paths: StrPath,
    report: StrPath | None = None,
    progress: Progress | None = None,
    **options: Unpack[ReadKeywords],
) -> Inspection:
    """Find out what images are: colour mask, label map, id map, damaged …

    paths: folders and files. report: a JSON Lines file, a row a file. progress: called about
    ten times a second with the Report so far. options: the fields of `ReadOptions`.

    Each file is decoded whole. One that cannot be read is a failed row, of verdict `damaged`.
    Raises UsageError, OutputError, Interrupted.
    """
    settings = ReadOptions(**options)
    sources = Inputs.of([os.fspath(path) for path in paths], settings)
    found = Inspection()
    found.report = look(
        sources,
        Inspecting(settings),
        verb="inspect",
        report=report,
        progress=progress,
        tally=found.add,
    )
    found.cut()
    return found


@dataclass(frozen=True, slots=True)
class Inspecting:
    """The task of telling what an image is."""

    options: ReadOptions

    def run(self, source: Source) -> FileResult:
        """Look at one image; whatever happens becomes its row."""
        return look_at(
            source, self.options.max_pixels, lambda census: facts_of(census, judge(census))
        )


def code_of(result: FileResult) -> str:
    """The code of a file's verdict."""
    return result.details.verdict.code if isinstance(result.details, Facts) else "damaged"
