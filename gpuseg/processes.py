"""The flow for the CPU: threads that convert files, and after a while each feeds a process.

Python's lock lets one thread at a time run Python, which small files need for a quarter of
their time: processes scale where threads do not (figures: benchmarks/README.md). But each
takes a second to start, so it is worth while only where much is left to do.

The processes are our own and not those of multiprocessing, which imports the main module of
the program anew in each: a script without `if __name__ == "__main__"` would start itself.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import signal
import subprocess
import sys
import threading
from time import monotonic
from typing import IO, Any, Protocol

from gpuseg.discover import Source
from gpuseg.errors import WorkerError
from gpuseg.pipeline import convert_source
from gpuseg.plan import Job
from gpuseg.pool import Feed
from gpuseg.report import FileResult
from gpuseg.worker import READY, Converted, Request

PATIENCE = 0.3
"""Seconds that a run works on threads alone, to see how fast it is."""

ENOUGH = 1000
"""Files that must be left for processes to be started, and LEFT times those done by then."""

LEFT = 10

TURN = 0.05
"""Seconds of work that a process is given at a time; Ctrl-C waits as long."""

MOST = 256
"""Files that a process is given at a time at most."""

_COMMAND = "import sys; sys.path[:] = sys.argv[1:]; from gpuseg.worker import main; main()"


class Add(Protocol):
    """Takes the row of a file, and its line of the report where that is made already."""

    def __call__(self, result: FileResult, line: bytes | None = None) -> None:
        """Called from any thread."""


class Worker:
    """The parent's end of a worker process. Its methods raise WorkerError once it is dead."""

    def __init__(self, job: Job) -> None:
        if not sys.executable or getattr(sys, "frozen", False):
            raise WorkerError("cannot be started: this program is no Python interpreter")
        paths = [os.path.abspath(path) for path in sys.path]  # '' is the current folder
        apart: dict[str, Any] = {"start_new_session": True}  # Ctrl-C is the parent's to handle
        if os.name == "nt":
            apart = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
        try:
            self._process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-c", _COMMAND, *paths],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                **apart,
            )
        except (OSError, ValueError) as error:  # ValueError: a null byte in a path
            reason = getattr(error, "strerror", None) or error
            raise WorkerError(f"cannot be started: {reason}") from error
        try:
            if self._ask(job) != READY:
                raise WorkerError("did not start")
        except BaseException:
            self.close()
            raise

    def convert(self, request: Request) -> list[Converted]:
        """Convert files; their results, in order."""
        results: list[Converted] = self._ask(request)
        return results

    def close(self) -> None:
        """Let the process end, and wait until it has."""
        with contextlib.suppress(OSError):  # it is dead and its pipe broken
            self._pipe(self._process.stdin).close()
        self._process.wait()
        self._pipe(self._process.stdout).close()

    def _ask(self, message: object) -> Any:
        try:
            stream = self._pipe(self._process.stdin)
            pickle.dump(message, stream, protocol=pickle.HIGHEST_PROTOCOL)
            stream.flush()
            return pickle.load(self._pipe(self._process.stdout))  # noqa: S301  # our own pipe
        except (OSError, EOFError, pickle.UnpicklingError):
            raise WorkerError(f"died: {_cause(self._process.wait())}") from None

    @staticmethod
    def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
        assert stream is not None  # noqa: S101  # for mypy: both are pipes
        return stream


class ProcessFlow:
    """Threads that convert what a feed holds; `work` is one of them."""

    def __init__(self, feed: Feed[Source], job: Job, add: Add) -> None:
        self._feed, self._job, self._add = feed, job, add
        self.threads = job.options.worker_count
        self._deciding = threading.Lock()
        self._enough: bool | None = None  # whether processes are worth while
        self.remark = ""  # why there are no processes, if there should be

    def work(self) -> None:
        """Convert files until there are no more. One such call a thread."""
        self._on_thread(PATIENCE if self.threads > 1 else float("inf"))
        if not self._feed.holds(1):
            return
        with self._deciding:
            if self._enough is None:
                self._enough = self._feed.holds(max(ENOUGH, LEFT * self._feed.drawn))
        worker = self._started() if self._enough else None
        if worker is not None:
            self._by_process(worker)
        if worker is None or self.remark:
            self._on_thread(patience=float("inf"))

    def _started(self) -> Worker | None:
        """A worker; None where there can be none, and threads do the rest."""
        try:
            return Worker(self._job)
        except WorkerError as error:
            self.remark = f"a worker process {error}; threads did its work"
            return None

    def _on_thread(self, patience: float) -> None:
        """Convert files on this thread for so many seconds."""
        until = monotonic() + patience
        while monotonic() < until:
            source = self._feed.draw()
            if source is None:
                return
            self._add(convert_source(source, self._job), None)

    def _by_process(self, worker: Worker | None) -> None:
        """Have files converted by a process, until there are no more or it is lost."""
        count = 1
        try:
            while worker is not None and (sources := self._feed.draw_many(count)):
                start = monotonic()
                try:
                    results = worker.convert(Request(sources))
                except WorkerError:
                    worker.close()
                    worker = self._one_by_one(sources)
                    continue
                for result, line in results:
                    self._add(result, line)
                speed = len(sources) / max(monotonic() - start, 1e-6)
                count = min(max(1, int(speed * TURN)), 2 * count, MOST)
        finally:
            if worker is not None:
                worker.close()

    def _one_by_one(self, sources: list[Source]) -> Worker | None:
        """Find the files that a worker dies over; the others are converted."""
        worker = self._started()
        for source in sources:
            try:
                if worker is None:
                    raise WorkerError("died over this or a file near it, and no other started")
                [(result, line)] = worker.convert(Request([source], again=True))
            except WorkerError as error:
                told = WorkerError(f"a worker process {error}")
                self._add(FileResult.failure(source.relative, told), None)
                if worker is not None:
                    worker.close()
                    worker = self._started()
            else:
                self._add(result, line)
        return worker


def _cause(code: int) -> str:
    if code == -getattr(signal, "SIGKILL", 9):
        return "killed from outside, perhaps for want of memory; use fewer --workers"
    if code < 0:
        return f"killed by signal {-code}"
    return f"ended with code {code}"
