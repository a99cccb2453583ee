"""`check`: whether files are label maps of a palette, without the masks they were made of."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from time import perf_counter
from typing import Any, Unpack

import numpy as np
from numpy.typing import NDArray

from gpuseg import direct
from gpuseg.batch import Labels
from gpuseg.codecs import png
from gpuseg.codecs.opening import ImageFile
from gpuseg.comparison.meanings import other_colours
from gpuseg.discover import Source
from gpuseg.errors import LabelError, UnsupportedMaskError
from gpuseg.inputs import Inputs
from gpuseg.label_maps import LabelMap, read_label_map
from gpuseg.mask import Scanlines
from gpuseg.options import Depth, IndexOptions, ReadKeywords, ReadOptions
from gpuseg.palette import Palette
from gpuseg.palettes.load import load_palette
from gpuseg.results import FileResult, Report, count
from gpuseg.runs import Progress, StrPath, look
from gpuseg.scratch import Scratch
from gpuseg.task import fetched

SHOWN = 5
"""Strange indices that a message names."""

_labels = Scratch()


def check(
    dst: StrPath,
    palette: Palette | StrPath,
    *,
    ignore_index: int | None = None,
    depth: Depth | None = None,
    any_colours: bool = False,
    report: StrPath | None = None,
    progress: Progress | None = None,
    **options: Unpack[ReadKeywords],
) -> Report:
    """Check that every file is a label map of a palette: its format, colours and indices.

    dst: a folder of label maps, or one. palette: a Palette, the name of a preset, or a palette
        file.
    ignore_index: the index that stands for no class; None takes the palette's own, else 255
        (65535 at 16 bits).
    depth: bits of a label, 8 (palette PNG) or 16 (greyscale PNG); None takes 8 if palette and
        ignore index fit.
    any_colours: check indices only: label maps may have other colours, none, or fewer bits.
    report: a JSON Lines file, none by default. progress: as in `convert_directory`.
    options: the fields of `ReadOptions`.

    Statuses: `read` for a label map that is right, `failed` for any other file; its error is
    `label` where it is whole and yet no such label map.
    Raises UsageError, PaletteError, OutputError and Interrupted.
    """
    settings = ReadOptions(**options)
    IndexOptions(ignore_index=ignore_index, depth=16 if depth is None else depth)  # refuses them
    known = load_palette(palette)
    if depth is None:
        depth = 8 if max(known.max_index, known.ignore_for(8, ignore_index)) < 256 else 16
    known.check_depth(depth, ignore_index)
    rule = Rule(known, depth, known.ignore_for(depth, ignore_index), any_colours)
    task = _Checking(rule, settings)
    sources = Inputs.of([os.fspath(dst)], settings)
    return look(sources, task, verb="check", report=report, progress=progress)


@dataclass(frozen=True)
class Rule:
    """What a label map must be. Fields as the arguments of `check`."""

    palette: Palette
    depth: Depth
    ignore_index: int
    any_colours: bool

    def __reduce__(self) -> tuple[Any, ...]:
        # without what is cached: arrays come out of a pickle writable
        return Rule, (self.palette, self.depth, self.ignore_index, self.any_colours)

    @cached_property
    def allowed(self) -> NDArray[np.bool_]:
        """Which indices a pixel may have: bool (65536,)."""
        found = np.zeros(1 << 16, np.bool_)
        found[[*self.palette.label_indices, self.ignore_index]] = True
        return found

    @cached_property
    def table(self) -> NDArray[np.uint16]:
        """Labels as they are, those flagged that no pixel may have: uint16 (256,), read-only."""
        table = np.arange(256, dtype=np.uint16)
        table[~self.allowed[:256]] |= 1 << 8
        table.flags.writeable = False  # kernels are compiled for that
        return table

    @cached_property
    def plte(self) -> bytes | None:
        """The palette chunk that it must have, None at 16 bits."""
        return self.palette.plte(self.ignore_index) if self.depth == 8 else None

    def of_depth(self, bits: int) -> str:
        """What is wrong with a label map of so many bits; empty if it can hold the indices."""
        wide = self.any_colours and self.depth == 16  # fewer hold indices, too
        if wide or (bits == 16) == (self.depth == 16):
            return ""
        return f"has {bits} bits a pixel, not {self.depth}; check --depth, or convert it again"

    def of_colours(self, plte: bytes | None, bits: int) -> str:
        """What is wrong with the palette chunk of a label map, None for greyscale, or empty."""
        if self.any_colours or self.plte is None:
            return ""
        name = f"palette {self.palette.name!r}"
        if plte is None:
            return f"is greyscale, without the colours of {name}; {_CONVERT}"
        if plte != self.plte[: 3 << bits]:
            other = other_colours(plte, self.plte)
            return (
                f"has {other} of {name}; where its indices are those of the palette, give it the "
                "colours with `gpuseg recolor`"
            )
        return f"has {bits} bits a pixel, not 8; {_CONVERT}" if bits != 8 else ""

    def of_indices(self, labels: Labels) -> str:
        """What is wrong with its indices, uint8 or uint16 (H, W); empty if nothing is."""
        strange = ~self.allowed[labels]
        pixels = int(np.count_nonzero(strange))
        if not pixels:
            return ""
        y, x = divmod(int(strange.argmax()), labels.shape[1])
        indices, counts = np.unique(labels[strange], return_counts=True)
        shown = ", ".join(
            f"{index} ({count(int(n), 'pixel')})"
            for index, n in zip(indices[:SHOWN].tolist(), counts, strict=False)
        )
        more = ", …" if len(indices) > SHOWN else ""
        return (
            f"{count(pixels, 'pixel')} of {labels.size:,} have an index that is neither a class of "
            f"palette {self.palette.name!r} nor the ignore index {self.ignore_index}: {shown}"
            f"{more}; the first, {labels[y, x]}, at x={x} y={y}"
        )


@dataclass(frozen=True, slots=True)
class _Checking:
    """The task of checking each label map."""

    rule: Rule
    options: ReadOptions

    def run(self, source: Source) -> FileResult:
        """Check one file; whatever happens becomes its row."""
        if source.error is not None:
            return FileResult.failure(source.relative, source.error)
        start, facts = perf_counter(), dict[str, Any]()
        try:
            problem = self._problem(fetched(source, self.options.max_pixels).image, facts)
        except Exception as error:  # a file that fails never stops another
            return FileResult.failure(source.relative, error, **facts)
        if problem:
            return FileResult.failure(source.relative, LabelError(problem), **facts)
        seconds = {"check": perf_counter() - start}
        return FileResult(source=source.relative, status="read", seconds=seconds, **facts)

    def _problem(self, path: ImageFile, facts: dict[str, Any]) -> str:
        """What is wrong with a file that is whole. facts: filled with fields of its row."""
        with suppress(png.NotDirectError):
            mask = png.read_scanlines(path, self.options.max_pixels, grey=True)
            facts |= _facts(mask)
            if mask.colours is None:
                return _HOLDS_COLOURS
            plte = None if mask.grey else mask.colours.tobytes()
            form = self.rule.of_depth(mask.bits) or self.rule.of_colours(plte, mask.bits)
            if not form and direct.look_up(mask, self.rule.table, _labels.take) is not None:
                return ""
        try:
            stored = read_label_map(path, self.options.max_pixels)
        except UnsupportedMaskError as error:
            return str(error)
        facts |= _facts(stored)
        if stored.format != "PNG":
            return f"is {stored.format}, a label map is a PNG; convert it again"
        if problem := self.rule.of_depth(stored.bits):
            return problem
        colours = self.rule.of_colours(stored.plte, stored.bits)
        return "; ".join(filter(None, (colours, self.rule.of_indices(stored.labels))))


_HOLDS_COLOURS = (
    "holds colours, not indices; convert it, or check its colours with `gpuseg convert --dry-run`"
)
_CONVERT = "convert it again, or check its indices only with --any-colours"


def _facts(image: Scanlines | LabelMap) -> dict[str, Any]:
    return {
        "width": image.width,
        "height": image.height,
        "format": image.format,
        "codec": image.codec,
    }
