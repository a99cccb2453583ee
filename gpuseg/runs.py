"""One run over the files of a dump: a feed, a flow that empties it, and a report that fills."""

from __future__ import annotations

import itertools
import os
import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from gpuseg import __version__, storage
from gpuseg.archives.braces import common_folder, has_braces
from gpuseg.bundles.finding import Bundles
from gpuseg.codecs.limit import size_limit_is_ours
from gpuseg.discover import Originals, Source, Sources, in_shard
from gpuseg.distributed import cluster_of
from gpuseg.errors import DeviceError, Interrupted, OutputError, SchedulerError, UsageError
from gpuseg.finding import is_archive
from gpuseg.folders import folds_case
from gpuseg.garbage import rarely_collected
from gpuseg.inputs import Inputs
from gpuseg.options import ReadOptions, Shard, WriteOptions
from gpuseg.palettes.of_run import REPORT, read_head
from gpuseg.pool import Feed, run_threads
from gpuseg.processes import Add, ProcessFlow
from gpuseg.report_file import ReportWriter, Tally
from gpuseg.results import FileResult, Report
from gpuseg.task import LOCAL, Reach, Task
from gpuseg.worker import Opens

if TYPE_CHECKING:
    from gpuseg.distributed.cluster import Cluster

StrPath = str | os.PathLike[str]
Progress = Callable[[Report], None]


class Flow(Protocol):
    """Threads that empty a feed: each runs `work`. remark: for the summary."""

    @property
    def threads(self) -> int:
        """How many."""

    @property
    def remark(self) -> str:
        """What else there is to know of the run, once it is over."""

    def work(self) -> None:
        """Go on until there is nothing more."""


WRITING = ("convert", "colorize", "recolor", "remap", "repair", "predict", "rasterize")
"""Verbs that make files; all others look."""


@dataclass(frozen=True, slots=True, eq=False)
class Running:
    """A run that begins: what its flow is made of.

    feed: its files. add: takes their rows. cluster: whose workers do it, if it is not for us.
    """

    feed: Feed[Source]
    add: Add
    writer: ReportWriter
    cluster: Cluster | None = None

    def over(self, feed: Feed[Source], add: Add) -> Running:
        """The same run, of other files and for somebody else."""
        return replace(self, feed=feed, add=add)

    def flow(
        self,
        task: Task,
        *,
        reach: Reach = LOCAL,
        alone: bool = False,
        dst: str | None = None,
        opens: Opens | None = None,
    ) -> Flow:
        """The flow that does a task with the files one by one, here or by the cluster.

        reach: where files lie. alone: as in ProcessFlow. dst: where it writes, if it does.
        opens: how the workers of a cluster open their device, if they are to use one.
        """
        if self.cluster is None:
            lines = self.writer.report.path is not None
            return ProcessFlow(self.feed, task, self.add, lines=lines, alone=alone, reach=reach)
        from gpuseg.sharded import Orders, ShardedFlow

        seen = None if dst is None or storage.is_url(dst) else _folder_of(dst)
        orders = Orders(seen, opens, reach.at_once)
        return ShardedFlow(
            self.feed, task, self.add, cluster=self.cluster, writer=self.writer, orders=orders
        )


def _folder_of(dst: str) -> str:
    """The folder that a local DST is, or lies in."""
    if not is_archive(dst, target=True):
        return dst
    return common_folder(dst) if has_braces(dst) else os.path.dirname(dst)


Begin = Callable[[Running], Flow]  # makes the flow of a run


def look(
    sources: Sources,
    task: Task,
    *,
    verb: str,
    report: StrPath | None = None,
    progress: Progress | None = None,
    tally: Tally | None = None,
) -> Report:
    """Do a task that writes no files with every file.

    verb: for the head of the report. report: its file, if one is wanted. progress: called about
    ten times a second with the Report so far. tally: given each result, one at a time.
    Raises Interrupted on Ctrl-C, and OutputError where the report cannot be begun.
    """
    path = report_place(report)
    reach = Reach.of(*sources.roots)

    def begin(running: Running) -> Flow:
        return running.flow(task, reach=reach)

    return run(sources, task.options, path, header(verb, sources), begin, progress, tally)


def run(
    sources: Sources | Bundles,
    options: ReadOptions,
    path: Path | str | None,
    header: Mapping[str, Any],
    begin: Begin,
    progress: Progress | None = None,
    tally: Tally | None = None,
) -> Report:
    """Have a flow go through all files; returns the report, also written to `path` if given.

    Raises OutputError where the report cannot be begun, or is in the way of a more lasting one,
    UsageError for a place that the workers of a cluster do not see, and SchedulerError: without
    a report where there is no cluster, with one where it is lost.
    """
    if path is not None and not isinstance(options, WriteOptions):
        keep_report(path)
    head = {**header, "shard": str(options.shard), "pattern": options.pattern}
    if options.scheduler is not None:
        _check_seen(sources, header.get("dst"))
        head["scheduler"] = options.scheduler
    with (
        size_limit_is_ours(),
        rarely_collected(),
        cluster_of(options.scheduler) as cluster,
        ReportWriter(path, head, tally) as writer,
    ):
        writer.report.left_alone = sources.left_alone
        holds_more = sources.holds_more if isinstance(sources, Inputs) else None
        feed = Feed(_of_shard(sources, options.shard), holds_more)

        def add(result: FileResult, line: bytes | None = None) -> None:
            writer.add(result, line)
            if options.fail_fast and result.is_wrong:
                feed.close()

        flow = begin(Running(feed, add, writer, cluster))
        try:
            _run(flow, feed.close, writer.report, progress)
        finally:
            writer.report.remark = "; ".join(filter(None, (writer.report.remark, flow.remark)))
        if options.fail_fast and writer.report.failed:
            writer.report.stopped = "fail-fast"
        writer.report.missed = options.shard.count == 1 and not writer.report.done
    return writer.report


