"""A JSON Lines file that holds whole lines, whatever happens to the disk or beside it."""

from __future__ import annotations

import contextlib
import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gpuseg.errors import OutputError

HEAD = b'{"type": "run"'
"""What the first row of a report starts with."""


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
            _make_way(path)
            self._file = path.open("wb", buffering=0)
        except OutputError:
            raise
        except (OSError, ValueError) as error:  # ValueError: a null byte in the name
            reason = getattr(error, "strerror", None) or error
            raise OutputError(
                f"the report {path} cannot be written: {reason}; choose another DST or --report"
            ) from error

    def write(self, row: Mapping[str, Any]) -> None:
        """Append a row. Raises OSError, with the rows before it whole."""
        # names that are no UTF-8 arrive as surrogates: JSON escapes keep them readable back
        data = (json.dumps(row) + "\n").encode("ascii")
        view = memoryview(data)
        try:
            while view:
                view = view[self._file.write(view) or 0 :]
        except OSError:
            with contextlib.suppress(OSError):  # a pipe cannot be shortened
                self._file.truncate(self._end)
            raise
        self._end += len(data)

    def is_in_place(self) -> bool:
        """Whether the path still names this file, and not one of another run."""
        try:
            return os.path.samestat(os.stat(self._path), os.fstat(self._file.fileno()))
        except OSError:
            return False

    def close(self) -> None:
        """Raises OSError when the disk has lost what was written."""
        self._file.close()


def _make_way(path: Path) -> None:
    """Remove an earlier report. Raises OutputError for a file that is none, and OSError."""
    if not path.exists() or not stat.S_ISREG(path.stat().st_mode):
        return
    with path.open("rb") as file:
        head = file.read(len(HEAD))
    if head and head != HEAD:
        raise OutputError(
            f"the report {path} would replace a file that is no report of gpuseg; name another "
            "place with --report"
        )
    Path(os.path.realpath(path)).unlink()
