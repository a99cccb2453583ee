"""`verify`: whether label maps are what their colour masks say, pixel by pixel."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from time import perf_counter
from typing import Unpack

from gpuseg import storage
from gpuseg.comparison.comparing import Comparer
from gpuseg.comparison.meanings import Standard
from gpuseg.comparison.pairs import NoSourceError, Pairs
from gpuseg.discover import Source
from gpuseg.errors import UnreadableMaskError, UsageError
from gpuseg.finding import Files, find, is_archive, is_file
from gpuseg.folders import check_folders, check_target, real
from gpuseg.options import Depth, ReadKeywords, ReadOptions
from gpuseg.palette import Palette
from gpuseg.palettes.load import load_palette
from gpuseg.palettes.of_run import describe, palette_of_run
from gpuseg.results import FileResult, Report
from gpuseg.runs import Flow, Progress, Running, StrPath, header, report_place, run, seen_by_all
from gpuseg.task import Reach, row_of


def verify(
    src: StrPath,
    dst: StrPath,
    *,
    palette: Palette | StrPath | None = None,
    ignore_index: int | None = None,
    allow_unknown: bool = False,
    report: StrPath | None = None,
    progress: Progress | None = None,
    **options: Unpack[ReadKeywords],
) -> Report:
    """Compare label maps with the colour masks that they were made of.

    src: a folder of colour masks, or one. dst: the folder of their label maps.
    palette: a Palette, the name of a preset, or a palette file; None takes that of the report
        in DST, else the colours that each label map has itself.
    ignore_index: the one that label maps were made with; None takes the palette's own, else 255.
    allow_unknown: whether pixels of unknown colour may be any number where the label map does
        not report how many there are, because gpuseg did not make it.
    report: a JSON Lines file, none by default. progress: as in `convert_directory`.
    options: the fields of `ReadOptions`.

    A pixel is right when its label is the index of its colour. A colour that is not in the
    palette may have any label, but there must be as many such pixels as the label map reports,
    whose colours must be those of the palette. Without a palette, a pixel is right when its
    label's entry in the label map's own palette has its colour; black and (224, 224, 192),
    which indices without a class have there, may be of the palette or unknown.

    Statuses: `same`, `differs`, `missing` (no label map), `extra` (a PNG in DST that no file of
    SRC maps to; under `shard` those of the shard) and `failed` (a file that cannot be read).
    Raises UsageError, PaletteError, OutputError and Interrupted.
    """
    settings = ReadOptions(**options)
    source, target = os.fspath(src), seen_by_all(os.fspath(dst), settings)
    if settings.column is not None:
        raise UsageError("--column names a column of Parquet files, which verify does not compare")
    sources = _pairs(source, target, settings.pattern)
    known, origin = _palette(palette, target, ignore_index)
    standard = Standard.of(known, ignore_index)
    comparer = Comparer(standard, allow_unknown, settings.max_pixels)
    task = _Verifying(target, comparer, settings)

    path = report_place(report)

    def begin(running: Running) -> Flow:
        remarks = (origin, _NOT_PAIRED if storage.is_url(source) else "")
        running.writer.report.remark = "; ".join(filter(None, remarks))
        return running.flow(task, reach=Reach.of(source))

    head = header("verify", sources, target)
    if known is not None:
        depth: Depth = 16 if standard.plte is None else 8
        head |= describe(known, known.ignore_for(depth, ignore_index))
    return run(sources, settings, path, head, begin, progress)


_NOT_PAIRED = "label maps of no mask were not looked for: SRC is in a storage"


def _pairs(src: str, dst: str, pattern: str | None) -> Pairs | Files:
    """The files to compare. Raises UsageError for what no conversion has for SRC and DST."""
    if storage.is_url(dst):
        raise UsageError(f"DST must be a folder of this machine, got {dst}; fetch the label maps")
    if is_archive(src):
        raise UsageError(
            f"SRC must be a folder or a mask, got {src}, an archive; `convert --verify` compares "
            "as it writes"
        )
    single = is_file(src)
    if single:
        check_target(dst)
    else:
        check_folders(src, dst)
    if not os.path.isdir(dst):
        raise UsageError(f"DST {dst} does not exist; give the folder of the label maps")
    if single or storage.is_url(src):
        return find(src, pattern)
    return Pairs(src, pattern, skip=real(dst), dst=dst)


def _palette(
    palette: Palette | StrPath | None, dst: str, ignore_index: int | None
) -> tuple[Palette | None, str]:
    """The palette that tells what label maps mean, and a remark on where that comes from.

    Raises UsageError for an ignore index that no palette goes with.
    """
    if palette is not None:
        return load_palette(palette), ""
    known = palette_of_run(dst)
    if known is not None:
        return known, f"compared by palette {known.name!r}, which the report in DST names"
    if ignore_index is not None:
        raise UsageError(
            f"ignore_index belongs to a palette, got {ignore_index} with none, and no report in "
            "DST names one; give it with --palette, or leave --ignore-index out"
        )
    return None, "compared by the colours that each label map has itself, for want of a palette"


@dataclass(frozen=True, slots=True)
class _Verifying:
    """The task of comparing each colour mask with its label map."""

    dst: str
    comparer: Comparer
    options: ReadOptions

    def run(self, source: Source) -> FileResult:
        """Compare one mask; whatever happens becomes its row."""
        if isinstance(source.error, NoSourceError):
            return FileResult(
                source=source.relative,
                target=source.relative,
                status="extra",
                message="no file of SRC becomes this label map; remove it, or restore its mask",
            )
        return row_of(source, self._compare, self.options.max_pixels)

    def _compare(self, source: Source) -> FileResult:
        target = os.path.join(self.dst, source.target)
        if not _is_there(target):
            return FileResult(
                source=source.relative,
                status="missing",
                message=f"its label map {source.target} is not in DST; convert it, or see in the "
                "report of the run why it was refused",
            )
        start = perf_counter()
        found = self.comparer.compare(source.image, target)
        mask = found.mask
        return FileResult(
            source=source.relative,
            target=source.target,
            status="differs" if found.problem else "same",
            width=mask.width,
            height=mask.height,
            format=mask.format,
            codec=mask.codec,
            unknown_pixels=found.unknown,
            warnings=mask.warnings,
            details=found.differences,
            message=found.problem,
            seconds={"compare": perf_counter() - start},
        )


def _is_there(target: str) -> bool:
    """Whether there is a file. Raises UnreadableMaskError for what is none: a pipe may wait."""
    try:
        mode = os.stat(target).st_mode
    except FileNotFoundError:
        return False
    except OSError as error:
        raise UnreadableMaskError(f"its label map cannot be opened: {error.strerror}") from error
    if not stat.S_ISREG(mode):
        raise UnreadableMaskError("its label map is a folder, a pipe or a device; remove it")
    return True