def keep_report(path: Path | str, verb: str = "") -> None:
    """Raise OutputError for a report that tells what is in files, but for that of `verb`."""
    head = read_head(path)
    if head is not None and head.get("verb") in WRITING and head["verb"] != verb:
        maker = {"predict": "gpuseg.PredictionWriter"}.get(head["verb"], f"`gpuseg {head['verb']}`")
        raise OutputError(
            f"the report {path} would replace that of {maker}, which tells what became of each "
            "file and by which palette; write to another folder, or name another with --report"
        )


def _check_seen(sources: Sources | Bundles, dst: str | None) -> None:
    """Refuse places that the workers of a cluster would not see, archives that they read, too."""
    read = [sources.src] if isinstance(sources, Bundles) else sources.roots
    for place in filter(None, (*read, dst)):
        if storage.is_url(place) and not storage.is_shared(place):
            raise UsageError(
                f"{place} is in the memory of this process, which the workers of a scheduler do "
                "not see; name a place that they see, or leave the scheduler out"
            )


def make_ready(work: Callable[[], None]) -> None:
    """Do what comes before the first file, for instance have kernels compiled or loaded.

    On a thread of its own, for Ctrl-C must not fall into the compiler: it would print what it
    cannot raise there.
    """
    run_threads(work, 1, stop=lambda: None, tick=lambda: None)


def _run(flow: Flow, stop: Callable[[], None], report: Report, progress: Progress | None) -> None:
    """Go through all there is; what ends the run early holds the report."""
    try:
        run_threads(flow.work, flow.threads, stop, lambda: progress(report) if progress else None)
        if progress is not None:  # what came since the last time, too
            progress(report)
    except (DeviceError, SchedulerError) as error:
        error.report = report
        raise
    except KeyboardInterrupt:
        raise Interrupted(report) from None


def seen_by_all(path: str, options: ReadOptions) -> str:
    """A place as tasks name it: in full for workers that have other current folders."""
    return path if options.scheduler is None else _absolute(path)


def report_path(dst: str, report: StrPath | None, options: WriteOptions) -> Path | str | None:
    """Where the report of a run that writes to DST goes: a dry run writes none unless asked."""
    if report is not None:
        return report_place(report)
    return None if options.dry_run else default_report(dst, options.shard)


def _place(path: str) -> Path | str:
    return path if storage.is_url(path) else Path(path)


def report_place(report: StrPath | None) -> Path | str | None:
    """A report that was named: a path, or a URL, which is none."""
    if isinstance(report, str) and storage.is_url(report):
        return report
    return Path(report) if report is not None else None


def default_report(dst: StrPath, shard: Shard) -> Path | str:
    """Where the report goes when nothing else is said: that of an archive lies beside it."""
    if isinstance(dst, str) and is_archive(dst, target=True):
        if not has_braces(dst):
            return _place(f"{dst}.{REPORT}.jsonl")
        dst = common_folder(dst)
    name = REPORT
    if shard.count > 1:
        name += f"-{shard.number:05d}-of-{shard.count:05d}"
    if isinstance(dst, str) and storage.is_url(dst):
        return storage.join(dst, f"{name}.jsonl")
    return Path(dst) / f"{name}.jsonl"


def reach_of(sources: Originals | Bundles, dst: str) -> Reach:
    """What workers must reach: members of archives come to them, and go back into archives."""
    return Reach.of(*sources.roots, None if is_archive(dst, target=True) else dst)


def look_for_collisions(sources: Originals | Bundles, dst: str, options: WriteOptions) -> None:
    """Have sources know whether DST takes a.png and A.png for one file; makes a folder DST.

    To be called once the report is begun, for where that cannot be nothing is made.
    """
    if not (options.dry_run or storage.is_url(dst) or is_archive(dst, target=True)):
        sources.folds_case = folds_case(dst)


def header(verb: str, sources: Sources | Bundles, dst: str | None = None) -> dict[str, Any]:
    """What the head of every report says besides shard and pattern; folders are absolute."""
    folders = {"src": _absolute(sources.folder)} if sources.folder is not None else {}
    if dst is not None:
        folders["dst"] = _absolute(dst)
    return {
        "gpuseg": __version__,
        "verb": verb,
        **folders,
        "host": platform.node(),
        "started": datetime.now(UTC).isoformat(timespec="milliseconds"),
    }


def _absolute(place: str) -> str:
    return place if storage.is_url(place) else os.path.abspath(place)


def _of_shard(sources: Sources | Bundles, shard: Shard) -> Iterator[Source]:
    """The files of a shard. Archives are few: by turns each shard has as many, as by hash not."""
    if isinstance(sources, Bundles):
        return itertools.islice(sources, shard.number - 1, None, shard.count)
    return (source for source in sources if in_shard(source, shard))
