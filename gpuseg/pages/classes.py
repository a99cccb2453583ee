"""The classes of a page: names, colours, and how much there is of each."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpuseg.frequencies.statistics import ClassStats, Stats
from gpuseg.palette import RGB, VOID_COLOUR, Palette, voc_colormap
from gpuseg.palette_entries import hex_of

MAX_ROWS = 512
"""Classes that a page lists; the rest are counted."""


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class and its bars: lengths of 0 to 100, linear, and by logarithms."""

    entry: ClassStats
    name: str
    hex: str
    pixel_bar: float
    image_bar: float
    pixel_log_bar: float
    image_log_bar: float


@dataclass(frozen=True, slots=True)
class Classes:
    """What indices mean: by a palette, or, without one, by the colours of a file.

    ignore_index: the one that means no class. plte: the palette of a file, None for greyscale,
    whose few lowest greys nobody could tell apart: it is shown in the colours of PASCAL VOC.
    """

    palette: Palette | None
    ignore_index: int
    plte: bytes | None = None

    def name(self, index: int) -> str:
        """The name of an index, for people."""
        entry = self.palette.first_by_index().get(index) if self.palette is not None else None
        if entry is not None:
            return entry.name
        if index == self.ignore_index:
            return "ignore index"
        return f"index {index}" + (", no class" if self.palette is not None else "")

    def colours(self) -> NDArray[np.uint8]:
        """The colour of each index, uint8 (K, 3); an index beyond K is black."""
        if self.palette is None:
            plte = np.frombuffer(self.plte or b"", np.uint8).reshape(-1, 3)
            return plte if len(plte) else voc_colormap()
        entries = self.palette.first_by_index()
        table = np.zeros((max([*entries, self.ignore_index]) + 1, 3), np.uint8)
        table[self.ignore_index] = VOID_COLOUR
        for index, entry in entries.items():
            table[index] = entry.rgb
        return table

    def hexes(self, indices: list[int]) -> dict[int, str]:
        """The colour of some indices as `#rrggbb`."""
        table = self.colours()
        return {index: hex_at(table, index) for index in indices}

    def nearest(self, rgb: RGB) -> tuple[str, str, float] | None:
        """Name, colour and distance in RGB of the nearest class; ties: the one named first."""
        if self.palette is None:
            return None
        apart = self.palette.colours.astype(np.int64) - np.array(rgb)
        squares = (apart**2).sum(1)
        entry = self.palette.classes[int(squares.argmin())]
        return entry.name, entry.hex, math.sqrt(int(squares.min()))


def class_rows(stats: Stats) -> tuple[ClassRow, ...]:
    """The classes that occur, the most frequent first, the ignore index last."""
    seen = [entry for entry in stats.classes if entry.pixels]
    seen.sort(key=lambda entry: (entry.ignored, -entry.pixels, entry.index))
    most = max((entry.pixels for entry in seen), default=1)
    widest = max((entry.images for entry in seen), default=1)
    shown = voc_colormap()
    return tuple(
        ClassRow(
            entry,
            _name(entry, bool(stats.palette)),
            entry.colour or hex_at(shown, entry.index),
            pixel_bar=_bar(entry.pixels / most),
            image_bar=_bar(entry.images / widest),
            pixel_log_bar=_bar(math.log1p(entry.pixels) / math.log1p(most)),
            image_log_bar=_bar(math.log1p(entry.images) / math.log1p(widest)),
        )
        for entry in seen[:MAX_ROWS]
    )


def _name(entry: ClassStats, known: bool) -> str:
    """What a page calls a class. known: whether a palette names it."""
    if entry.is_class:
        return entry.name if known else f"index {entry.index}"
    if entry.ignored:
        return entry.name if known and entry.name else "ignore index"
    return f"index {entry.index}, no class"


def hex_at(table: NDArray[np.uint8], index: int) -> str:
    """The colour of an index as `#rrggbb`, black beyond the table."""
    red, green, blue = table[index].tolist() if index < len(table) else (0, 0, 0)
    return hex_of((red, green, blue))


def _bar(part: float) -> float:
    """Length in hundredths of the longest bar; what is there at all can be seen."""
    return round(max(0.4, 100 * part), 2)
