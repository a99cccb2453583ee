"""Results: what became of each file, and of the run."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, get_args

from gpuseg.errors import NO_MEMORY, GpusegError, MaskSizeError, UnknownColourError
from gpuseg.names import ARCHIVES
from gpuseg.palette_entries import hex_of
from gpuseg.shares import Shares
from gpuseg.text import count as count  # those who tell of results take it from here
from gpuseg.travelling import quickly_pickled

Status = Literal[
    "converted", "unchanged", "planned", "read", "same", "differs", "missing", "extra", "failed"
]
"""What became of a file, by any verb; see `FileResult`."""

WRONG: frozenset[Status] = frozenset({"differs", "missing", "extra", "failed"})
"""Those that make the exit code 1."""

WITHOUT_WORK: frozenset[Status] = frozenset({"unchanged", "planned", "failed"})
"""Those whose pixels are not counted as made or read."""

SHOWN_FAILURES = 5
"""Failures that the summary spells out; the report file holds them all."""


class Details(Protocol):
    """What a verb has to say of a file besides: small, for worker processes send it."""

    def row(self) -> Mapping[str, Any]:
        """Its part of the file's row, for JSON."""


@dataclass(frozen=True, slots=True)
class UnknownColour:
    """A colour outside the palette, as found in one mask.

    rgb: the colour; pixels: how many pixels have it; x, y: column and row of the first one.
    """

    rgb: tuple[int, int, int]
    pixels: int
    x: int
    y: int

    @property
    def hex(self) -> str:
        """The colour as `#rrggbb`."""
        return hex_of(self.rgb)

    def __str__(self) -> str:
        return f"{self.hex} {self.pixels:,} px, first at x={self.x} y={self.y}"


@quickly_pickled
@dataclass(frozen=True, slots=True, kw_only=True)
class FileResult:
    """What became of one input.

    source: path relative to SRC. target: path relative to DST, None if there is none.
    status: of verbs that write: `converted`, `unchanged` (made before, from the same source and
        options) or `planned` (a dry run would convert it); of verbs that look: `read`; of
        comparisons: `same`, `differs`, `missing` (no target) or `extra` (no source); or `failed`.
    width, height: in pixels, 0 when not known.
    format, codec, device: what the content is, which codec read it, what indexed it.
    unknown_pixels: pixels of unknown colour; unknown_colours: the most frequent of them.
    repaired_pixels: of them, those that took the class of a neighbour (antialiased borders).
    warnings: what else there is to know. details: what the verb found. noted: how many of what
        the summary is to add up besides; it has no part in the row.
    error: kind of the failure; message: the sentence.
    seconds: time of each stage that ran, in seconds: read, inflate, index, encode and write by
        the direct PNG path, decode, index, encode and write by Pillow; by a device read, inflate,
        its share of upload, index and download, encode and write; verify if asked for; by
        rasterize read, draw, encode and write, by other verbs that write make and write.
    content: the target's bytes, where the run puts them into an archive; never in a row.
    """

    source: str
    status: Status
    target: str | None = None
    width: int = 0
    height: int = 0
    format: str = ""
    codec: str = ""
    device: str = ""
    unknown_pixels: int = 0
    unknown_colours: tuple[UnknownColour, ...] = ()
    repaired_pixels: int = 0
    warnings: tuple[str, ...] = ()
    details: Details | None = None
    noted: Mapping[str, int] = field(default_factory=dict)
    error: str = ""
    message: str = ""
    seconds: Mapping[str, float] = field(default_factory=dict)
    content: bytes | None = field(default=None, repr=False)

    @property
    def is_wrong(self) -> bool:
        """Whether it makes the exit code 1."""
        return self.status in WRONG

    @classmethod
    def failure(cls, source: str, error: Exception, **fields: Any) -> FileResult:
        """The row of a file that failed with `error`, and with it the colours that it names."""
        if isinstance(error, UnknownColourError):
            fields |= {"unknown_colours": error.colours, "unknown_pixels": error.pixels}
        if isinstance(error, MemoryError):
            error = MaskSizeError(NO_MEMORY)
        kind = error.kind if isinstance(error, GpusegError) else "internal"
        message = str(error) if isinstance(error, GpusegError) else f"unexpected {error!r}"
        return cls(source=source, status="failed", error=kind, message=message, **fields)

    def row(self) -> dict[str, Any]:
        """The row of the report; what is empty is left out."""
        row: dict[str, Any] = {"type": "file", "source": self.source, "status": self.status}
        for name in ("target", "width", "height", "format", "codec", "device"):
            if value := getattr(self, name):
                row[name] = value
        for name in ("unknown_pixels", "repaired_pixels"):
            if value := getattr(self, name):
                row[name] = value
        if self.unknown_colours:
            row["unknown_colours"] = [
                {"hex": c.hex, "pixels": c.pixels, "x": c.x, "y": c.y} for c in self.unknown_colours
            ]
        for name in ("warnings", "error", "message"):
            if value := getattr(self, name):
                row[name] = value
        if self.details is not None:
            row.update(self.details.row())
        if self.seconds:
            row["seconds"] = {stage: round(value, 6) for stage, value in self.seconds.items()}
        return row


@dataclass(slots=True)
class Aside:
    """Members of archives that have no row. left_alone: by suffix. kept: that passed through."""

    left_alone: Counter[str] = field(default_factory=Counter)
    kept: int = 0

    @property
    def remark(self) -> str:
        """What the summary says of those that passed through."""
        return f"{count(self.kept, 'other member')} kept" if self.kept else ""


