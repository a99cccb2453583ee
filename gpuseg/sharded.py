"""The flow shard by shard: files in lists that the workers of a cluster take.

Which files a shard holds depends on their order only. A few shards a worker are under way at any
time, so neither the plan nor results are ever held whole. A shard whose worker dies is done again
by another (Dask sees to that); one that has lost several is put aside until all else is done,
then halved, one piece at a time in the whole cluster, down to the file that is to blame.
"""

from __future__ import annotations

import pickle
from contextlib import suppress
from dataclasses import dataclass, replace
from os.path import abspath, isabs
from time import monotonic
from typing import TYPE_CHECKING

from gpuseg import output, storage
from gpuseg.discover import Source
from gpuseg.errors import SchedulerError, WorkerError
from gpuseg.parcels import Outcome, Parcel
from gpuseg.pool import Feed
from gpuseg.processes import Add
from gpuseg.report_file import ReportWriter
from gpuseg.results import Aside, FileResult
from gpuseg.shard_worker import MissingParcelError
from gpuseg.task import Task
from gpuseg.worker import Opens

if TYPE_CHECKING:
    from gpuseg.distributed.cluster import Cluster, Finished

FEWEST, MOST = 64, 512
"""Files of a shard: few at first, so that short runs spread; a 64th of those before it, at most."""

AHEAD = 2
"""Shards a thread of the cluster that are under way, so that none waits for us."""

MOST_SUSPECTS = 64
"""Shards that are put aside before they are halved."""

MOST_ERRORS = 3
"""How often one shard may raise, after Dask's own retries."""

ASK = 1.0
"""Seconds between questions for how many workers there are."""

LOG_WAIT, WAIT_LIMIT = 30.0, 600.0
"""Seconds without any worker after which the report says so, and after which the run ends."""

STOP_LIMIT = 20.0
"""Seconds that shards in hand may take to end, once the run is to stop."""

GPU = {"GPU": 1.0}
"""What a shard asks of its worker where a device is wanted (as in Dask's documentation)."""


@dataclass(frozen=True, slots=True)
class Orders:
    """What workers are told besides the task.

    dst: the folder that it writes to, which every worker must see. opens: how they open their
    device, if they are to use one. at_once: files that each has in hand at once.
    """

    dst: str | None = None
    opens: Opens | None = None
    at_once: int = 1


