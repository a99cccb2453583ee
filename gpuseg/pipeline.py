"""The CPU flow: each worker takes one file all the way, so that its data stay in cache."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from gpuseg.codecs import label_png, pillow
from gpuseg.discover import Source
from gpuseg.indexing import Indexed, index_mask
from gpuseg.mask import DecodedMask
from gpuseg.output import write_atomically
from gpuseg.plan import Job
from gpuseg.pool import Feed
from gpuseg.report import FileResult, Status


@dataclass(slots=True)
class Work:
    """One file on its way: what is known of it so far, for the row of the report."""

    source: Source
    target: str
    mask: DecodedMask | None = None
    device: str = "cpu"  # what indexed it
    seconds: dict[str, float] = field(default_factory=dict)
    clock: float = field(default_factory=perf_counter)

    def lap(self, stage: str) -> None:
        """Book the time since the last lap under `stage`."""
        now = perf_counter()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self.clock
        self.clock = now

    def resume(self) -> None:
        """Start the clock again: the file has waited for its turn."""
        self.clock = perf_counter()

    def failed(self, error: Exception) -> FileResult:
        """The row when `error` ended it."""
        unknown = getattr(error, "colours", ())
        return FileResult.failure(
            self.source.relative,
            error,
            unknown_colours=unknown,
            unknown_pixels=getattr(error, "pixels", 0),
            **self._facts(),
        )

    def finished(self, status: Status, indexed: Indexed) -> FileResult:
        """The row when it was converted, or would be."""
        return FileResult(
            source=self.source.relative,
            target=self.source.target,
            status=status,
            unknown_pixels=indexed.unknown_pixels,
            unknown_colours=indexed.unknown_colours,
            **self._facts(),
        )

    def _facts(self) -> dict[str, Any]:
        if self.mask is None:
            return {"seconds": self.seconds}
        mask = self.mask
        return {
            "width": mask.width,
            "height": mask.height,
            "format": mask.format,
            "codec": mask.codec,
            "device": self.device,
            "warnings": mask.warnings,
            "seconds": self.seconds,
        }


def begin(source: Source, job: Job) -> Work | FileResult:
    """Decide about a file: Work if it is to be converted, else its row."""
    if source.error is not None:
        return FileResult.failure(source.relative, source.error)
    work = Work(source, os.path.join(job.dst, source.target))
    try:
        found = job.up_to_date(source, work.target)
    except Exception as error:  # a file that fails never stops another: it may be gone again
        return work.failed(error)
    if found is None:
        return work
    return FileResult(
        source=source.relative,
        target=source.target,
        status="unchanged",
        unknown_pixels=found.unknown,
    )


def decode(work: Work, job: Job) -> DecodedMask:
    """Decode the file of `work`. Raises MaskError."""
    work.mask = pillow.read_mask(work.source.path, job.options.max_pixels)
    work.lap("decode")
    return work.mask


def finish(work: Work, job: Job, indexed: Indexed) -> FileResult:
    """Encode and write the label map of `work`. Raises OutputError."""
    if job.options.dry_run:
        return work.finished("planned", indexed)
    fingerprint = job.fingerprint(work.source, indexed.unknown_pixels)
    data = label_png.write_label(indexed.labels, job.plte, fingerprint)
    work.lap("encode")
    job.folders.prepare(os.path.dirname(work.target))
    write_atomically(work.target, data)
    work.lap("write")
    return work.finished("converted", indexed)


def convert_source(source: Source, job: Job) -> FileResult:
    """Convert one file; whatever happens becomes its row."""
    work = begin(source, job)
    return work if isinstance(work, FileResult) else complete(work, job)


def complete(work: Work, job: Job) -> FileResult:
    """Convert the file of `work` on this thread; whatever happens becomes its row."""
    try:
        mask = decode(work, job)
        indexed = index_mask(mask, job.lookup, job.palette, job.options)
        work.lap("index")
        return finish(work, job, indexed)
    except Exception as error:  # a file that fails never stops another
        return work.failed(error)


class PerFileFlow:
    """Worker threads that each convert whole files drawn from one feed."""

    def __init__(self, feed: Feed[Source], job: Job, add: Callable[[FileResult], None]) -> None:
        self._feed, self._job, self._add = feed, job, add

    def work(self) -> None:
        """Convert files until there are no more. One such call a thread."""
        while (source := self._feed.draw()) is not None:
            self._add(convert_source(source, self._job))
