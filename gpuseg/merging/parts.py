"""The reports that are put together: what each says of its run, and whether they are of one job."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from gpuseg import storage
from gpuseg.errors import UsageError
from gpuseg.options import Shard
from gpuseg.report_reading import Row, number, numbers, read_report, text
from gpuseg.results import Status

SAME = {
    "verb": "verb",
    "src": "SRC",
    "dst": "DST",
    "pattern": "pattern",
    "palette": "palette",
    "ignore_index": "ignore index",
    "class_table": "classes of the palette",
    "merged_table": "classes that the palette merged",
    "digest": "options that shape the targets",
}
"""What the heads of one job's reports say alike, and how that is called."""

SHAPING = ("unknown", "tolerance", "depth", "grey")
"""Options that shape label maps, as heads tell them: named where digests differ."""

_SHOWN = 120


@dataclass(slots=True, eq=False)
class Part:
    """One report: a run over one shard, or over all files.

    path: a path, or a URL, which is none. head: as it stands. shard: which files it went through.
    started: UNIX time, s, by its machine's clock. state: what tells whether the file is changed
    meanwhile.
    After its rows are read: end: the row of type `summary`, None if there is none. rows: how many
    of type `file`. files: those of them that count, by status. unread: lines that are no rows.
    """

    path: Path | str
    head: Row
    shard: Shard
    started: float
    state: tuple[object, ...]
    end: Row | None = None
    rows: int = 0
    files: Counter[Status] = field(default_factory=Counter)
    unread: int = 0

    @property
    def name(self) -> str:
        """The name of the file."""
        return os.path.basename(self.path)

    @property
    def host(self) -> str:
        """The machine that ran it."""
        return text(self.head, "host")

    @property
    def seconds(self) -> float | None:
        """How long it took, None where it has no end."""
        return number(self.end, "seconds") if self.end is not None else None

    @property
    def is_whole(self) -> bool:
        """Whether every file of its shard has a row here."""
        end = self.end
        if end is None or self.unread or text(end, "stopped") or text(end, "problem"):
            return False
        return self.rows == int(sum(numbers(end, "files").values()))

    def is_at(self, path: str) -> bool:
        """Whether this is the file of a path or a URL."""
        return _real(self.path) == _real(path)

    def check_unchanged(self) -> None:
        """Raise UsageError where the file is no longer what it was."""
        if _state(self.path) != self.state:
            raise UsageError(
                f"the report {self.path} changed while it was read: its run is still under way; "
                "merge again when it is over"
            )


def read_parts(paths: Iterable[Path | str]) -> list[Part]:
    """The heads of these reports, those that began first at first; a file named twice counts once.

    Raises UsageError for what is no report, and for reports that are not of one job.
    """
    parts = [_part(path) for path in {_real(path): path for path in paths}.values()]
    if not parts:
        raise UsageError("no report was given; name the reports of shards, or their folder")
    for part in parts[1:]:
        _check_same_job(parts[0], part)
    return sorted(parts, key=lambda part: part.started)


def head_of_job(parts: Sequence[Part]) -> dict[str, Any]:
    """What all heads say alike, and which reports there are."""
    head = _alike([part.head for part in parts])
    options = [part.head.get("options") for part in parts]
    tables = [table for table in options if isinstance(table, dict)]
    if len(tables) == len(parts):
        head["options"] = _alike(tables)
    merged = [
        {
            "report": part.name,
            "shard": str(part.shard),
            "host": part.host,
            "started": part.head["started"],
        }
        for part in parts
    ]
    return {"type": "run", **head, "started": parts[0].head["started"], "merged": merged}


def _part(path: Path | str) -> Part:
    state = _state(path)
    head, _ = read_report(path)
    if "merged" in head:
        raise UsageError(
            f"{path} is merged already; name the reports of the runs that it was made from"
        )
    try:
        shard = Shard.parse(text(head, "shard"))
        started = datetime.fromisoformat(text(head, "started")).timestamp()
    except ValueError as error:  # UsageError is one, too
        raise UsageError(
            f"the head of the report {path} must tell its shard (K/N) and when it began, got "
            f"{text(head, 'shard')!r} and {text(head, 'started')!r}; an older gpuseg wrote it, or "
            "somebody changed it"
        ) from error
    return Part(path, head, shard, started, state)


def _real(path: Path | str) -> str:
    is_url = isinstance(path, str) and storage.is_url(path)
    return str(path) if is_url else os.path.realpath(path)


def _state(path: Path | str) -> tuple[object, ...]:
    try:
        if isinstance(path, str) and storage.is_url(path):
            return (storage.info(path),)
        status = os.stat(path)
    except (OSError, ValueError):  # reading tells; ValueError: a null byte in the name
        return ()
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _check_same_job(first: Part, other: Part) -> None:
    for key, name in SAME.items():
        mine, its = first.head.get(key), other.head.get(key)
        if mine == its:
            continue
        if key == "digest":
            told = _differing_options(first.head, other.head)
        elif key in ("class_table", "merged_table"):
            told = "they differ"
        else:
            told = f"{mine!r} and {its!r}"[:_SHOWN]
        raise UsageError(
            f"{first.path} and {other.path} are not of one job: {name}: {told}; merge reports of "
            "one command that differ in --shard and --report only"
        )


def _differing_options(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    mine, its = one.get("options"), other.get("options")
    if isinstance(mine, dict) and isinstance(its, dict):
        for name in SHAPING:
            if mine.get(name) != its.get(name):
                return f"{name} is {mine.get(name)!r} and {its.get(name)!r}"[:_SHOWN]
    return "they differ"


def _alike(tables: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    first, *others = tables
    return {
        key: value
        for key, value in first.items()
        if all(key in table and table[key] == value for table in others)
    }
