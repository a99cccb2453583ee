"""`recolor`: other colours for label maps, by their palette chunk alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Unpack

from gpuseg.codecs import recolouring
from gpuseg.discover import Source
from gpuseg.options import WriteKeywords, WriteOptions
from gpuseg.palette import Palette
from gpuseg.palettes.load import load_palette
from gpuseg.results import Report
from gpuseg.rewriting import Made, Mark, rewrite
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

    An index that the palette does not hold becomes black: `check` finds it. A file that is no
    palette PNG becomes a failed row. Raises UsageError, PaletteError, OutputError, Interrupted.
    """
    table = load_palette(palette)
    table = replace(table, ignore_index=table.ignore_for(8, ignore_index))
    settings = WriteOptions(**options)
    maker = _Recolouring(table.plte(), settings.max_pixels)
    return rewrite(
        "recolor", src, dst, maker, settings, (), table, report=report, progress=progress
    )


@dataclass(frozen=True, slots=True)
class _Recolouring:
    plte: bytes
    max_pixels: int

    def make(self, source: Source, mark: Mark) -> Made:
        """The same PNG with another palette."""
        data, width, height = recolouring.recolour(source.path, self.plte, mark(0), self.max_pixels)
        return Made(data, {"width": width, "height": height, "format": "PNG", "codec": "png"})
