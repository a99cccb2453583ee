"""Which palette explains a dump, how much of it, and what the colours are that it lacks."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gpuseg.census.blends import Blends, distances
from gpuseg.census.facts import hex_of
from gpuseg.census.presets import FEW, ORDERS, is_swapped
from gpuseg.census.tally import Tally
from gpuseg.kernels.lut import build_lookup, colour_keys, key_colours
from gpuseg.options import Depth, IndexOptions, Order
from gpuseg.palette import Palette
from gpuseg.palettes.lint import safe_tolerance

ENOUGH = 0.9
"""The share of all pixels that a palette must hold to be chosen."""

CHANCE = 1e-4
"""What each class of a palette counts against the share of pixels that it lacks."""

SHOWN = 32
"""Unknown colours that are looked at, the most frequent first."""

MOST_IMAGES = 8
"""Files that are read again to see where their unknown colours lie."""

MOST_MEASURED = 1 << 20
"""Unknown colours whose distances are measured: a photograph may have millions."""

Why = Literal["rounding", "blend", "other"]

ReadImage = Callable[[str], NDArray[np.uint8] | None]
"""The pixels of a file by its name below SRC, RGB, uint8 (H, W, 3); None where it has none."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A palette and what it explains. order: that of the masks' channels, for this to be so.

    pixels, colours, files: how many are in it; of files, all their colours.
    """

    palette: Palette
    order: Order
    pixels: int
    colours: int
    files: int


@dataclass(frozen=True, slots=True)
class Unknown:
    """A colour that the palette lacks. why, words: what it is. example: a file that has it."""

    key: int
    pixels: int
    files: int
    example: str
    why: Why
    words: str


@dataclass(frozen=True, slots=True)
class Lack:
    """All that a palette lacks.

    colours, pixels: how many. tolerance: the largest at which no colour is within reach of two
    classes. within: pixels of unknown colour that lie so near, None where there are too many
    colours to tell. looked: unknown pixels of the files that were read again, repaired: how many
    of them `--unknown border` repairs. shown: the most frequent.
    """

    colours: int
    pixels: int
    tolerance: float
    within: int | None
    looked: int
    repaired: int
    shown: tuple[Unknown, ...]


def candidates(tally: Tally) -> list[Candidate]:
    """The palettes that explain anything, the best first.

    Those with most pixels, for their classes, and files; as RGB; named by most verdicts.
    """
    known = tally.explaining.keys
    known = known[tally.colour_files[known] > 0]
    pixels = tally.colour_pixels[known].astype(np.int64)
    held = tally.explaining.pixels(known, pixels)
    found = [
        Candidate(
            palette,
            order,
            int(held[number, place, 0]),
            int(held[number, place, 1]),
            tally.files_explained(number, order),
        )
        for number, palette in enumerate(tally.explaining.palettes)
        for place, order in enumerate(ORDERS)
    ]
    return sorted((one for one in found if one.colours), key=lambda one: _rank(one, tally))


def _rank(one: Candidate, tally: Tally) -> tuple[object, ...]:
    """Those that explain all come first; of the others a large palette may do so by chance."""
    lacking = 1 - one.pixels / tally.coloured_pixels
    name = one.palette.name
    order = (one.order == "bgr", -tally.presets[name], len(one.palette), name)
    return (lacking + (CHANCE * len(one.palette) if lacking else 0), -one.files, *order)


def choose(found: list[Candidate], tally: Tally, wanted: Palette | None) -> Candidate | None:
    """The palette to judge by: the one that is wanted, else the best that explains enough."""
    if wanted is not None:
        mine = [c for c in found if c.palette == wanted]
        return mine[0] if mine else Candidate(wanted, "rgb", 0, 0, 0)
    if not found or found[0].colours < FEW or found[0].pixels < ENOUGH * tally.coloured_pixels:
        return None
    best = found[0]
    swapped = next((c for c in found if c.order == "bgr"), best)
    if swapped.pixels == best.pixels and is_swapped(best.palette, swapped.palette, best.colours):
        return swapped
    return best


def find_lack(chosen: Candidate, tally: Tally, read: ReadImage) -> Lack:
    """What a palette lacks, and why masks have it."""
    palette = chosen.palette
    colours = palette.colours if chosen.order == "rgb" else palette.colours[:, ::-1]
    keys, pixels, files = tally.colours()
    lacking = ~np.isin(keys, colour_keys(colours).astype(np.int64))
    keys, pixels, files = keys[lacking], pixels[lacking], files[lacking]
    tolerance = safe_tolerance(palette)
    within = None
    if len(keys) <= MOST_MEASURED:
        within = int(pixels[distances(keys, colours) <= tolerance].sum())
    blends = _blends(keys[:SHOWN], chosen, tally, read)
    rows = zip(keys[:SHOWN].tolist(), pixels.tolist(), files.tolist(), strict=False)
    shown = tuple(
        Unknown(key, count, number, tally.examples.get(key, ""), *_why(key, chosen, blends))
        for key, count, number in rows
    )
    return Lack(
        colours=len(keys),
        pixels=int(pixels.sum()),
        tolerance=tolerance,
        within=within,
        looked=blends.unknown,
        repaired=blends.repaired,
        shown=shown,
    )


def _blends(keys: NDArray[np.int64], chosen: Candidate, tally: Tally, read: ReadImage) -> Blends:
    """What `--unknown border` would do with some files that have these colours."""
    by_file: dict[str, list[int]] = defaultdict(list)
    for key in keys.tolist():
        if key in tally.examples:
            by_file[tally.examples[key]].append(key)
    blends = Blends()
    if by_file and chosen.pixels:
        largest = max(chosen.palette.max_index, chosen.palette.ignore_for(8))
        depth: Depth = 8 if largest < 256 else 16
        lookup = build_lookup(chosen.palette, IndexOptions(depth=depth), chosen.order)
        for name in sorted(by_file, key=lambda name: (-len(by_file[name]), name))[:MOST_IMAGES]:
            image = read(name)
            if image is not None:
                blends.look(image, keys, lookup)
    return blends


def _why(key: int, chosen: Candidate, blends: Blends) -> tuple[Why, str]:
    """What an unknown colour is, and in words."""
    palette = chosen.palette
    colour = key_colours(np.array([key], np.uint32))[0].astype(np.int64)
    if chosen.order == "bgr":
        colour = colour[::-1]
    steps = np.abs(palette.colours.astype(np.int64) - colour).max(axis=1)
    if steps.min() == 1:
        nearest = palette.classes[int(steps.argmin())]
        return "rounding", f"one step beside {nearest.name!r} {nearest.hex}: rounding"
    index = blends.index_of(key)
    if index is not None:
        name = palette.first_by_index()[index].name
        return "blend", f"between two classes where they touch: --unknown border makes it {name!r}"
    return "other", "no rounding, and no blend of classes that touch"


def describe(candidate: Candidate, tally: Tally) -> dict[str, object]:
    """A candidate, for JSON."""
    return {
        "palette": candidate.palette.name,
        "order": candidate.order,
        "pixels": candidate.pixels,
        "pixel_share": candidate.pixels / max(1, tally.coloured_pixels),
        "colours": candidate.colours,
        "files_explained": candidate.files,
    }


def describe_lack(lack: Lack) -> dict[str, object]:
    """What is lacking, for JSON."""
    return {
        "colours": lack.colours,
        "pixels": lack.pixels,
        "safe_tolerance": lack.tolerance,
        "pixels_within": lack.within,
        "pixels_looked_at": lack.looked,
        "pixels_repaired": lack.repaired,
        "shown": [
            {
                "hex": hex_of(one.key),
                "pixels": one.pixels,
                "files": one.files,
                "example": one.example,
                "why": one.why,
                "words": one.words,
            }
            for one in lack.shown
        ],
    }
