"""From a decoded mask to its label map: which kernel runs, and what unknown colours mean."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import Labels
from gpuseg.borders import Repair, find_repair
from gpuseg.errors import BrokenMaskError, UnknownColourError, UnsupportedMaskError
from gpuseg.kernels.lut import Lookup
from gpuseg.kernels.unknown import find_unknown
from gpuseg.mask import DecodedMask
from gpuseg.options import ConvertOptions, IndexOptions
from gpuseg.palette import Palette
from gpuseg.results import UnknownColour, count, percent
from gpuseg.scratch import Scratch

_ADVICE = (
    "check --palette, or use --unknown ignore or nearest",
    "the masks are BGR, save them as RGB",
)
_BORDER_ADVICE = ("check --palette, or use --unknown border-ignore", _ADVICE[1])


@dataclass(frozen=True, slots=True, eq=False)
class FilteredLabels:
    """A label map as the scanlines of its PNG: uint8 (H, 1 + W), see `kernels.filters`."""

    lines: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Indexed:
    """A label map, uint8 or uint16 (H, W) or as scanlines, and what was replaced in it.

    repaired_pixels: of the unknown ones, those that took the class of a neighbour.
    """

    labels: Labels | FilteredLabels
    unknown_pixels: int = 0
    unknown_colours: tuple[UnknownColour, ...] = ()
    repaired_pixels: int = 0


_scratch = Scratch()


def index_mask(
    mask: DecodedMask, lookup: Lookup, palette: Palette, options: ConvertOptions
) -> Indexed:
    """Label map of a mask, by the CPU kernels; valid until this thread indexes the next one.

    Raises UnknownColourError when the policy refuses a colour, UnsupportedMaskError for
    greyscale that may be finished indices, BrokenMaskError for a palette position outside
    the file's own palette.
    """
    from gpuseg.kernels import cpu  # numba is loaded when the first mask is converted

    shape, dtype = (mask.height, mask.width), lookup.label_dtype
    memory = _scratch.take(mask.height * mask.width * dtype().itemsize)
    labels: Labels = memory.view(dtype).reshape(shape)
    if mask.words is not None:
        found = cpu.index_words(mask.words.reshape(-1), lookup.table, labels.reshape(-1))
        return judge(mask.pixels, labels, found, lookup, palette, options)
    if mask.colours is None:
        unknown = np.zeros(1, np.int64)
        offsets = np.array([0, labels.size])
        pixels = mask.pixels.reshape(-1)
        cpu.index_pixels(pixels, offsets, lookup.table, labels.reshape(-1), unknown)
        return judge(mask.pixels, labels, int(unknown[0]), lookup, palette, options)
    if mask.grey and options.grey == "auto":
        check_grey(mask.pixels, palette, options)
    entries = lookup.entries(mask.colours)
    found = cpu.index_positions(mask.pixels.reshape(-1), entries, labels.reshape(-1))
    if not found:
        return Indexed(labels)
    return judge(colour_pixels(mask), labels, found, lookup, palette, options)


def colour_pixels(mask: DecodedMask) -> NDArray[np.uint8]:
    """The pixels of a mask in RGB, uint8 (H, W, 3).

    Raises BrokenMaskError for a palette position outside the file's own palette.
    """
    if mask.colours is None:
        return mask.pixels
    last = int(mask.pixels.max(initial=0))
    if last >= len(mask.colours):
        raise BrokenMaskError(
            f"has a pixel of palette entry {last}, its palette ends at {len(mask.colours) - 1}; "
            "restore the file from its source"
        )
    return mask.colours[mask.pixels]


def judge(
    pixels: NDArray[np.uint8],
    labels: Labels,
    unknown: int,
    lookup: Lookup,
    palette: Palette,
    options: IndexOptions,
) -> Indexed:
    """Accept a label map whose mask, uint8 (H, W, 3), had `unknown` pixels, or refuse it.

    Unknown pixels on borders are repaired here, if they are to be. Raises UnknownColourError with
    the most frequent of the refused colours.
    """
    if not unknown:
        return Indexed(labels)
    if options.repairs_borders:
        repair = find_repair(pixels, lookup)
        if repair.left and options.unknown == "border":
            raise left_unknown(repair, labels.size, palette, _BORDER_ADVICE)
        repair.apply(labels)
        repaired = len(repair.places)
        return Indexed(labels, repaired + repair.left, repair.colours, repaired)
    colours, total, refused = find_unknown(pixels, lookup)
    if refused:
        raise refusal(colours, refused, labels.size, palette, _ADVICE)
    return Indexed(labels, total, colours)


def check_grey(pixels: NDArray[np.uint8], palette: Palette, options: IndexOptions) -> None:
    """Refuse greyscale whose values may be finished class indices instead of colours.

    They are taken for colours where all of them are greys of the palette and either not all
    of them are indices, or both readings give the same label map. Raises UnsupportedMaskError.
    """
    values = np.flatnonzero(np.bincount(pixels.reshape(-1), minlength=256)).tolist()
    index_of = {entry.rgb: entry.index for entry in palette.classes}
    read = [index_of.get((value, value, value)) for value in values]
    if read == values:
        return
    indices = {*palette.label_indices, palette.ignore_for(options.depth, options.ignore_index)}
    shown = ", ".join(map(str, values[:8])) + (" …" if len(values) > 8 else "")
    if indices.issuperset(values):
        raise UnsupportedMaskError(
            f"is greyscale that looks like finished class indices ({shown}), not colours; if it "
            "is, it needs no conversion, only a palette; if these are grey colours, use "
            "--grey colours"
        )
    if None in read:
        raise UnsupportedMaskError(
            f"is greyscale with values ({shown}) that are neither all greys nor all indices of "
            f"palette {palette.name!r}; check --palette; if these are grey colours, use "
            "--grey colours, and the others are unknown colours as in any mask"
        )


def refusal(
    colours: tuple[UnknownColour, ...],
    refused: int,
    pixels: int,
    palette: Palette,
    advice: tuple[str, str],
    besides: str = "",
) -> UnknownColourError:
    """The error of a mask with `refused` of `pixels` pixels outside the palette.

    colours: the most frequent of them. advice: what to do, and what to do when the colours
    are those of the palette with red and blue swapped. besides: what else to say of the pixels.
    """
    shown = "; ".join(str(colour) for colour in colours[:3])
    more = "; …" if len(colours) > 3 else ""
    known = {entry.rgb for entry in palette.classes}
    otherwise, swapped = advice
    hint = otherwise
    if all(colour.rgb[::-1] in known for colour in colours):
        hint = f"with red and blue swapped they are in it: {swapped}"
    elif refused > pixels / 2:
        hint = f"this looks like the wrong palette (gpuseg scan tells which fits); {otherwise}"
    return UnknownColourError(
        f"{refused:,} of {pixels:,} pixels ({percent(refused, pixels)}) have a colour that is not "
        f"in palette {palette.name!r}{besides}: {shown}{more}; {hint}",
        colours,
        refused,
    )


def left_unknown(
    repair: Repair, pixels: int, palette: Palette, advice: tuple[str, str]
) -> UnknownColourError:
    """The error of a mask of `pixels` pixels whose borders cannot all be repaired.

    advice: as in `refusal`.
    """
    besides = ", nor between the colours of two classes beside it"
    if others := len(repair.places):
        besides += f" ({count(others, 'other')} could be repaired)"
    return refusal(repair.colours, repair.left, pixels, palette, advice, besides)
