"""What the reports of a run say, gathered row by row in bounded memory."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gpuseg.kinds import Kind, bounded, of_kind
from gpuseg.report_reading import FileRow, Row, file_row, number, numbers, read_report, text
from gpuseg.results import WITHOUT_WORK, WRONG, Status, UnknownColour

MAX_COLOURS = 1 << 14
"""Unknown colours that are told apart; the pixels of others are only counted."""

MAX_PLACES = 3
"""Places that are kept of each unknown colour."""


@dataclass(slots=True)
class Run:
    """One report: the rows of type `run` and `summary` as they stand; without its end, None."""

    path: Path
    head: Row
    end: Row | None = None


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where an unknown colour sits. Ordered: the file with most of it first, then by name."""

    fewer: int  # pixels of it in this file, negative
    source: str
    x: int
    y: int


@dataclass(slots=True)
class Colour:
    """An unknown colour over all files. places: the best few, in order."""

    rgb: tuple[int, int, int]
    pixels: int = 0
    files: int = 0
    places: list[Place] = field(default_factory=list)

    def add(self, found: UnknownColour, source: str) -> None:
        """One file that has it."""
        self.pixels += found.pixels
        self.files += 1
        self.places = sorted([*self.places, Place(-found.pixels, source, found.x, found.y)])
        del self.places[MAX_PLACES:]


@dataclass(slots=True)
class Gathered:
    """All that the reports say.

    unknown_pixels, files_with_unknown: of files that failed by them, too.
    unlisted: pixels of unknown colours that no row names, or that are too many to tell apart.
    sources: of the targets that were asked for. unreadable: lines that are no rows.
    """

    wanted: frozenset[str] = frozenset()
    runs: list[Run] = field(default_factory=list)
    files: Counter[Status] = field(default_factory=Counter)
    pixels: int = 0
    unknown_pixels: int = 0
    files_with_unknown: int = 0
    colours: dict[tuple[int, int, int], Colour] = field(default_factory=dict)
    unlisted: int = 0
    seconds: Counter[str] = field(default_factory=Counter)
    failures: dict[str, Kind] = field(default_factory=dict)
    warnings: dict[str, Kind] = field(default_factory=dict)
    log: Kind = field(default_factory=Kind)
    sources: dict[str, str] = field(default_factory=dict)
    unreadable: int = 0

    @property
    def failed(self) -> int:
        """Files that failed, or are not as they should be."""
        return sum(self.files[status] for status in WRONG)

    @property
    def head(self) -> Mapping[str, Any]:
        """The head of the first report, empty without one."""
        return self.runs[0].head if self.runs else {}

    @property
    def wall(self) -> float:
        """Seconds that the runs took, one after the other."""
        return sum(number(run.end, "seconds") for run in self.runs if run.end is not None)

    @property
    def left_alone(self) -> Counter[str]:
        """Other files that were found, by suffix; all shards of a run find the same ones."""
        found: Counter[str] = Counter()
        for run in self.runs:
            own: Counter[str] = Counter()
            for suffix, count in numbers(run.end or {}, "left_alone").items():
                own[bounded(found, suffix)] += int(count)
            for kind, total in own.items():
                found[kind] = max(found[kind], total)
        return found

    def add_report(self, path: Path) -> None:
        """Gather one report. Raises UsageError for a file that is none."""
        head, rows = read_report(path)
        run = Run(path, head)
        self.runs.append(run)
        for row in rows:
            kind = row.get("type") if row is not None else None
            if row is None or not self._add(run, kind, row):
                self.unreadable += 1

    def _add(self, run: Run, kind: object, row: Row) -> bool:
        """Take one row; whether it is one of ours."""
        if kind == "summary":
            run.end = row
        elif kind == "log":
            self.log.keep("", text(row, "message"))
        elif kind == "file" and (found := file_row(row)) is not None:
            self._add_file(found)
        else:
            return False
        return True

    def _add_file(self, row: FileRow) -> None:
        self.files[row.status] += 1
        if row.status not in WITHOUT_WORK:
            self.pixels += row.width * row.height
        for stage, seconds in row.seconds.items():
            self.seconds[bounded(self.seconds, stage)] += seconds  # type: ignore[assignment]  # a Counter of floats
        if row.status in WRONG:
            kind = row.error or row.status
            of_kind(self.failures, kind).keep(row.source, row.message)
        for warning in row.warnings:
            of_kind(self.warnings, warning).keep(row.source, warning)
        if row.unknown_pixels:
            self._add_unknown(row)
        if row.target in self.wanted:
            self.sources.setdefault(row.target, row.source)

    def _add_unknown(self, row: FileRow) -> None:
        self.unknown_pixels += row.unknown_pixels
        self.files_with_unknown += 1
        told = 0
        for found in row.unknown_colours:
            colour = self.colours.get(found.rgb)
            if colour is None:
                if len(self.colours) >= MAX_COLOURS:
                    continue
                colour = self.colours[found.rgb] = Colour(found.rgb)
            colour.add(found, row.source)
            told += found.pixels
        self.unlisted += max(0, row.unknown_pixels - told)

    def most_frequent(self, limit: int) -> list[Colour]:
        """The unknown colours with most pixels; ties by colour."""
        return sorted(self.colours.values(), key=lambda c: (-c.pixels, c.rgb))[:limit]


def gather(reports: Iterable[Path], wanted: frozenset[str] = frozenset()) -> Gathered:
    """What these reports say together. wanted: targets whose sources are to be remembered.

    Raises UsageError for a file that is no report.
    """
    gathered = Gathered(wanted)
    for path in reports:
        gathered.add_report(path)
    gathered.runs.sort(key=lambda run: (text(run.head, "started"), run.path.name))
    return gathered
