"""`repair`: colour masks with antialiased borders to colour masks of palette colours only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Unpack

import numpy as np

from gpuseg.borders import Repair, find_repair
from gpuseg.colour_masks import encode_colour_mask, read_colour_mask
from gpuseg.discover import Source
from gpuseg.indexing import check_grey, colour_pixels, left_unknown
from gpuseg.kernels.lut import Lookup, build_lookup
from gpuseg.mask import DecodedMask
from gpuseg.options import ConvertOptions, Depth, Grey, WriteKeywords
from gpuseg.palette import Palette
from gpuseg.palettes.load import load_palette
from gpuseg.results import Report, count
from gpuseg.rewriting import About, Made, Mark, rewrite
from gpuseg.runs import Progress, StrPath

_ADVICE = (
    "check --palette, or leave such pixels as they are by --keep-unrepaired",
    "the masks are BGR, save them as RGB",
)


def repair(
    src: StrPath,
    dst: StrPath,
    palette: Palette | StrPath,
    *,
    grey: Grey = "auto",
    keep_unrepaired: bool = False,
    report: StrPath | None = None,
    progress: Progress | None = None,
    **options: Unpack[WriteKeywords],
) -> Report:
    """Repair the antialiased borders of colour masks; the masks go to DST as RGB PNGs.

    A pixel of unknown colour takes the colour of a neighbour where its own lies between those of
    two classes beside it (the rule: `unknown="border"` of `IndexOptions`). All other pixels stay,
    and masks without unknown colours are in DST too.

    src: a folder of colour masks, or one. dst: a folder, made if need be; names keep their stem,
    suffix `.png`. palette: a Palette, the name of a preset, or a palette file.
    grey: how greyscale files are read, as in `ConvertOptions`.
    keep_unrepaired: a mask in which unknown pixels are left fails; with this it is written all
        the same, those pixels as they were and a warning in its row.
    report, progress: as in `convert_directory`. options: the fields of `WriteOptions`.

    In the report `unknown_pixels` are those that were repaired; of a mask that failed, those that
    cannot be. Raises UsageError, PaletteError, OutputError, Interrupted.
    """
    table = load_palette(palette)
    # no label is written, so any depth will do that holds all indices
    depth: Depth = 8 if max(table.max_index, table.ignore_index or 0) < 256 else 16
    settings = ConvertOptions(unknown="border", depth=depth, grey=grey, **options)
    maker = _Repairing(table, build_lookup(table, settings), keep_unrepaired, settings)
    return rewrite(src, dst, maker, settings, report=report, progress=progress)


@dataclass(frozen=True, slots=True)
class _Left:
    """What a row says of a mask that was written with unknown pixels in it."""

    pixels: int

    def row(self) -> Mapping[str, Any]:
        """Its part of the file's row."""
        return {"left_unknown": self.pixels}


@dataclass(frozen=True, slots=True)
class _Repairing:
    verb: ClassVar[str] = "repair"
    is_python: ClassVar[bool] = False
    about: ClassVar[About] = About()

    palette: Palette
    lookup: Lookup
    keep_unrepaired: bool
    options: ConvertOptions

    @property
    def shaped_by(self) -> tuple[object, ...]:
        """The palette, though no target holds it, and the options."""
        return self.palette.digest(), self.options.grey, self.keep_unrepaired

    def make(self, source: Source, mark: Mark) -> Made:
        """The mask with its borders repaired."""
        mask = read_colour_mask(source.image, self.options.max_pixels)
        if mask.grey and self.options.grey == "auto":
            check_grey(mask.pixels, self.palette, self.options)
        pixels = np.require(colour_pixels(mask), None, ["C", "W"])  # Pillow's memory is neither
        found = find_repair(pixels, self.lookup)
        if found.left and not self.keep_unrepaired:
            raise left_unknown(found, mask.width * mask.height, self.palette, _ADVICE)
        found.apply(pixels)
        data = encode_colour_mask(pixels, mark(len(found.places)))
        return Made(data, _facts(mask, found))


def _facts(mask: DecodedMask, found: Repair) -> dict[str, Any]:
    facts = {
        "width": mask.width,
        "height": mask.height,
        "format": mask.format,
        "codec": mask.codec,
        "unknown_pixels": len(found.places),
        "repaired_pixels": len(found.places),
        "unknown_colours": () if found.left else found.colours,
        "warnings": mask.warnings,
    }
    if found.left:
        colours = "; ".join(map(str, found.colours[:3])) + ("; …" if found.colours[3:] else "")
        left = count(found.left, "pixel")
        warning = f"left as they were: {left} of unknown colour: {colours}"
        facts |= {"warnings": (*mask.warnings, warning), "details": _Left(found.left)}
    return facts
