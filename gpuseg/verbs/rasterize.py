"""`rasterize`: label maps of the shapes that people drew in annotation tools."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Unpack

from gpuseg import direct, storage
from gpuseg.annotations.format import CHOICES, Format
from gpuseg.annotations.recognising import first_file_of, format_of, recognise
from gpuseg.discover import count_sources
from gpuseg.errors import UsageError
from gpuseg.finding import find, is_archive, is_file
from gpuseg.folders import check_folders, check_target, real
from gpuseg.palette import Palette, voc_colormap
from gpuseg.palettes.load import load_palette
from gpuseg.rasterizing.documents import Documents
from gpuseg.rasterizing.labels import Labels
from gpuseg.rasterizing.maker import Rasterizing
from gpuseg.rasterizing.options import RasterizeKeywords, RasterizeOptions
from gpuseg.rasterizing.records import Records
from gpuseg.results import Report
from gpuseg.rewriting import rewrite_sources
from gpuseg.runs import Progress, StrPath, make_ready, seen_by_all
from gpuseg.text import shell_word


def rasterize(
    annotations: StrPath,
    dst: StrPath,
    palette: Palette | StrPath,
    *,
    report: StrPath | None = None,
    progress: Progress | None = None,
    **options: Unpack[RasterizeKeywords],
) -> Report:
    """Draw label maps of annotations.

    annotations: a file, or a folder of files with one image each. dst: a folder, made if need be.
    palette: whose classes the labels name: a Palette, the name of a preset, or a palette file.
    report, progress: as in `convert_directory`. options: the fields of `RasterizeOptions`.

    Makes 8-bit palette PNGs, 16-bit greyscale at depth 16 and for `instances="16"`.
    Raises UsageError, PaletteError, OutputError, Interrupted.
    """
    table = load_palette(palette)
    settings = RasterizeOptions(**options)
    source, target = (seen_by_all(os.fspath(path), settings) for path in (annotations, dst))
    settings = replace(
        settings, images=_folder("images", settings), masks=_folder("masks", settings)
    )
    _check_archives(source, target, settings)
    format = find_format(source, settings)
    _check_choices(format, settings)
    table.check_depth(settings.depth, settings.ignore_index)
    table = replace(table, ignore_index=table.ignore_for(settings.depth, settings.ignore_index))
    labels = Labels.of(table, format, settings)
    maker = Rasterizing(format, labels, settings, _plte(table, settings), table.digest())
    sources = _sources(source, target, format, settings)
    if isinstance(sources, Records):
        sources.look()
    make_ready(lambda: direct.make_ready(lambda labels: direct.encode(labels, bytes(768))))
    return rewrite_sources(
        sources,
        target,
        maker,
        settings,
        None if settings.instances else table,  # which the pixels of instance maps do not mean
        report=report,
        progress=progress,
    )


def _check_archives(src: str, dst: str, options: RasterizeOptions) -> None:
    """Refuse archives, and options of them. Raises UsageError."""
    for place in (src, dst):
        if is_archive(place, target=place is dst):
            raise UsageError(
                f"annotations are read from files and folders, and label maps of them go to a "
                f"folder, got the archive {place}; unpack it"
            )
    if options.keep_others or options.column is not None:
        raise UsageError("keep_others and column are of archives, which hold no annotations")


def _check_choices(format: Format, options: RasterizeOptions) -> None:
    """Refuse what would change nothing. Raises UsageError."""
    given = [name for name in CHOICES if getattr(options, name) is not None]
    idle = [name for name in given if name not in format.leaves_open]
    if idle:
        known = ", ".join(name for name in CHOICES if name in format.leaves_open) or "none of these"
        raise UsageError(
            f"{' and '.join(idle)} would change nothing: {format.title} leaves open {known}; "
            "do without"
        )


def find_format(source: str, options: RasterizeOptions) -> Format:
    """The format of annotations. Raises UsageError."""
    if options.format != "auto":
        return format_of(options.format)
    if storage.is_url(source):
        raise UsageError(f"the format of {source} is not looked for; name it by --format")
    if not os.path.lexists(source):
        raise UsageError(f"{source} does not exist; give a file or a folder of annotations")
    return recognise(source)


def _sources(src: str, dst: str, format: Format, options: RasterizeOptions) -> Documents | Records:
    """Raises UsageError for places that do not go together."""
    if not is_file(src):
        if format.holds_many:
            raise UsageError(_no_folder(src, format))
        check_folders(src, dst)
        pattern = options.pattern or format.pattern
        hidden = options.pattern is not None
        return Documents(find(src, pattern, skip=real(dst)), format, options, hidden)
    check_target(dst)
    if not format.holds_many:
        return Documents(find(src, options.pattern), format, options, hidden=True)
    if storage.is_url(src):
        raise UsageError(f"annotations of many images are read from this machine, got {src}")
    return Records(src, format, options, options.pattern)


def _no_folder(src: str, format: Format) -> str:
    found = None if storage.is_url(src) else first_file_of(src, format)
    return (
        f"a file in {format.title} holds the annotations of many images, and {src} is a folder; "
        f"name the file{'' if found is None else f', for instance {shell_word(found)}'}"
    )


def count_images(annotations: str, dst: str, options: RasterizeOptions) -> int | None:
    """How many images a run has, None where that takes as long as to look through the file.

    Raises UsageError.
    """
    sources = _sources(annotations, dst, find_format(annotations, options), options)
    return None if isinstance(sources, Records) else count_sources(sources, options.shard)


def _folder(name: str, options: RasterizeOptions) -> str | None:
    """A folder of images or masks in full, as all workers see it. Raises UsageError."""
    folder: str | None = getattr(options, name)
    if folder is None:
        return None
    if not os.path.isdir(folder):  # so for URLs, too
        raise UsageError(f"{name} must be a folder of this machine, got {folder}")
    return os.path.abspath(folder)


def _plte(palette: Palette, options: RasterizeOptions) -> bytes | None:
    """The colours of what is written, None for 16 bits."""
    if options.instances == "palette":
        return voc_colormap(256).tobytes()
    if options.instances == "16" or options.depth == 16:
        return None
    return palette.plte(palette.ignore_for(8))