class ShardedFlow:
    """Has what a feed holds done by a cluster; `work` is its one thread."""

    threads = 1

    def __init__(
        self,
        feed: Feed[Source],
        task: Task,
        add: Add,
        *,
        cluster: Cluster,
        writer: ReportWriter,
        orders: Orders = Orders(),
    ) -> None:
        self._feed, self._add = feed, add
        self._cluster, self._writer = cluster, writer
        lines = writer.report.path is not None
        self._parcel = Parcel(
            "", Parcel.packed(task), lines, opens=orders.opens, at_once=orders.at_once
        )
        self._dst = orders.dst
        self._resources = GPU if orders.opens is not None else None
        self._is_whole = hasattr(task, "run_whole")  # each source is many files
        self._number = 0
        self._under_way: dict[int, list[Source]] = {}
        self._again: list[list[Source]] = []  # shards of which some files were not come to
        self._suspects: list[list[Source]] = []  # the next one last
        self._alone = False  # whether what is under way is one suspect
        self._errors = 0
        self._threads, self._asked, self._had_workers = 0, 0.0, monotonic()
        self._logged_wait = 0.0
        self._aside = Aside()

    @property
    def remark(self) -> str:
        """How many members of archives passed through."""
        return self._aside.remark

    def work(self) -> None:
        """Have all files done. Raises SchedulerError."""
        # a token of its own: this process may have several runs at once by the same workers
        with output.new_run() as token, output.marker(self._dst, token) as marker:
            self._parcel = replace(self._parcel, token=token, marker=marker)
            self._run()

    def _run(self) -> None:
        self._cluster.hand_out(self._parcel)
        try:
            while not self._feed.stopped:
                self._look_for_workers()
                while self._has_room and (shard := self._next()):
                    self._submit(shard)
                if not (self._under_way or self._suspects):
                    return
                for ended in self._cluster.finished(ASK):
                    self._take(ended)
            self._stop()
        finally:
            with suppress(SchedulerError):  # told once
                self._cluster.cancel()
                self._cluster.take_back()

    @property
    def _has_room(self) -> bool:
        """Whether another shard may be under way; a suspect is alone, so that it is to blame."""
        if self._alone or self._is_halving:
            return not self._under_way
        return len(self._under_way) <= AHEAD * self._threads

    @property
    def _is_halving(self) -> bool:
        """Whether it is the turn of suspects."""
        return bool(self._suspects) and (
            len(self._suspects) > MOST_SUSPECTS or (self._feed.closed and not self._again)
        )

    def _look_for_workers(self) -> None:
        """Find out how many there are; without any the run waits. Raises SchedulerError."""
        now = monotonic()
        if now - self._asked < ASK:
            return
        self._asked = now
        self._threads = self._cluster.threads(self._resources)
        report = self._writer.report
        if self._threads:
            self._had_workers, report.waiting = now, ""
            return
        wanted = "workers that announce a GPU (--resources GPU=1)" if self._resources else "workers"
        waited = now - self._had_workers
        report.waiting = f"{self._cluster.name} has no {wanted}: waiting for {waited:.0f} s"
        if waited > WAIT_LIMIT:
            raise SchedulerError(
                f"{report.waiting}; start some (`dask worker`), and run again for the rest"
            )
        if waited - self._logged_wait > LOG_WAIT:
            self._logged_wait = waited
            self._writer.log(report.waiting)

    def _next(self) -> list[Source]:
        """The files of the next shard, none where there is nothing to be submitted now."""
        self._alone = self._is_halving
        if self._alone:
            return self._suspects.pop()
        if self._again:
            return self._again.pop()
        if self._is_whole:
            return self._feed.draw_many(1)
        size = min(MOST, max(FEWEST, self._feed.drawn // FEWEST))
        return self._feed.draw_many(size)

    def _submit(self, sources: list[Source]) -> None:
        self._number += 1
        self._under_way[self._number] = sources
        # workers have current folders of their own
        named = [s if _is_full(s.path) else replace(s, path=abspath(s.path)) for s in sources]
        shard = pickle.dumps(named, pickle.HIGHEST_PROTOCOL)
        self._cluster.submit(self._number, shard, self._resources)

    def _take(self, ended: Finished) -> None:
        """Take what became of a shard."""
        sources = self._under_way.pop(ended.number)
        if ended.outcome is not None:
            self._book(ended.outcome, sources)
        elif ended.killed:
            self._suspect(sources)
        elif isinstance(ended.error, MissingParcelError) and self._errors < MOST_ERRORS:
            self._errors += 1
            self._cluster.hand_out(self._parcel)
            self._again.append(sources)
        else:
            raise SchedulerError(
                f"a shard could not be done: {ended.error!r}; files that are finished are kept, "
                "so mend that and run again for the rest"
            )

    def _book(self, outcome: Outcome, sources: list[Source]) -> None:
        if outcome.problem:
            raise SchedulerError(f"worker {outcome.worker} {outcome.problem}")
        for message in outcome.log:
            self._writer.log(f"worker {outcome.worker}: {message}")
        self._writer.add_shard(outcome.worker, len(outcome.results), outcome.seconds)
        for result, line in outcome.results:
            self._add(result, line)
        self._aside.kept += outcome.aside.kept
        self._writer.report.left_alone.update(outcome.aside.left_alone)
        if rest := sources[outcome.done :]:  # the worker is leaving
            self._again.append(rest)

    def _suspect(self, sources: list[Source]) -> None:
        """Put files aside that have lost several workers; halve them where they were alone."""
        if not self._alone:
            self._suspects.append(sources)
        elif len(sources) > 1:
            middle = (len(sources) + 1) // 2
            self._suspects += [sources[middle:], sources[:middle]]
        else:
            told = WorkerError(
                "each worker of the cluster that came to it died; look at its size, and at what "
                "the workers' own logs say (a lack of memory?)"
            )
            self._add(FileResult.failure(sources[0].relative, told))

    def _stop(self) -> None:
        """Have shards in hand end early, and take what they have done."""
        end = monotonic() + STOP_LIMIT
        self._cluster.take_back()
        while self._under_way and monotonic() < end and self._cluster.threads(self._resources):
            for ended in self._cluster.finished(ASK):
                sources = self._under_way.pop(ended.number)
                if ended.outcome is not None and not ended.outcome.problem:
                    self._book(ended.outcome, sources)


def _is_full(path: str) -> bool:
    return isabs(path) or storage.is_url(path)
