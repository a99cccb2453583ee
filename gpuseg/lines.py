"""A JSON Lines file that holds whole lines, whatever happens to the disk or beside it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import stat
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

from gpuseg import storage
from gpuseg.errors import OutputError

HEAD = b'{"type": "run"'
"""What the first row of a report starts with."""


_NO_REPORT = (
    "the report {} would replace a file that is no report of gpuseg; name another place with "
    "--report"
)


def encode_row(row: Mapping[str, Any]) -> bytes:
    """A row as a line of JSON in ASCII: names that are no UTF-8 can be read back from it."""
    return (json.dumps(row) + "\n").encode("ascii")


class Lines(Protocol):
    """Rows that go somewhere, each in one piece."""

    def write(self, line: bytes) -> None:
        """Append a line of `encode_row`. Raises OSError, with the rows before it whole."""

    def is_in_place(self) -> bool:
        """Whether the name still means this file, and not one of another run."""

    def close(self) -> None:
        """Raises OSError when what was written is lost."""


def open_lines(place: Path | str) -> Lines:
    """A new file of lines: at a path, or once it is closed at a URL. Raises OutputError."""
    if isinstance(place, str) and storage.is_url(place):
        return StoredLines(place)
    return LineFile(Path(place))


class StoredLines:
    """Rows that are kept on this machine until they go to a storage in one piece.

    An earlier report in its place is replaced then; any other file is left alone. Raises
    OutputError.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        try:
            head = storage.read_start(url, len(HEAD))
            if head is None:  # no bucket either? That would be told when the work is done
                with contextlib.suppress(FileNotFoundError):  # a folder is made on the way
                    next(storage.entries(url.rpartition("/")[0], 1), None)
        except OSError as error:
            raise OutputError(
                f"the report {url} cannot be written: {error.strerror or error}; mend that, or "
                "choose another DST or --report"
            ) from error
        if head and head != HEAD:
            raise OutputError(_NO_REPORT.format(url))
        self._folder = tempfile.mkdtemp(prefix="gpuseg-")
        self._path = Path(self._folder) / "report.jsonl"
        self._file = LineFile(self._path)

    def write(self, line: bytes) -> None:
        """See Lines."""
        self._file.write(line)

    def is_in_place(self) -> bool:
        """See Lines."""
        return True

    def close(self) -> None:
        """Send it. Raises OSError when it does not arrive."""
        try:
            self._file.close()
            storage.upload(str(self._path), self._url)
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)


class LineFile:
    """Rows that go to disk one by one, each in one piece or not at all.

    An earlier report in its place is unlinked, not emptied: a run that still writes to it is
    not disturbed. Any other file is left alone. Raises OutputError.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._end = 0
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = _open(path)
        except OutputError:
            raise
        except (OSError, ValueError) as error:  # ValueError: a null byte in the name
            reason = getattr(error, "strerror", None) or error
            raise OutputError(
                f"the report {path} cannot be written: {reason}; choose another DST or --report"
            ) from error

    def write(self, line: bytes) -> None:
        """Append a line of `encode_row`. Raises OSError, with the rows before it whole."""
        view = memoryview(line)
        try:
            while view:
                view = view[self._file.write(view) or 0 :]
        except OSError:
            with contextlib.suppress(OSError):  # a pipe cannot be shortened
                self._file.truncate(self._end)
            raise
        self._end += len(line)

    def is_in_place(self) -> bool:
        """Whether the path still names this file, and not one of another run."""
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._file.fileno()))
        except OSError:
            return False

    def close(self) -> None:
        """Raises OSError when the disk has lost what was written."""
        self._file.close()


def _open(path: Path) -> io.FileIO:
    """A new file in the place of an earlier report. Raises OutputError and OSError.

    Created, never truncated: of two runs that begin at once each writes a file of its own.
    """
    while True:
        if path.exists() and not stat.S_ISREG(path.stat().st_mode):
            return io.FileIO(path, "w")  # a pipe or a device
        _refuse_output(path)
        _make_way(path)
        with contextlib.suppress(FileExistsError):  # another run was faster: its turn to go
            return io.FileIO(os.path.realpath(path), "x")


def _refuse_output(path: Path) -> None:
    """Raise OutputError for the file that this program prints to: what it prints would be lost."""
    found = []
    for stream in (1, 2):
        with contextlib.suppress(OSError):  # there is no report yet, or no such stream
            found.append(os.path.samestat(os.stat(path), os.fstat(stream)))
    if any(found):
        raise OutputError(
            f"the report {path} is the file that this program prints to; send one of them elsewhere"
        )


def _make_way(path: Path) -> None:
    """Remove an earlier report. Raises OutputError for a file that is none, and OSError."""
    try:
        with path.open("rb") as file:
            head = file.read(len(HEAD))
    except FileNotFoundError:
        return
    if head and head != HEAD:
        raise OutputError(_NO_REPORT.format(path))
    Path(os.path.realpath(path)).unlink(missing_ok=True)
