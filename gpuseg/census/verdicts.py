"""What an image is, in words, and what to do with it: a verdict on its census."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gpuseg.census.encodings import find_encoding, has_small
from gpuseg.census.image import Census
from gpuseg.census.photographs import MANY, TOP, is_photograph, of_the_top
from gpuseg.census.presets import (
    FEW,
    Explaining,
    all_presets,
    find_luma,
    is_swapped,
    match_palette,
    names_of,
)
from gpuseg.kernels.lut import key_colours
from gpuseg.palette import Palette
from gpuseg.palette_entries import hex_of
from gpuseg.results import percent

Code = Literal[
    "colour-mask",
    "colour-mask-bgr",
    "colour-mask-unnamed",
    "binary-mask",
    "blended",
    "label-map",
    "label-map-grey",
    "palette-of-its-own",
    "palette-too-short",
    "grey-colours",
    "luma",
    "id-map",
    "ids-16-bit",
    "transparent",
    "alpha-data",
    "lossy",
    "colours-16-bit",
    "several-frames",
    "photograph",
    "other-kind",
    "damaged",
]
"""Stable words for programs."""

CODES: tuple[Code, ...] = get_args(Code)

LABEL_MAPS: frozenset[Code] = frozenset({"label-map", "label-map-grey"})
"""Files that need no conversion."""

_MANY_INDICES = 150
"""More different indices in one image are no classes but shades."""

_WHITE = 0xFFFFFF

_PANOPTIC = "coco-panoptic"
"""The preset that panoptic ids share colours with: having nearly all of them says nothing."""

_LARGEST = (40, 15, 15)
"""What BDD100K's bitmasks have at most: a class, four attributes, an instance's high byte."""

_SPARE = 2
"""Entries that a palette made for one file may have without a pixel."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """code: stable word. words: what the file is and what to do.

    preset: that fits, if any. encoding: what colours that are numbers encode, see `encodings`.
    """

    code: Code
    words: str
    preset: str = ""
    encoding: str = ""


def judge(census: Census) -> Verdict:
    """What an image is."""
    if census.frames > 1:
        words = f"{census.frames} frames in one file: save the one you want on its own"
        return Verdict("several-frames", words)
    if census.lossy:
        words = f"{census.format}: lossy, its colours are not exact; look for the lossless original"
        return Verdict("lossy", words)
    if not census.is_opaque:
        return _transparent(census)
    if census.kind == "palette":
        return _of_palette(census)
    if census.kind == "grey":
        return _of_grey(census)
    if census.kind == "RGB":
        return _of_colours(census)
    return Verdict("other-kind", f"a {census.kind} image: neither colour mask nor label map")


def _transparent(census: Census) -> Verdict:
    assert census.alpha is not None  # noqa: S101  # for mypy
    alpha = census.alpha
    share = f"{percent(alpha.clear, census.pixels)} of its pixels"
    largest = key_colours(census.values.astype(np.uint32)).max(axis=0)
    is_small = census.kind == "RGB" and (largest <= _LARGEST).all()
    if is_small and alpha.values > 1 and alpha.largest < 255:
        words = (
            f"alpha is no opacity here but data, {alpha.least} to {alpha.largest}: BDD100K's "
            "bitmasks hold the class in R, attributes in G, the instance in B and A; no palette"
        )
        return Verdict("alpha-data", words)
    words = (
        f"transparent in {share}: what colour they have is not what is seen; flatten it onto "
        "the colour you mean, then convert"
    )
    return Verdict("transparent", words)


def _of_palette(census: Census) -> Verdict:
    last, entries = int(census.values[-1]), census.entries
    if last >= entries:
        cut = f"its palette ends at {entries - 1}, its largest index is {last}: the palette was cut"
        words = f"{cut}; recolor gives it another if the indices are right"
        if not entries:
            words = "damaged: a palette image that has no palette; restore it from its source"
        return Verdict("palette-too-short", words)
    ignored = _ignored(census)
    if census.fingerprint is not None:
        unknown = census.fingerprint.unknown
        replaced = f", {unknown:,} pixels of unknown colour replaced" if unknown else ""
        match = match_palette(census.plte or b"")
        named = match.names[0] if match is not None and match.names else ""
        return Verdict("label-map", f"label map made by gpuseg{replaced}{ignored}", named)
    match = match_palette(census.plte or b"")
    if match is not None:
        named = match.names[0] if match.names else ""
        return Verdict("label-map", f"label map, ready: palette is {match}{ignored}", named)
    if len(census.values) > _MANY_INDICES:
        words = f"{len(census.values)} palette colours are in use: a picture, not a label map"
        return Verdict("photograph", words)
    if census.bits < 8 or entries <= len(census.values) + _SPARE:
        return _of_own_palette(census)
    words = f"label map, ready: {entries} palette colours of no preset{ignored}"
    return Verdict("label-map", words)


def _of_own_palette(census: Census) -> Verdict:
    """A palette that holds little more than the colours of this one file."""
    keys, _ = census.colours()
    presets = all_presets()
    found = presets.ranked(presets.bits(keys), "rgb") if len(keys) >= FEW else []
    words = (
        "palette made for this file alone, as programs do that shrink files: an index means "
        "nothing without it; convert it like a colour mask"
    )
    if found:
        words += f" with --palette {found[0].name}, which has its colours at other indices"
    return Verdict("palette-of-its-own", words, found[0].name if found else "")


def _ignored(census: Census) -> str:
    return "; ignore index 255 present" if census.values[-1] == 255 else ""


def _of_grey(census: Census) -> Verdict:
    values = census.values
    if census.bits > 8:
        return _of_deep_grey(census)
    if set(values.tolist()) == {0, 255}:
        words = (
            "binary mask, 0 and 255 in greyscale: one class; --grey colours takes it for colours"
        )
        return Verdict("binary-mask", words)
    if len(values) > _MANY_INDICES:
        words = f"{len(values)} shades of grey: a picture, not a label map"
        return Verdict("photograph", words)
    preset = find_luma(values)
    if preset is not None:
        shown = ", ".join(map(str, values[:6].tolist()))
        words = (
            f"its values ({shown}) are the brightness of the colours of {preset.name}: a palette "
            "image or colour mask was read as greyscale; go back to its source"
        )
        return Verdict("luma", words, preset.name)
    if len(values) > 1 and not has_small(values):
        words = (
            "greys rather than indices: a colour mask in greyscale; "
            "convert --grey colours with a palette of its greys"
        )
        return Verdict("grey-colours", words)
    words = f"label map in greyscale, ready, without colours{_ignored(census)}"
    return Verdict("label-map-grey", words)


def _of_deep_grey(census: Census) -> Verdict:
    least, largest = int(census.values[0]), int(census.values[-1])
    if len(census.values) > 4096:
        words = (
            f"{census.bits}-bit greyscale with {len(census.values):,} values: depth or a picture"
        )
        return Verdict("photograph", words)
    fits = "they fit into 8 bits" if largest <= 255 else "instances or original ids, perhaps"
    words = f"{census.bits}-bit greyscale: {len(census.values)} ids, {least} to {largest:,}; {fits}"
    return Verdict("ids-16-bit", words)


def _of_colours(census: Census) -> Verdict:
    keys, counts = census.values, census.counts
    if census.bits > 8:
        return Verdict("colours-16-bit", "16 bits a channel: colours must be 8-bit RGB")
    if len(keys) == 2 and set(keys.tolist()) == {0, _WHITE}:
        words = "binary mask, black and white: one class; convert with a palette of these two"
        return Verdict("binary-mask", words)
    presets = all_presets()
    verdict = _of_explained(presets.bits(keys), len(keys))
    if verdict is not None:
        return verdict
    is_picture = is_photograph(counts)
    nearly = _nearly(presets, keys, counts) if not is_picture else ("", "")
    encoding = find_encoding(keys) if nearly[1] in ("", _PANOPTIC) else None
    if encoding is not None:
        words = f"numbers, not colours of classes: {encoding.words}"
        return Verdict("id-map", words, encoding=encoding.code)
    if is_picture:
        words = f"{len(keys):,} colours, none of them common: a photograph, not a mask"
        return Verdict("photograph", words)
    return _of_unnamed_colours(counts, nearly)


@lru_cache(maxsize=1024)  # a dump has few sets of colours
def _of_explained(bits: int, colours: int) -> Verdict | None:
    """The verdict on a mask of so many colours that presets explain, if any do."""
    presets = all_presets()
    named, swapped = presets.ranked(bits, "rgb"), presets.ranked(bits, "bgr")
    few = colours < FEW
    if named and not (swapped and not few and is_swapped(named[0], swapped[0], colours)):
        words = f"colour mask: {_explain(named, colours)}; convert it"
        if few:
            return Verdict("colour-mask", f"{words}, but so few do not tell with which")
        return Verdict("colour-mask", words, named[0].name)
    if swapped and not few:
        words = (
            f"colour mask with red and blue exchanged: {names_of(swapped)} explains it so; "
            "save it as RGB, then convert"
        )
        return Verdict("colour-mask-bgr", words, swapped[0].name)
    return None


def _explain(named: list[Palette], colours: int) -> str:
    if colours < FEW:
        return f"{names_of(named)} {'has' if len(named) == 1 else 'have'} its {_count(colours)}"
    others = f" (also {names_of(named[1:], 3)})" if len(named) > 1 else ""
    return f"{named[0].name} has all its {_count(colours)}{others}"


def _count(colours: int) -> str:
    return f"{colours} colours" if colours != 1 else "one colour"


def _of_unnamed_colours(counts: NDArray[np.int64], nearly: tuple[str, str]) -> Verdict:
    """The verdict on a mask by pixels of each colour; nearly: as from `_nearly`."""
    if len(counts) > MANY:
        share = percent(of_the_top(counts), int(counts.sum()))
        words = (
            f"{len(counts):,} colours, {share} of the pixels in the commonest {TOP}: a mask "
            f"blended by antialiasing, resizing or JPEG{nearly[0]}; look for the original, or "
            "convert with --unknown nearest"
        )
        return Verdict("blended", words, nearly[1])
    words = (
        f"colour mask, {_count(len(counts))} that no preset holds together{nearly[0]}; convert it "
        "with the palette of its data set (gpuseg scan --propose writes one)"
    )
    return Verdict("colour-mask-unnamed", words, nearly[1])


def _nearly(
    presets: Explaining, keys: NDArray[np.int64], counts: NDArray[np.int64]
) -> tuple[str, str]:
    """What to say of the preset that explains nearly all, and its name."""
    best, pixels, lacking = presets.nearest(keys, counts)
    if pixels < 0.9 * counts.sum() or len(keys) - len(lacking) < FEW:
        return "", ""
    share = percent(pixels, int(counts.sum()))
    shown = key_colours(lacking[:3].astype(np.uint32)).tolist()
    colours = ", ".join(hex_of(colour) for colour in shown)
    return f"; {best.name} has {share} of its pixels, but not {colours}", best.name
