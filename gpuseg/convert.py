"""The public way to convert files: folders and lists of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

from gpuseg import __version__
from gpuseg.codecs.limit import size_limit_is_ours
from gpuseg.discover import Listed, Source, Walk, in_shard
from gpuseg.errors import UsageError
from gpuseg.options import ConvertKeywords, ConvertOptions, Shard
from gpuseg.palette import Palette
from gpuseg.pipeline import PerFileFlow
from gpuseg.plan import Job, check_folders, check_target
from gpuseg.pool import Feed, run_threads
from gpuseg.report import Interrupted, Report, ReportWriter

if TYPE_CHECKING:
    from gpuseg.kernels.backend import Backend

StrPath = str | os.PathLike[str]
Progress = Callable[[Report], None]


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
    PaletteError or BackendError before anything is started, and Interrupted (a
    KeyboardInterrupt that holds the report) on Ctrl-C, once the files in hand are finished.
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
    if isinstance(paths, str | bytes | os.PathLike):  # a text is an iterable of its letters
        raise UsageError(f"paths must be a list of files, got {paths!r}; pass [{paths!r}]")
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
    from gpuseg.kernels import backend  # numba and cupy load here, not with `import gpuseg`
    from gpuseg.palettes.load import load_palette

    job = Job.create(dst, load_palette(palette), options)
    chosen = backend.select(options.device)
    path = Path(report) if report is not None else None
    if path is None and not options.dry_run:
        path = default_report(dst, options.shard)
    header = {**_header(chosen.name, chosen.reason), **job.describe()}
    with size_limit_is_ours(), ReportWriter(path, header) as writer:
        writer.report.device = str(chosen)
        if isinstance(sources, Walk):
            writer.report.left_alone = sources.left_alone
        feed = Feed(_of_shard(sources, options))
        work, threads = _flow(feed, job, writer, chosen)
        try:
            run_threads(
                work, threads, feed.close, lambda: progress(writer.report) if progress else None
            )
        except KeyboardInterrupt:
            writer.report.stopped = "interrupted"
            raise Interrupted(writer.report) from None
        if options.fail_fast and writer.report.failed:
            writer.report.stopped = "fail-fast"
    return writer.report


def _flow(
    feed: Feed[Source], job: Job, writer: ReportWriter, chosen: Backend
) -> tuple[Callable[[], None], int]:
    """What each thread runs, and how many threads: a device gets batches, the CPU files."""
    if chosen.name == "cpu":
        return PerFileFlow(feed, job, writer.add).work, job.options.worker_count
    from gpuseg.batched import BatchedFlow

    return BatchedFlow(feed, job, writer.add, chosen).work, 1


def _of_shard(sources: Iterable[Source], options: ConvertOptions) -> Iterator[Source]:
    return (source for source in sources if in_shard(source, options.shard))


def _header(backend: str, reason: str) -> dict[str, Any]:
    return {
        "gpuseg": __version__,
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
        "backend": backend,
        "reason": reason,
    }
