"""Where a label map is not what its colour mask says, found pixel by pixel."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import Labels
from gpuseg.comparison.meanings import VOID, Meaning
from gpuseg.indexing import colour_pixels
from gpuseg.kernels.lut import colour_keys
from gpuseg.mask import DecodedMask

PIECE = 1 << 18
"""Pixels that are looked at together: some 10 MB of memory, whatever the image."""


@dataclass(frozen=True, slots=True)
class Place:
    """A pixel that is at fault.

    x, y: column and row. colour: key of what stands in the mask. label: what stands in the
    label map. index: what should, None for a colour that has no index.
    """

    x: int
    y: int
    colour: int
    label: int
    index: int | None

    @property
    def hex(self) -> str:
        """The colour as `#rrggbb`."""
        return f"#{self.colour.to_bytes(3, 'little').hex()}"


@dataclass(slots=True)
class Differences:
    """Pixels whose label is not the index of their colour, and the first of each kind.

    wrong: of a colour of the palette. doubtful: of one that may be of the palette or not.
    unknown: of other colours. spare: pixels that are right, and may yet be of unknown colour.
    swapped: those at fault that would be right with red and blue swapped.
    """

    wrong: int = 0
    doubtful: int = 0
    unknown: int = 0
    spare: int = 0
    swapped: int = 0
    first_wrong: Place | None = None
    first_doubtful: Place | None = None
    first_unknown: Place | None = None

    @property
    def pixels(self) -> int:
        """Those that differ, for sure or perhaps; unknown ones may have any label."""
        return self.wrong + self.doubtful

    @property
    def first(self) -> Place | None:
        """The first of these, else the first of unknown colour."""
        places = [place for place in (self.first_wrong, self.first_doubtful) if place is not None]
        return min(places, key=lambda place: (place.y, place.x), default=self.first_unknown)

    def row(self) -> Mapping[str, Any]:
        """Its part of a row: how many pixels differ, and the first of them."""
        row: dict[str, Any] = {"differing_pixels": self.pixels}
        if (place := self.first) is not None:
            row["first"] = {
                "x": place.x,
                "y": place.y,
                "colour": place.hex,
                "label": place.label,
                "index": place.index,
            }
        return row


def find_differences(mask: DecodedMask, labels: Labels, meaning: Meaning) -> Differences:
    """Compare all pixels. labels: of the mask's size. Raises BrokenMaskError for a position
    outside the mask's own palette.
    """
    found = Differences()
    table, depth = meaning.lookup.table, np.uint32(meaning.lookup.depth)
    for start, keys, part in _pieces(mask, labels):
        entries = table[keys].astype(np.uint32)
        shown = part if meaning.shown is None else meaning.shown[part]
        fault = entries != shown
        if VOID in meaning.doubtful:
            found.spare += int(np.count_nonzero(~fault & (keys == VOID)))
        if not fault.any():
            continue
        unknown = entries >> depth > 0
        legal = shown >> depth == 0  # else the label is none of the file's own palette
        doubtful = np.isin(keys, meaning.doubtful) & legal
        kinds = {
            "wrong": fault & ~(unknown & legal) & ~doubtful,
            "doubtful": fault & doubtful,
            "unknown": fault & unknown & legal,
        }
        for kind, at_fault in kinds.items():
            count = int(np.count_nonzero(at_fault))
            if count and not getattr(found, kind):
                at = int(at_fault.argmax())
                y, x = divmod(start + at, mask.width)
                index = None if unknown[at] else int(entries[at])
                place = Place(x, y, int(keys[at]), int(part[at]), index)
                setattr(found, f"first_{kind}", place)
            setattr(found, kind, getattr(found, kind) + count)
        found.swapped += int(np.count_nonzero(fault & (table[_swapped(keys)] == shown)))
    return found


def _pieces(mask: DecodedMask, labels: Labels) -> Iterator[tuple[int, NDArray[np.uint32], Labels]]:
    """Some pixels at a time: the first, the keys of their colours, and their labels, (P,)."""
    flat = labels.reshape(-1)
    for start in range(0, flat.size, PIECE):
        piece = slice(start, start + PIECE)
        if mask.words is not None:
            keys = mask.words.reshape(-1)[piece] & np.uint32(0xFFFFFF)
        else:
            pixels = mask.pixels.reshape(flat.size, *mask.pixels.shape[2:])[piece]
            keys = colour_keys(colour_pixels(replace(mask, pixels=pixels)))
        yield start, keys, flat[piece]


def _swapped(keys: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """Keys with red and blue swapped."""
    red, blue = keys & np.uint32(255), keys >> np.uint32(16)
    swapped: NDArray[np.uint32] = keys & np.uint32(0xFF00) | red << np.uint32(16) | blue
    return swapped
