"""The rows of a report, read line by line: somebody else may have written it.

Nothing is believed: what has another type than ours writes is left out, and a line that is no
row of a report is None.
"""

from __future__ import annotations

import json
import math
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, cast, get_args

from gpuseg import storage
from gpuseg.errors import UsageError
from gpuseg.palette_entries import rgb_of
from gpuseg.results import Status, UnknownColour

MAX_LINE = 1 << 24
"""Longest line that is read, in bytes; a longer one is no row."""

MAX_TEXT = 4096
"""Longest text that is kept of a row, in characters."""

MAX_LISTED = 64
"""Most colours, warnings, stages and the like that are taken of one row."""

_MAX_WHOLE = 1 << 62
_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_STATUSES = frozenset(get_args(Status))

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class FileRow:
    """A row of type `file`, as `FileResult` has it; what is missing or wrong is empty."""

    source: str
    status: Status
    target: str
    width: int
    height: int
    unknown_pixels: int
    unknown_colours: tuple[UnknownColour, ...]
    warnings: tuple[str, ...]
    error: str
    message: str
    seconds: Mapping[str, float]


def read_report(path: Path | str) -> tuple[Row, Iterator[Row | None]]:
    """The head of a report, and its other lines as `read_rows` has them.

    Raises UsageError for a file that is no report.
    """
    rows = read_rows(path)
    head = next(rows, None)
    if head is None or head.get("type") != "run":
        raise UsageError(
            f"{path} is no report of gpuseg: its first line must be a row of type 'run'; "
            "give the JSON Lines file of a run"
        )
    return head, rows


def read_rows(path: Path | str) -> Iterator[Row | None]:
    """Every line of a report as a dict, None for one that is none; in bounded memory.

    Raises UsageError for a file that cannot be read.
    """
    try:
        with _open(path) as file:
            while line := file.readline(MAX_LINE):
                whole = line.endswith(b"\n") or len(line) < MAX_LINE
                while not line.endswith(b"\n") and (rest := file.readline(MAX_LINE)):
                    line = rest  # of a line that is too long: passed over
                yield _parse(line) if whole else None
    except (OSError, ValueError) as error:  # ValueError: a null byte in the name
        reason = getattr(error, "strerror", None) or error
        raise UsageError(
            f"the report {path} cannot be read: {reason}; give the JSON Lines file of a run"
        ) from error


def _open(path: Path | str) -> IO[bytes]:
    if isinstance(path, str) and storage.is_url(path):
        return storage.open_stream(path)
    if not stat.S_ISREG(os.stat(path).st_mode):  # a pipe could wait for ever, and ends but once
        raise OSError(0, "it is no regular file")
    return open(path, "rb")


def _parse(line: bytes) -> Row | None:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):  # RecursionError: thousands of brackets
        return None
    return row if isinstance(row, dict) else None


def status_of(row: Row | None) -> Status | None:
    """The status of a row of type `file`, None where it does not say what became of which file."""
    return _status(row) if row is not None and row.get("type") == "file" else None


def _status(row: Row) -> Status | None:
    status = text(row, "status")
    return cast("Status", status) if status in _STATUSES and text(row, "source") else None


def file_row(row: Row) -> FileRow | None:
    """What a row of type `file` says, None where it does not say what became of which file."""
    status = _status(row)
    if status is None:
        return None
    return FileRow(
        source=text(row, "source"),
        status=status,
        target=text(row, "target"),
        width=whole(row, "width"),
        height=whole(row, "height"),
        unknown_pixels=whole(row, "unknown_pixels"),
        unknown_colours=tuple(_colours(row)),
        warnings=texts(row, "warnings"),
        error=text(row, "error"),
        message=text(row, "message"),
        seconds=numbers(row, "seconds"),
    )


def text(row: Mapping[str, Any], name: str) -> str:
    """A text of a row, '' where it has none."""
    value = row.get(name)
    return value[:MAX_TEXT] if isinstance(value, str) else ""


def texts(row: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """A list of texts."""
    value = row.get(name)
    if not isinstance(value, list):
        return ()
    return tuple(each[:MAX_TEXT] for each in value[:MAX_LISTED] if isinstance(each, str))


def whole(row: Mapping[str, Any], name: str) -> int:
    """A whole number from 0 on, 0 where there is none."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _MAX_WHOLE:
        return 0
    return value


def number(row: Mapping[str, Any], name: str) -> float:
    """A finite number from 0 on, 0 where there is none."""
    value = row.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value) if 0 <= value < 1e15 and math.isfinite(value) else 0.0


def numbers(row: Mapping[str, Any], name: str) -> dict[str, float]:
    """A table of numbers."""
    table = row.get(name)
    if not isinstance(table, dict):
        return {}
    keys = [key for key in table if isinstance(key, str)][:MAX_LISTED]
    return {key[:MAX_TEXT]: number(table, key) for key in keys}


def _colours(row: Row) -> Iterator[UnknownColour]:
    listed = row.get("unknown_colours")
    for each in listed[:MAX_LISTED] if isinstance(listed, list) else ():
        if not isinstance(each, dict) or not _HEX.fullmatch(text(each, "hex")):
            continue
        place = {"x": whole(each, "x"), "y": whole(each, "y")}
        yield UnknownColour(rgb_of(each["hex"]), whole(each, "pixels"), **place)
