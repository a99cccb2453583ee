"""The flow of the verbs that make one file of another: resumed, atomic, a row each."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any, ClassVar, Protocol

from gpuseg.bundles.finding import Bundles
from gpuseg.bundles.flow import ArchivedFlow, Whole
from gpuseg.bundles.pairing import pair
from gpuseg.codecs.fingerprint import Fingerprint
from gpuseg.discover import Originals, Source
from gpuseg.finding import Files, find, is_file
from gpuseg.folders import check_folders, check_target, real
from gpuseg.options import WriteOptions
from gpuseg.palette import Palette
from gpuseg.palettes.of_run import describe
from gpuseg.pool import Feed
from gpuseg.processes import Add
from gpuseg.results import FileResult, Report
from gpuseg.runs import (
    Flow,
    Progress,
    Running,
    StrPath,
    header,
    look_for_collisions,
    reach_of,
    report_path,
    run,
    seen_by_all,
)
from gpuseg.targets import Targets
from gpuseg.task import row_of

Mark = Callable[[int], Fingerprint]
"""The fingerprint of a target, given how many pixels its row counts as `unknown_pixels`."""


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """What becomes of one file.

    data: the bytes of the target. facts: fields of its FileResult, for instance `width`.
    seconds: of each stage, where there are several.
    """

    data: bytes
    facts: Mapping[str, Any] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class About:
    """What a report says of a run besides its rows.

    head: fields of the head. remark: for the summary. sought: what the files are. unknown: what
    became of the pixels that rows count as unknown.
    """

    head: Mapping[str, Any] = field(default_factory=dict)
    remark: str = ""
    sought: str = "images"
    unknown: str = "of unknown colour were replaced"


class Maker(Protocol):
    """Makes targets. Sent to worker processes by pickle.

    verb: whose targets they are. is_python: nearly all of it is Python, so that several threads
    are slower than one. shaped_by: what shapes the targets besides the sources and the palette of
    `rewrite`; when it changes, targets are made again.
    """

    verb: ClassVar[str]
    is_python: ClassVar[bool]

    @property
    def about(self) -> About:
        """What the report says of the run."""

    @property
    def shaped_by(self) -> tuple[object, ...]:
        """Its repr must tell all of it."""

    def make(self, source: Source, mark: Mark) -> Made:
        """The target of one file. Called from several threads; raises MaskError and the like."""


@dataclass(frozen=True, slots=True, eq=False)
class Rewriting:
    """The task of making a target of each file."""

    targets: Targets
    maker: Maker

    @property
    def options(self) -> WriteOptions:
        """Those of the targets."""
        return self.targets.options

    def run(self, source: Source) -> FileResult:
        """Make one target, if it is not up to date; whatever happens becomes its row."""
        return row_of(source, self._row, self.options.max_pixels)

    def _row(self, source: Source) -> FileResult:
        target = self.targets.path(source)
        found = self.targets.up_to_date(source, target)
        if found is None:
            return self._make(source, target)
        return FileResult(
            source=source.relative,
            target=source.target,
            status="unchanged",
            unknown_pixels=found.unknown,
        )

    def _make(self, source: Source, target: str) -> FileResult:
        start = perf_counter()
        made = self.maker.make(source, partial(self.targets.fingerprint, source))
        seconds = {**made.seconds} or {"make": perf_counter() - start}
        content = None
        if not self.options.dry_run:
            start = perf_counter()
            content = self.targets.write(target, made.data)
            seconds["write"] = perf_counter() - start
        return FileResult(
            source=source.relative,
            target=source.target,
            status="planned" if self.options.dry_run else "converted",
            seconds=seconds,
            content=content,
            **made.facts,
        )


def rewrite(
    src: StrPath,
    dst: StrPath,
    maker: Maker,
    options: WriteOptions,
    palette: Palette | None = None,
    *,
    report: StrPath | None = None,
    progress: Progress | None = None,
) -> Report:
    """Make a target below DST of every file of SRC: a folder, one file or archives.

    Otherwise as `rewrite_sources`.
    """
    source, target = (seen_by_all(os.fspath(path), options) for path in (src, dst))
    sources = _sources(source, target, options)
    return rewrite_sources(
        sources, target, maker, options, palette, report=report, progress=progress
    )


def rewrite_sources(
    sources: Originals | Bundles,
    dst: str,
    maker: Maker,
    options: WriteOptions,
    palette: Palette | None = None,
    *,
    report: StrPath | None = None,
    progress: Progress | None = None,
) -> Report:
    """Make a target below DST of every one of these files.

    palette: that of label maps that are made, with the ignore index that is written; when it
    changes, targets are made again. report, progress: as in `convert_directory`.
    Raises UsageError, OutputError and Interrupted.
    """
    palettes = [palette] if palette is not None else []
    targets = Targets.create(dst, options, (maker.verb, *maker.shaped_by), *palettes)
    task = Rewriting(targets, maker)

    path = report_path(dst, report, options)
    reach = reach_of(sources, dst)

    def begin(running: Running) -> Flow:
        def flow(feed: Feed[Source], add: Add) -> Flow:
            over, alone = running.over(feed, add), maker.is_python
            return over.flow(task, reach=reach, alone=alone, dst=written)

        look_for_collisions(sources, dst, options)
        running.writer.report.remark = maker.about.remark
        running.writer.report.sought = maker.about.sought
        running.writer.report.unknown = maker.about.unknown
        written = None if options.dry_run else dst
        if not isinstance(sources, Bundles):
            return flow(running.feed, running.add)
        if running.cluster is not None:
            return running.flow(Whole(task, sources, targets), reach=reach, dst=written)
        workers = options.worker_count
        return ArchivedFlow(running.feed, sources, targets, running.add, flow, workers)

    head = header(maker.verb, sources, dst) | {"digest": targets.salt.hex(), **maker.about.head}
    if palette is not None:
        head |= describe(palette, palette.ignore_for(8))
    return run(sources, options, path, head, begin, progress)


def _sources(src: str, dst: str, options: WriteOptions) -> Files | Bundles:
    """The files of SRC, once it is known to go together with DST. Raises UsageError."""
    bundles = pair(src, dst, options)
    if bundles is not None:
        return bundles
    if is_file(src):
        check_target(dst)
    else:
        check_folders(src, dst)
    return find(src, options.pattern, skip=real(dst))
