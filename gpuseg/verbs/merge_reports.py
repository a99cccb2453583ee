"""`merge_reports`: the reports of a divided job as one, with each input once."""

from __future__ import annotations

import os
import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path
from typing import BinaryIO

from gpuseg import __version__, storage
from gpuseg.errors import OutputError, UsageError
from gpuseg.lines import encode_row
from gpuseg.merging.accounts import accounts, remark, time_under_way
from gpuseg.merging.coverage import groups, missing
from gpuseg.merging.parts import Part, head_of_job, read_parts
from gpuseg.merging.winners import winners
from gpuseg.names import kind_of
from gpuseg.options import Shard
from gpuseg.output import open_atomically
from gpuseg.palettes.of_run import REPORT, read_head
from gpuseg.report_reading import Row, numbers, read_report, status_of, text, texts, whole
from gpuseg.results import FileResult, Report, Status
from gpuseg.runs import StrPath, report_place

SHARDS = "*-of-*.jsonl"
"""How the names of shards' reports go on."""

MAX_HEAD = 1 << 23
"""Longest head that is written, in bytes; one of twice that would not be read."""


def merge_reports(reports: StrPath | Iterable[StrPath], out: StrPath | None = None) -> Report:
    """Write one report of a job that was divided, from those of its shards and of their retries.

    reports: files, or folders of which all `gpuseg-report-*-of-*.jsonl` are taken; paths, or
        URLs, those of files ending in `.jsonl`.
    out: the merged report; by default `gpuseg-report.jsonl` in the folder of the reports. It is
        written whole or not at all, and replaces a merged report only.

    Each input has one row, from the last run that has it (by the clocks of the machines); an
    input that a later run found `unchanged` keeps the row of the run that converted it. `run` in
    a row is the number, from 0, of its run in `merged` of the head and in `runs` of the summary,
    which tells what each run and each host did and how long. The exit code is 1 if a file failed
    or a shard has no whole report: `problem` says which.

    Memory does not grow with the rows, but for shards with several reports: then about 50 bytes
    for each row of such a shard, one shard after the other. Raises OutputError, and UsageError
    for what is no report, of another job, or still being written.
    """
    paths = _paths([reports] if isinstance(reports, str | os.PathLike) else reports)
    target = os.fspath(out) if out is not None else _default(paths)
    parts = read_parts(paths)
    _check_target(target, parts)
    head = encode_row(head_of_job(parts) | {"gpuseg": __version__, "host": platform.node()})
    if len(head) > MAX_HEAD:
        raise UsageError(
            f"{len(parts):,} reports are too many for one: its head would be {len(head):,} bytes "
            f"and may be {MAX_HEAD:,}; divide the job into fewer shards"
        )
    merge = _Merge(parts, Report(path=report_place(target)))
    with open_atomically(target) as file:
        file.write(head)
        for group in groups(parts):
            merge.add(group, file)
        for part in parts:
            part.check_unchanged()
        file.write(encode_row(merge.conclude()))
    return merge.report


@dataclass(slots=True)
class _Merge:
    """Reports on their way into one."""

    parts: Sequence[Part]
    report: Report
    _numbers: dict[Part, int] = field(init=False)

    def __post_init__(self) -> None:
        self._numbers = {part: number for number, part in enumerate(self.parts)}

    def add(self, group: Sequence[Part], file: BinaryIO) -> None:
        """Write the rows of reports that share files with each other, and with no others."""
        keep = iter(winners(group)) if len(group) > 1 else None
        for part in group:
            _, rows = read_report(part.path)
            for row in rows:
                if row is None:
                    part.unread += 1
                elif self._takes(part, row, keep):
                    file.write(encode_row({**row, "run": self._numbers[part]}))

    def _takes(self, part: Part, row: Row, keep: Iterator[bool] | None) -> bool:
        """Count a row; whether it stands in the merged report. keep: of the rows of files."""
        kind, status = row.get("type"), status_of(row)
        if status is not None:
            part.rows += 1
            if keep is not None and not next(keep, True):  # True: it grows, which is told later
                return False
            part.files[status] += 1
            self.report.add(_result(row, status))
            return True
        if kind == "summary":
            part.end = row
        elif kind != "log":
            part.unread += 1
        return kind == "log"

    def conclude(self) -> Row:
        """The row of type `summary`; the report is complete then."""
        report = self.report
        report.seconds = time_under_way(self.parts)
        report.problem = missing(self.parts)
        if report.problem:
            report.problem += "; run them again with the same command, and merge again"
        report.remark = remark(self.parts)
        report.missed = not report.done
        report.left_alone = _left_alone(self.parts)
        return {**report.as_dict(), **accounts(self.parts)}


