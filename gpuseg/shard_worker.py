"""What a worker of a cluster does with the shards that it is given; it knows no engine.

Each worker takes a parcel once for a run: the task, and all else that is the same for every
shard. A shard is then a list of files, and comes back as an `Outcome` (see `parcels`).
"""

from __future__ import annotations

import functools
import importlib
import os
import pickle
import threading
import zlib
from collections.abc import Iterator
from time import perf_counter
from typing import Any

from gpuseg import output, storage
from gpuseg.codecs.limit import size_limit_is_ours
from gpuseg.discover import Source
from gpuseg.errors import DeviceError
from gpuseg.garbage import rarely_collected
from gpuseg.lines import encode_row
from gpuseg.parcels import Outcome, Parcel, mismatch, versions
from gpuseg.pool import Feed, run_threads
from gpuseg.results import Aside, FileResult
from gpuseg.task import Task, run_all
from gpuseg.text import count
from gpuseg.worker import Opens


def make_ready() -> tuple[tuple[str, str], str]:
    """Have kernels loaded; `versions`, and why they cannot be used here, if so."""
    from gpuseg.kernels import backend

    return versions(), backend.probe_cpu()


class MissingParcelError(RuntimeError):
    """A worker was given a shard before the parcel of its run, or after it has left that."""


class _Run:
    """A run that this process takes part in."""

    def __init__(self, parcel: Parcel) -> None:
        self.parcel = parcel
        self.left = False
        self._active = 0  # shards in hand
        self._lock = threading.Lock()
        self._task: Task | None = None

    def __enter__(self) -> _Run:
        with self._lock:
            self._active += 1
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._active -= 1
            self._forget()

    def leave(self) -> None:
        """Have shards in hand end; the run is forgotten once they have."""
        with self._lock:
            self.left = True
            self._forget()

    def _forget(self) -> None:
        if self.left and not self._active and self.parcel.token not in _runs:
            output.leave_run(self.parcel.token)

    def task(self) -> Task:
        """The task, unpacked once."""
        with self._lock:
            if self._task is None:
                self._task = pickle.loads(zlib.decompress(self.parcel.task))  # noqa: S301
            return self._task

    def rest(self) -> None:
        """Give back the memory of a task that is not at work: its client may have been killed."""
        with self._lock:
            if not self._active:
                self._task = None

    def problem(self) -> str:
        """Why this process can do nothing for the run, if so."""
        wrong = mismatch(versions(), self.parcel.versions)
        if wrong:
            return wrong
        marker = self.parcel.marker
        if marker is None:
            return ""
        if not os.path.exists(marker):
            return (
                f"does not see {marker}, which this run has just made in DST; use a DST that all "
                "machines share, under one name"
            )
        folder = os.path.dirname(marker)
        if not os.access(folder, os.W_OK):
            return f"may not write to {folder}; mend that, or end this worker"
        return ""


_runs: dict[str, _Run] = {}


def take(parcel: Parcel) -> None:
    """Be part of a run. Cheap, and raises nothing: what is wrong is told with the first shard."""
    output.join_run(parcel.token)
    for run in list(_runs.values()):
        run.rest()
    _runs[parcel.token] = _Run(parcel)


def leave(token: str) -> None:
    """Be no longer part of a run: shards in hand end after the file they are at."""
    run = _runs.pop(token, None)
    if run is not None:
        run.leave()


def run_shard(token: str, shard: bytes, worker: str) -> bytes:
    """Do a shard: a pickled list of Sources; a pickled Outcome.

    Raises MissingParcelError, and what loading a task raises where it cannot be loaded here.
    """
    run = _runs.get(token)
    if run is None:
        raise MissingParcelError(f"worker {worker} has no part in run {token}")
    with run:
        return pickle.dumps(_outcome(run, shard, worker), pickle.HIGHEST_PROTOCOL)


def _outcome(run: _Run, shard: bytes, worker: str) -> Outcome:
    begin = perf_counter()
    problem = run.problem()
    # of another version they may not be read; from the client, by its scheduler
    sources: list[Source] = [] if problem else pickle.loads(shard)  # noqa: S301
    if problem := problem or _blind(sources):
        return Outcome(worker, problem=problem)
    hand = _Hand(run, sources)
    try:
        with size_limit_is_ours(), rarely_collected():
            results = _by_device(run, hand) if run.parcel.opens else _one_by_one(run, hand)
    except DeviceError as error:
        return Outcome(worker, problem=f"has lost its device: {error}")
    done = [(result, _line(result, worker) if run.parcel.lines else None) for result in results]
    seconds = perf_counter() - begin
    return Outcome(worker, seconds, hand.count, done, hand.aside, log=hand.log)


def _blind(sources: list[Source]) -> str:
    """Why SRC does not seem to be there, if so: a worker that sees nothing would be the fastest.

    A file that is alone in its shard may have gone meanwhile, and is a row as everywhere.
    """
    found = [source for source in sources if source.error is None and source.content is None]
    paths = [source.path for source in found if not storage.is_url(source.path)]
    is_single = len(paths) == 1 and os.path.isdir(os.path.dirname(paths[0]))
    if is_single or not paths or any(map(os.path.exists, paths)):  # mostly a look at the first
        return ""
    return (
        f"sees none of the {count(len(paths), 'file')} that it was given, {paths[0]} first; "
        "use a SRC that all machines share, under one name"
    )


class _Hand:
    """Hands out the files of a shard, until there are no more or the run has been left."""

    def __init__(self, run: _Run, sources: list[Source]) -> None:
        self._run, self._sources = run, sources
        self.count = 0
        self.aside = Aside()
        self.log: list[str] = []

    def __iter__(self) -> Iterator[Source]:
        for source in self._sources:
            if self._run.left:
                return
            self.count += 1
            yield source


def _line(result: FileResult, worker: str) -> bytes:
    return encode_row({**result.row(), "worker": worker})


def _one_by_one(run: _Run, hand: _Hand) -> list[FileResult]:
    task = run.task()
    results: list[FileResult] = []
    rows = run_all(task, hand, run.parcel.at_once, hand.aside)
    is_whole = hasattr(task, "run_whole")
    for result in rows:
        results.append(result)
        if is_whole and run.left:  # half of an archive is none: it is discarded
            rows.close()
            hand.count, hand.aside = 0, Aside()
            return []
    return results


def _by_device(run: _Run, hand: _Hand) -> list[FileResult]:
    """Convert a shard in batches. Raises DeviceError."""
    from gpuseg.batched import BatchedFlow

    task: Any = run.task()
    results: list[FileResult] = []
    feed: Feed[Source] = Feed(hand)

    def add(result: FileResult) -> None:
        results.append(result)
        if task.options.fail_fast and result.is_wrong:
            feed.close()

    opens = run.parcel.opens
    assert opens is not None  # noqa: S101  # for mypy
    with _device_lock:
        flow = BatchedFlow(feed, task.job, add, _device(opens), hand.log.append)
        run_threads(flow.work, flow.threads, feed.close, lambda: None)
    if flow.remark:
        hand.log.append(flow.remark)
    return results


_device_lock = threading.Lock()
"""A device takes one shard at a time, whatever number of threads the worker has."""


@functools.lru_cache(maxsize=1)
def _device(opens: Opens) -> Any:
    """The device of this process, opened once."""
    module, name, number = opens
    try:
        return getattr(importlib.import_module(module), name)(number)
    except Exception as error:
        raise DeviceError(f"it cannot be opened: {error}") from error
