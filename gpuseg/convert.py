"""The public way to convert files: folders and lists of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, Unpack

from gpuseg import __version__
from gpuseg.codecs.limit import size_limit_is_ours
from gpuseg.discover import Listed, Source, Walk, in_shard
from gpuseg.errors import DeviceError, Interrupted, UsageError
from gpuseg.folders import check_folders, check_target, folds_case
from gpuseg.options import ConvertKeywords, ConvertOptions, Shard
from gpuseg.palette import Palette
from gpuseg.plan import Job
from gpuseg.pool import Feed, run_threads
from gpuseg.processes import Add, ProcessFlow
from gpuseg.report import FileResult, Report, ReportWriter

if TYPE_CHECKING:
    from gpuseg.kernels.backend import Backend

StrPath = str | os.PathLike[str]
Progress = Callable[[Report], None]


class Flow(Protocol):
    """Threads that convert what a feed holds: each runs `work`. remark: for the summary."""

    @property
    def threads(self) -> int:
        """How many."""

    @property
    def remark(self) -> str:
        """What else there is to know of the run, once it is over."""

    def work(self) -> None:
        """Convert until there is nothing more."""


def convert_directory(
    src: StrPath,
    dst: StrPath,
    palette: Palette | StrPath,
    *,
    report: StrPath | None = None,
    progress: Progress | None = None,
    **options: Unpack[ConvertKeywords],
) -> Report:
    """Convert every colour mask below a folder into a label map at the same place below DST.

    src: a folder. dst: a folder, made if need be; names keep their stem, suffix `.png`.
    palette: a Palette, the name of a preset, or a palette file.
    report: where the JSON Lines report goes; by default `gpuseg-report.jsonl` in DST
        (a dry run writes none unless asked).
    progress: called about ten times a second with the Report so far.
    options: the fields of `ConvertOptions`.

    A mask that fails becomes a row of the report and stops no other. Raises UsageError,
    PaletteError or BackendError before anything is started, DeviceError when a device that was
    asked for fails in the middle of the run, and Interrupted (a KeyboardInterrupt) on Ctrl-C,
    once the files in hand are finished; both hold the report.
    """
    settings = ConvertOptions(**options)
    source, target = os.fspath(src), os.fspath(dst)
    check_folders(source, target)
    walk = Walk(source, settings.pattern, skip=os.path.realpath(target))
    return _convert(walk, target, palette, settings, report, progress)


def convert_files(
    paths: Iterable[StrPath],
    dst: StrPath,
    palette: Palette | StrPath,
    *,
    report: StrPath | None = None,
    progress: Progress | None = None,
    **options: Unpack[ConvertKeywords],
) -> Report:
    """Convert the files that are named; each label map goes to its file's own name in DST.

    paths: files of any suffix (the content decides), so no `pattern`. All else is as in
        `convert_directory`.
    """
    if isinstance(paths, (str, bytes, os.PathLike)):  # a str would be taken letter by letter
        raise UsageError(f"paths must be a list of files, got one path; pass [{paths!r}]")
    settings = ConvertOptions(**options)
    if settings.pattern is not None:
        raise UsageError(
            f"a pattern chooses files of a folder, got {settings.pattern!r} with files named one "
            "by one; leave it out"
        )
    target = os.fspath(dst)
    listed = Listed([os.fspath(path) for path in paths])
    check_target(target)
    return _convert(listed, target, palette, settings, report, progress)


def default_report(dst: StrPath, shard: Shard) -> Path:
    """Where the report goes when nothing else is said."""
    name = "gpuseg-report"
    if shard.count > 1:
        name += f"-{shard.number:05d}-of-{shard.count:05d}"
    return Path(dst) / f"{name}.jsonl"


def _convert(
    sources: Walk | Listed,
    dst: str,
    palette: Palette | StrPath,
    options: ConvertOptions,
    report: StrPath | None,
    progress: Progress | None,
) -> Report:
    job, chosen = _make_ready(dst, palette, options)
    path = Path(report) if report is not None else None
    if path is None and not options.dry_run:
        path = default_report(dst, options.shard)
    header = {**_header(chosen), **job.describe()}
    with size_limit_is_ours(), ReportWriter(path, header) as writer:
        writer.report.device = str(chosen)
        writer.report.left_alone = sources.left_alone
        if not options.dry_run:
            sources.folds_case = folds_case(dst)
        feed = Feed(_of_shard(sources, options))

        def add(result: FileResult, line: bytes | None = None) -> None:
            writer.add(result, line)
            if options.fail_fast and result.status == "failed":
                feed.close()

        flow = _flow(feed, job, add, chosen, writer)
        try:
            _run(flow, feed.close, writer.report, progress)
        finally:
            writer.report.remark = flow.remark
        if options.fail_fast and writer.report.failed:
            writer.report.stopped = "fail-fast"
        writer.report.missed = options.shard.count == 1 and not writer.report.done
    return writer.report


def _run(flow: Flow, stop: Callable[[], None], report: Report, progress: Progress | None) -> None:
    """Convert all there is; what ends the run early holds the report."""
    try:
        run_threads(flow.work, flow.threads, stop, lambda: progress(report) if progress else None)
    except DeviceError as error:
        error.report = report
        raise
    except KeyboardInterrupt:
        raise Interrupted(report) from None


def _make_ready(
    dst: str, palette: Palette | StrPath, options: ConvertOptions
) -> tuple[Job, Backend]:
    """The job and the backend, with kernels compiled or loaded.

    On a thread of its own, for Ctrl-C must not fall into the compiler: it would print what
    it cannot raise there.
    """
    made: list[tuple[Job, Backend]] = []

    def work() -> None:
        from gpuseg.kernels import backend  # numba and cupy load here, not with `import gpuseg`
        from gpuseg.palettes.load import load_palette

        job = Job.create(dst, load_palette(palette), options)
        made.append((job, backend.select(options.device, options.codec)))

    run_threads(work, 1, stop=lambda: None, tick=lambda: None)
    return made[0]


def _flow(feed: Feed[Source], job: Job, add: Add, chosen: Backend, writer: ReportWriter) -> Flow:
    """Who converts what the feed holds: devices get batches, the CPU files."""
    if chosen.name == "cpu":
        return ProcessFlow(feed, job, add)
    if len(chosen.numbers) > 1:
        from gpuseg.devices import DevicesFlow

        return DevicesFlow(feed, job, add, chosen.numbers, writer.log)
    from gpuseg.kernels import backend

    device = backend.open_device(chosen.numbers[0])
    if job.options.device != "auto":
        from gpuseg.batched import BatchedFlow

        return BatchedFlow(feed, job, add, device, writer.log)
    from gpuseg.choice import MeasuredFlow

    def tell(reason: str) -> None:
        writer.report.device = reason
        writer.log(f"device {reason}")

    return MeasuredFlow(feed, job, add, device, writer.log, tell)


def _of_shard(sources: Iterable[Source], options: ConvertOptions) -> Iterator[Source]:
    return (source for source in sources if in_shard(source, options.shard))


def _header(chosen: Backend) -> dict[str, Any]:
    return {
        "gpuseg": __version__,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "backend": chosen.name,
        "reason": chosen.reason,
    }