def _result(row: Row, status: Status) -> FileResult:
    """What a report counts of a row."""
    return FileResult(
        source=text(row, "source"),
        status=status,
        width=whole(row, "width"),
        height=whole(row, "height"),
        unknown_pixels=whole(row, "unknown_pixels"),
        warnings=texts(row, "warnings"),
        error=text(row, "error"),
        message=text(row, "message"),
    )


def _left_alone(parts: Sequence[Part]) -> Counter[str]:
    """Other files, by suffix: each shard's run looked at all of them, or into its own archives."""
    by_shard: dict[Shard | None, Counter[str]] = {}
    for part in parts:
        found = numbers(part.end or {}, "left_alone")
        key = part.shard if kind_of(text(part.head, "src")) is not None else None
        most = by_shard.setdefault(key, Counter())
        most |= Counter({suffix: int(count) for suffix, count in found.items()})
    return sum(by_shard.values(), Counter())


def _paths(reports: Iterable[StrPath]) -> list[Path | str]:
    """The files, and those in the folders. Raises UsageError for a folder without any."""
    paths: list[Path | str] = []
    for each in reports:
        if isinstance(each, str) and storage.is_url(each):
            is_folder = not each.endswith(".jsonl")
            found: list[Path | str] = list(_stored(each)) if is_folder else [each]
        else:
            is_folder, path = os.path.isdir(each), Path(each)
            found = sorted(path.glob(f"{REPORT}-{SHARDS}")) if is_folder else [path]
        if not found:
            raise UsageError(
                f"{each} holds no report of a shard ({REPORT}-{SHARDS}); name the folder that "
                "the runs with --shard wrote to, or their reports"
            )
        paths += found
    return paths


def _stored(folder: str) -> list[str]:
    """The reports of shards in a folder of a storage. Raises UsageError."""
    try:
        found = storage.beginning_with(storage.join(folder, f"{REPORT}-"))
    except OSError as error:
        raise UsageError(
            f"{folder} cannot be listed: {error.strerror or error}; mend that, or name the reports"
        ) from error
    return [url for url in found if fnmatch(url.rpartition("/")[2], f"{REPORT}-{SHARDS}")]


def _default(paths: Sequence[Path | str]) -> str:
    folders = {os.path.dirname(path) for path in paths}
    if len(folders) != 1:
        raise UsageError(
            f"the reports lie in {len(folders)} folders; say where the merged one goes with --out"
        )
    (folder,) = folders
    name = f"{REPORT}.jsonl"
    return storage.join(folder, name) if storage.is_url(folder) else os.path.join(folder, name)


def _check_target(target: str, parts: Sequence[Part]) -> None:
    """Refuse to replace anything but an earlier merged report. Raises OutputError."""
    if not _exists(target):
        return
    head = read_head(target)
    if head is not None and "merged" in head:
        return
    if any(part.is_at(target) for part in parts):
        found = "one of the reports that are merged"
    elif head is not None:
        found = "the report of a run that is not among those merged (it may be: name it, too)"
    else:
        found = "no merged report"
    raise OutputError(f"{target} would be replaced and is {found}; name another place with --out")


def _exists(target: str) -> bool:
    if not storage.is_url(target):
        return os.path.lexists(target)
    try:
        return storage.info(target) is not None
    except OSError as error:
        raise OutputError(
            f"{target} cannot be looked at: {error.strerror or error}; mend that, or name another "
            "place with --out"
        ) from error
