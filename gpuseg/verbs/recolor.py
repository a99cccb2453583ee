"""`recolor`: other colours for label maps, by their palette chunk alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar, Unpack

from gpuseg.codecs import recolouring
from gpuseg.discover import Source
from gpuseg.options import WriteKeywords, WriteOptions
from gpuseg.palette import Palette
from gpuseg.palettes.load import load_palette
from gpuseg.results import Report
from gpuseg.rewriting import About, Made, Mark, rewrite
from gpuseg.runs import Progress, StrPath


def recolor(
    src: StrPath,
    dst: StrPath,
    palette: Palette | StrPath,
    *,
    ignore_index: int | None = None,
    report: StrPath | None = None,
    progress: Progress | None = None,
    **options: Unpack[WriteKeywords],
) -> Report:
    """Give label maps the colours of a palette; their indices stay, and no pixel is decoded.

    src: a folder of label maps, or one. dst: a folder, made if need be; names stay.
    palette: a Palette, the name of a preset, or a palette file.
    ignore_index: the one that gets the void colour unless it is a class; None takes the
        palette's own, else 255.
    report, progress: as in `convert_directory`. options: the fields of `WriteOptions`.

    Takes PNGs with a palette or greyscale of up to 8 bits, interlaced ones too; greyscale becomes
    palette. What is no such file becomes a failed row. The checksums of all chunks are checked.
    Without looking at pixels it cannot be known whether they can be inflated, nor which indices
    there are: one that the palette does not hold becomes black, and `check` finds it.
    Raises UsageError, PaletteError, OutputError, Interrupted.
    """
    table = load_palette(palette)
    table = replace(table, ignore_index=table.ignore_for(8, ignore_index))
    settings = WriteOptions(**options)
    maker = _Recolouring(table.plte(), settings.max_pixels)
    return rewrite(src, dst, maker, settings, table, report=report, progress=progress)


_FACTS = ("width", "height", "warnings")
_AS_EVER = {"format": "PNG", "codec": "png"}


@dataclass(frozen=True, slots=True)
class _Recolouring:
    verb: ClassVar[str] = "recolor"
    is_python: ClassVar[bool] = True
    about: ClassVar[About] = About()

    plte: bytes
    max_pixels: int

    @property
    def shaped_by(self) -> tuple[object, ...]:
        """Nothing but the palette."""
        return ()

    def make(self, source: Source, mark: Mark) -> Made:
        """The same PNG with another palette."""
        data, *facts = recolouring.recolour(source.image, self.plte, mark(0), self.max_pixels)
        return Made(data, dict(zip(_FACTS, facts, strict=True)) | _AS_EVER)