@dataclass(slots=True)
class Report:
    """The run so far, in constant memory: counts, and the first failures in full."""

    files: Counter[Status] = field(default_factory=Counter)
    left_alone: Counter[str] = field(default_factory=Counter)  # other files, by suffix
    pixels: int = 0
    unknown_pixels: int = 0
    files_with_unknown: int = 0
    files_with_warnings: int = 0
    noted: Counter[str] = field(default_factory=Counter)  # as in FileResult, of those not wrong
    failures: list[FileResult] = field(default_factory=list)
    device: str = ""  # what ran the kernels, and why
    stopped: Literal["", "interrupted", "fail-fast", "error"] = ""
    missed: bool = False  # there was nothing to convert at all
    problem: str = ""  # what kept the report itself from being complete
    remark: str = ""  # what else there is to know of the run
    sought: str = "images"  # what the files are
    unknown: str = "of unknown colour were replaced"  # what became of unknown pixels
    workers: Shares = field(default_factory=Shares)  # of a cluster
    waiting: str = ""  # what the run waits for, at the moment
    path: Path | str | None = None  # of the report: a path or a URL
    started: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    def add(self, result: FileResult) -> None:
        """Count one file."""
        self.files[result.status] += 1
        if result.status not in WITHOUT_WORK:
            self.pixels += result.width * result.height
        if result.is_wrong:
            if len(self.failures) < SHOWN_FAILURES:
                self.failures.append(result)
        elif result.unknown_pixels:
            self.files_with_unknown += 1
            self.unknown_pixels += result.unknown_pixels
        if not result.is_wrong:
            self.noted.update(result.noted)
        if result.warnings:
            self.files_with_warnings += 1

    @property
    def done(self) -> int:
        """Files that have a row."""
        return self.files.total()

    @property
    def elapsed(self) -> float:
        """Seconds since the run began, or that it took."""
        return self.seconds or time.monotonic() - self.started

    @property
    def failed(self) -> int:
        """Files that failed, or are not as they should be."""
        return sum(self.files[status] for status in WRONG)

    @property
    def exit_code(self) -> int:
        """0 all converted, 1 some not or no mask found, 130 interrupted."""
        if self.stopped == "interrupted":
            return 130
        return 1 if self.failed or self.stopped or self.problem or self.missed else 0

    def summary(self) -> str:
        """The run in a sentence or two, for people."""
        parts = [f"{self.files[status]:,} {status}" for status in _STATUSES if self.files[status]]
        text = ", ".join(parts) or ("no file has a row" if self.stopped else self._nothing())
        worked = sum(self.files[status] for status in _WORKED)
        if self.seconds >= 0.1 and worked:
            rate = worked / self.seconds
            speed = self.pixels / self.seconds / 1e6
            text += f" in {self.seconds:.1f} s ({rate:,.0f} files/s, {speed:,.0f} Mpx/s)"
        if self.unknown_pixels:
            text += (
                f"; {self.unknown_pixels:,} pixels {self.unknown} "
                f"in {count(self.files_with_unknown, 'file')}"
            )
        for what, number in self.noted.items():
            text += f"; {what}: {number:,}"
        if self.files_with_warnings:
            text += f"; {count(self.files_with_warnings, 'file')} with warnings"
        if self.left_alone:
            common = ", ".join(
                f"{s or 'no suffix'} {n:,}" for s, n in self.left_alone.most_common(4)
            )
            text += f"; {count(self.left_alone.total(), 'other file')} left alone ({common})"
        if self.workers.by_name:
            text += f"; {self.workers}"
        if self.stopped:
            text += f"; stopped early ({self.stopped}): the remaining files were not looked at"
        if self.remark:
            text += f"; {self.remark}"
        if self.problem:
            text += f"; the report is incomplete: {self.problem}"
        return text

    def _nothing(self) -> str:
        """Why no file has a row."""
        if not self.missed and not self.stopped:
            return f"no {self.sought} found in this shard"
        if self.left_alone.keys() & ARCHIVES.keys():
            return (
                f"no {self.sought} found; archives in a folder are not opened: give SRC their "
                "names ('SRC/train-{000..099}.tar')"
            )
        return f"no {self.sought} found; --pattern names other files"

    def as_dict(self) -> dict[str, Any]:
        """The summary row of the report, for programs."""
        return {
            "type": "summary",
            "files": {s: self.files[s] for s in _STATUSES if s in _ALWAYS or self.files[s]},
            "left_alone": dict(self.left_alone),
            "pixels": self.pixels,
            "unknown_pixels": self.unknown_pixels,
            "files_with_unknown": self.files_with_unknown,
            "files_with_warnings": self.files_with_warnings,
            **({"noted": dict(self.noted)} if self.noted else {}),
            "stopped": self.stopped,
            "problem": self.problem,
            "remark": self.remark,
            **({"workers": self.workers.as_dict()} if self.workers.by_name else {}),
            "seconds": round(self.seconds, 3),
            "exit_code": self.exit_code,
        }


_STATUSES: tuple[Status, ...] = get_args(Status)
_WORKED: tuple[Status, ...] = ("converted", "read", "same", "differs")
_ALWAYS: tuple[Status, ...] = ("converted", "unchanged", "planned", "failed")


def percent(part: int, whole: int) -> str:
    """A share as a percentage that is 0 or 100 only when it is."""
    share = 100 * part / max(1, whole)
    if 0 < share < 0.01:
        return "under 0.01 %"
    if 99.99 < share < 100:
        return "over 99.99 %"
    return f"{share:.2f} %"
