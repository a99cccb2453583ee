"""The flow file by file: threads that do a task, and after a while each feeds a process.

Python's lock lets one thread at a time run Python, which small files need for a good part of
their time: processes scale where threads do not (figures: benchmarks/README.md). But each
takes about a second to start, so it is worth while only where much is left to do.
"""

from __future__ import annotations

import sys
import threading
from itertools import takewhile
from time import monotonic, sleep
from typing import Protocol

from gpuseg.child import Worker
from gpuseg.discover import Source
from gpuseg.errors import WorkerError
from gpuseg.pool import Feed
from gpuseg.results import FileResult
from gpuseg.task import LOCAL, Reach, Task, run_all

PATIENCE = 0.3
"""Seconds that a run works on threads alone, to see how fast it is."""

ENOUGH, TIMES_DONE = 1_000, 20
"""Files that must be left for processes to be started: so many, and that times those done."""

MOST_AHEAD = 20_000
"""Files that are looked ahead for at most to find that out."""

TURN = 0.05
"""Seconds of work that a process is given at a time; Ctrl-C waits as long."""

TURNS = 8
"""Files that are taken together where they wait for a storage, by those in hand at once: at their
end the last one is waited for."""

MOST = 256
"""Files that a process is given at a time at most."""

RESTARTS = 3
"""How often a process is started again, a second apart, after one has died."""


class Add(Protocol):
    """Takes the row of a file, and its line of the report where that is made already."""

    def __call__(self, result: FileResult, line: bytes | None = None) -> None:
        """Called from any thread."""


class ProcessFlow:
    """Threads that do a task with what a feed holds; `work` is one of them.

    lines: whether there is a report; else processes need not make its lines.
    alone: a thread alone is faster than several, for nearly all of the task is Python: the others
    wait until it is known whether processes are worth while. reach: where the files lie.
    """

    def __init__(
        self,
        feed: Feed[Source],
        task: Task,
        add: Add,
        *,
        lines: bool = True,
        alone: bool = False,
        reach: Reach = LOCAL,
    ) -> None:
        self._feed, self._task, self._add, self._lines = feed, task, add, lines
        self._reach = reach
        self.threads = task.options.worker_count
        self._alone, self._leading, self._known = alone, threading.Lock(), threading.Event()
        self._deciding = threading.Lock()
        self._worthwhile: bool | None = None  # whether processes are
        self._drawn_before = feed.drawn
        self.remark = ""  # why there are no processes, if there should be

    def work(self) -> None:
        """Take files until there are no more. One such call a thread."""
        if self._alone and not self._leading.acquire(blocking=False):
            self._known.wait()
            if not self._worthwhile:
                return
        else:
            try:
                if self._is_done_by_thread():
                    return
            finally:
                self._known.set()
        worker = self._started() if self._worthwhile else None
        if worker is not None:
            self._by_process(worker)
        while self._do_one():  # what is left where there is no process
            pass

    def _is_done_by_thread(self) -> bool:
        """Do files on this thread until there are no more, or it is known what to do instead."""
        start = monotonic()
        while self.threads == 1 or monotonic() - start < PATIENCE or not self._is_decided():
            if not self._do_one():
                return True
        return False

    def _is_decided(self) -> bool:
        """Whether it is known if processes are worth while; one thread finds that out."""
        if self._worthwhile is None and self._deciding.acquire(blocking=False):
            done = self._feed.drawn - self._drawn_before
            wanted = min(max(ENOUGH, TIMES_DONE * done), MOST_AHEAD)
            # where compiled code cannot be kept, each process would compile it anew; a task that
            # has compiled nothing yet never will
            jit = sys.modules.get("gpuseg.kernels.jit")
            able = self._reach.shared and (jit is None or jit.is_cached())
            self._worthwhile = able and self._feed.holds(wanted)
        return self._worthwhile is not None

    def _do_one(self) -> bool:
        """Do a file on this thread, or as many as wait at once; False when there are no more."""
        at_once = self._reach.at_once
        if at_once == 1:  # as nearly always: at the least cost
            source = self._feed.draw()
            if source is None:
                return False
            self._add(self._task.run(source))
            return True
        sources = self._feed.draw_many(at_once * TURNS)
        begun = takewhile(lambda _: not self._feed.stopped, sources)
        for result in run_all(self._task, begun, at_once):
            self._add(result)
        return bool(sources)

    def _started(self, attempts: int = 1) -> Worker | None:
        """A worker; None where there can be none, and threads do the rest."""
        problem = ""
        for attempt in range(attempts):
            sleep(attempt)  # what kept one from starting may pass
            try:
                return Worker(self._task, lines=self._lines, reach=self._reach)
            except WorkerError as error:
                problem = str(error)
        self.remark = f"a worker process {problem}; threads did its work"
        return None

    def _by_process(self, first: Worker) -> None:
        """Have files done by a process, until there are no more or none can be started."""
        worker: Worker | None = first
        least = self._reach.at_once * (TURNS if self._reach.at_once > 1 else 1)
        count = least
        try:
            while worker is not None and (sources := self._feed.draw_many(count)):
                start = monotonic()
                try:
                    results = worker.run(sources)
                except WorkerError as error:
                    worker.close()
                    worker = self._one_by_one(sources, error)
                    continue
                for result, line in results:
                    self._add(result, line)
                speed = len(sources) / max(monotonic() - start, 1e-6)
                count = min(max(least, int(speed * TURN)), 2 * count, MOST)
        finally:
            if worker is not None:
                worker.close()

    def _one_by_one(self, sources: list[Source], cause: WorkerError) -> Worker | None:
        """Find the files that a worker dies over; the others are done, or found to be."""
        worker = self._started(RESTARTS)
        for source in sources:
            if worker is None:
                told = WorkerError(
                    f"was not looked at: a worker process {cause}, and no other "
                    "could be started; run again for this file"
                )
                self._add(FileResult.failure(source.relative, told))
                continue
            try:
                results = worker.run([source])
            except WorkerError as error:
                told = WorkerError(f"a worker process {error}")
                self._add(FileResult.failure(source.relative, told))
                worker.close()
                worker = self._started(RESTARTS)
            else:
                for result, line in results:
                    self._add(result, line)
        return worker
