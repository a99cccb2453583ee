"""The report of a run: rows from many threads, counted and written to a JSON Lines file."""

from __future__ import annotations

import contextlib
import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from gpuseg.lines import encode_row, open_lines
from gpuseg.results import FileResult, Report

Tally = Callable[[FileResult], object]
"""Takes each result, one at a time, from any thread."""


class ReportWriter:
    """Counts results from many threads and appends their rows to a JSON Lines file.

    The file starts with a row of type `run`, has one row of type `file` an input, written as
    that file finishes, rows of type `log` now and then, and ends with a row of type `summary`.
    When it cannot be written (a full disk) the run goes on and `report.problem` says so. Raises
    OutputError when it cannot be begun.

    path: of the file, or its URL: it is sent there once the run is over. tally: given each
    result, too.
    """

    def __init__(
        self, path: Path | str | None, header: Mapping[str, Any], tally: Tally | None = None
    ) -> None:
        self.report = Report(path=path)
        self._tally = tally
        self._lock = threading.Lock()
        self._file = open_lines(path) if path is not None else None
        self._write(encode_row({"type": "run", **header}))

    def add(self, result: FileResult, line: bytes | None = None) -> None:
        """Count a result and write its row. Safe to call from any thread.

        line: its row, where a worker process has encoded it.
        """
        if line is None and self._file is not None:
            line = encode_row(result.row())  # before the lock that all workers wait for
        with self._lock:
            self.report.add(result)
            if self._tally is not None:
                self._tally(result)
            if line is not None:
                self._write(line)

    def add_shard(self, worker: str, files: int, seconds: float) -> None:
        """Count what a worker of a cluster has done."""
        with self._lock:
            self.report.workers.add(worker, files, seconds)

    def log(self, message: str) -> None:
        """Write a row of type `log`: what happened to no file in particular. From any thread."""
        line = encode_row({"type": "log", "message": message})
        with self._lock:
            self._write(line)

    def _write(self, line: bytes) -> None:
        if self._file is None:
            return
        try:
            self._file.write(line)
        except OSError as error:
            self._fail(error.strerror or os.strerror(error.errno or 0))

    def _fail(self, problem: str) -> None:
        self.report.problem = (
            f"{self.report.path}: {problem}; all else that was written is whole, so mend that and "
            "run again"
        )
        if self._file is not None:
            file, self._file = self._file, None
            with contextlib.suppress(OSError):  # the same full disk, told once already
                file.close()

    def __enter__(self) -> ReportWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._lock:
            self.report.seconds = time.monotonic() - self.report.started
            if kind is not None and not self.report.stopped:
                interrupted = issubclass(kind, KeyboardInterrupt)
                self.report.stopped = "interrupted" if interrupted else "error"
            if self._file is not None and not self._file.is_in_place():
                self._fail("replaced by another run (give each its own --report)")
            self._write(encode_row(self.report.as_dict()))
            if self._file is not None:
                try:
                    self._file.close()
                except OSError as lost:
                    self._fail(lost.strerror or os.strerror(lost.errno or 0))
                self._file = None
