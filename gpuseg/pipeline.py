"""One file all the way: decode, index, encode, write; its data stay in cache."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any

from gpuseg import direct
from gpuseg.batch import Labels
from gpuseg.codecs import label_png, pillow, png
from gpuseg.codecs.opening import ImageFile
from gpuseg.discover import Source
from gpuseg.errors import MaskError, OutputError
from gpuseg.indexing import FilteredLabels, Indexed, index_mask
from gpuseg.mask import DecodedMask, Scanlines
from gpuseg.options import ConvertOptions
from gpuseg.plan import Job
from gpuseg.results import FileResult, Status
from gpuseg.targets import Targets
from gpuseg.task import fetched


@dataclass(slots=True)
class Work:
    """One file on its way: what is known of it so far, for the row of the report."""

    source: Source
    target: str
    mask: DecodedMask | Scanlines | None = None
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

    def fetch(self, max_pixels: int) -> None:
        """Have its bytes at hand, if it lies in a storage, and start the clock."""
        self.resume()
        if (found := fetched(self.source, max_pixels)) is not self.source:
            self.source = found
            self.lap("fetch")

    def failed(self, error: Exception) -> FileResult:
        """The row when `error` ended it."""
        return FileResult.failure(self.source.relative, error, **self._facts())

    def finished(
        self, status: Status, indexed: Indexed, content: bytes | None = None
    ) -> FileResult:
        """The row when it was converted, or would be. content: as in FileResult."""
        return FileResult(
            source=self.source.relative,
            target=self.source.target,
            status=status,
            unknown_pixels=indexed.unknown_pixels,
            unknown_colours=indexed.unknown_colours,
            repaired_pixels=indexed.repaired_pixels,
            content=content,
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


def begin(source: Source, targets: Targets) -> Work | FileResult:
    """Decide about a file: Work if it is to be converted, else its row."""
    if source.error is not None:
        return FileResult.failure(source.relative, source.error)
    work = Work(source, targets.path(source))
    try:
        found = targets.up_to_date(source, work.target)
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


def index(work: Work, job: Job) -> Indexed:
    """Decode and index the file of `work`, by the direct path if that reads it."""
    options = job.options
    if options.codec == "auto":
        with suppress(png.NotDirectError):
            scanlines = read_scanlines(work, job)
            return direct.index_scanlines(scanlines, job.lookup, job.palette, options, work.lap)
    indexed = index_mask(_by_pillow(work, job), job.lookup, job.palette, options)
    work.lap("index")
    return indexed


def read_scanlines(work: Work, job: Job) -> Scanlines:
    """The inflatable scanlines of the file of `work`. Raises NotDirectError or MaskError."""
    work.fetch(job.options.max_pixels)
    work.mask = mask = png.read_scanlines(work.source.image, job.options.max_pixels)
    work.lap("read")
    return mask


def _by_pillow(work: Work, job: Job) -> DecodedMask:
    work.fetch(job.options.max_pixels)
    work.mask = None
    for stage in work.seconds.keys() - {"fetch"}:
        del work.seconds[stage]  # what the direct path took before it gave up is none of this one
    work.mask = mask = pillow.read_mask(work.source.image, job.options.max_pixels)
    work.lap("decode")
    return mask


def finish(work: Work, job: Job, indexed: Indexed) -> FileResult:
    """Encode and write the label map of `work`. Raises OutputError."""
    if job.options.dry_run:
        return work.finished("planned", indexed)
    fingerprint = job.targets.fingerprint(work.source, indexed.unknown_pixels)
    write: Callable[..., bytes] = label_png.write_label
    if job.writes_directly:
        write = direct.encode
    data = write(indexed.labels, job.plte, fingerprint)
    work.lap("encode")
    check = partial(_verify, work, job, indexed.labels) if job.options.verify else None
    content = job.targets.write(work.target, data, check)
    work.lap("write")
    return work.finished("converted", indexed, content)


def _verify(work: Work, job: Job, labels: Labels | FilteredLabels, path: ImageFile) -> None:
    """Read a label map back and compare it. Raises OutputError."""
    work.lap("write")
    read: Callable[[ImageFile, int], tuple[Labels, bytes | None]] = label_png.read_back
    if job.writes_directly:
        read = direct.read_back
    try:
        found, plte = read(path, job.options.max_pixels)
        same = direct.is_equal(found, labels) and plte == job.plte
        problem = "" if same else "it holds other labels or colours"
    except (MaskError, png.NotDirectError) as error:
        problem = str(error)
    work.lap("verify")
    if problem:
        raise OutputError(
            f"{work.target} was written, but reading it back failed ({problem}); it is removed: "
            "check the disk and the memory of this machine"
        )


def convert_source(source: Source, job: Job) -> FileResult:
    """Convert one file; whatever happens becomes its row."""
    work = begin(source, job.targets)
    return work if isinstance(work, FileResult) else complete(work, job)


@dataclass(frozen=True, slots=True)
class Conversion:
    """The task of converting files one by one, on the CPU."""

    job: Job

    @property
    def options(self) -> ConvertOptions:
        """Those of the job."""
        return self.job.options

    def run(self, source: Source) -> FileResult:
        """Convert one file; whatever happens becomes its row."""
        return convert_source(source, self.job)


def complete(work: Work, job: Job) -> FileResult:
    """Convert the file of `work` on this thread; whatever happens becomes its row."""
    try:
        return finish(work, job, index(work, job))
    except Exception as error:  # a file that fails never stops another
        return work.failed(error)
