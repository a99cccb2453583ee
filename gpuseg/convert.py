"""The public way to convert files: folders and lists of them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING, Unpack

from gpuseg.bundles.finding import Bundles
from gpuseg.bundles.flow import ArchivedFlow, Whole
from gpuseg.bundles.pairing import pair
from gpuseg.devices import OPENS, DevicesFlow
from gpuseg.discover import Listed
from gpuseg.errors import UsageError
from gpuseg.finding import Files, find
from gpuseg.folders import check_folders, check_target, real
from gpuseg.options import ConvertKeywords, ConvertOptions
from gpuseg.palette import Palette
from gpuseg.pipeline import Conversion
from gpuseg.plan import Job
from gpuseg.results import Report
from gpuseg.runs import (
    Flow,
    Progress,
    Running,
    StrPath,
    header,
    look_for_collisions,
    make_ready,
    reach_of,
    report_path,
    run,
    seen_by_all,
)
from gpuseg.task import Reach

if TYPE_CHECKING:
    from gpuseg.kernels.backend import Backend


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

    src: a folder, a URL, an archive (.tar, .tar.gz, .zip, .parquet) or many (`{000..099}.tar`).
    dst: likewise; a folder is made if need be. Names keep their stem, suffix `.png`.
    palette: a Palette, the name of a preset, or a palette file.
    report: where the JSON Lines report goes; by default `gpuseg-report.jsonl` in DST
        (a dry run writes none unless asked).
    progress: called about ten times a second with the Report so far.
    options: the fields of `ConvertOptions`.

    A mask that fails becomes a row of the report and stops no other. Raises UsageError,
    PaletteError, BackendError or SchedulerError before anything is started, DeviceError or
    SchedulerError when a device that was asked for, or a cluster, fails in the middle of the run,
    and Interrupted (a KeyboardInterrupt) on Ctrl-C,
    once the files in hand are finished; both hold the report.
    """
    settings = ConvertOptions(**options)
    source, target = (seen_by_all(os.fspath(path), settings) for path in (src, dst))
    files: Files | Bundles | None = pair(source, target, settings)
    if files is None:
        check_folders(source, target)
        files = find(source, settings.pattern, skip=real(target))
    return _convert(files, target, palette, settings, report, progress)


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
    if settings.keep_others or settings.column is not None:
        raise UsageError("keep_others and column are of archives, got files named one by one")
    target = seen_by_all(os.fspath(dst), settings)
    listed = Listed([os.fspath(path) for path in paths])
    check_target(target)
    return _convert(listed, target, palette, settings, report, progress)


def _convert(
    sources: Files | Bundles,
    dst: str,
    palette: Palette | StrPath,
    options: ConvertOptions,
    report: StrPath | None,
    progress: Progress | None,
) -> Report:
    job, chosen = _make_ready(dst, palette, options)
    head = header("convert", sources, dst)
    head |= {"backend": chosen.name, "reason": chosen.reason, **job.describe()}

    def begin(running: Running) -> Flow:
        look_for_collisions(sources, dst, options)
        running.writer.report.device = str(chosen)
        reach, written = reach_of(sources, dst), None if options.dry_run else dst
        if not isinstance(sources, Bundles):
            return _flow(running, job, chosen, reach, written)
        if running.cluster is not None:
            whole = Whole(Conversion(job), sources, job.targets)
            return running.flow(whole, reach=reach, dst=written)
        return ArchivedFlow(
            running.feed,
            sources,
            job.targets,
            running.add,
            lambda feed, add: _flow(running.over(feed, add), job, chosen, reach, written),
            options.worker_count if chosen.name == "cpu" else None,
        )

    if chosen.name == "cuda" and options.scheduler is not None and isinstance(sources, Bundles):
        raise UsageError("archives are converted by the CPUs of a cluster; leave out --device cuda")
    return run(sources, options, report_path(dst, report, options), head, begin, progress)


def _make_ready(
    dst: str, palette: Palette | StrPath, options: ConvertOptions
) -> tuple[Job, Backend]:
    """The job and the backend, with kernels compiled or loaded."""
    made: list[tuple[Job, Backend]] = []

    def work() -> None:
        from gpuseg.kernels import backend  # numba and cupy load here, not with `import gpuseg`
        from gpuseg.palettes.load import load_palette

        job = Job.create(dst, load_palette(palette), options)
        choose = backend.select if options.scheduler is None else backend.select_elsewhere
        made.append((job, choose(options.device, options.codec)))

    make_ready(work)
    return made[0]


def _flow(running: Running, job: Job, chosen: Backend, reach: Reach, dst: str | None) -> Flow:
    """Who converts what the feed holds: devices get batches, the CPU files."""
    if running.cluster is not None or chosen.name == "cpu":
        opens = (*OPENS, 0) if chosen.name == "cuda" else None
        return running.flow(Conversion(job), reach=reach, dst=dst, opens=opens)
    feed, add, writer = running.feed, running.add, running.writer
    if len(chosen.numbers) > 1:
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
