"""The classes of a page: names, colours, and how much there is of each."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpuseg.palette import RGB, Palette

MAX_ROWS = 512
"""Classes that a page lists; the rest are counted."""

VOID = (224, 224, 192)
"""What the ignore index is painted with unless it is a class: the void colour of PASCAL VOC."""


@dataclass(frozen=True, slots=True)
class ClassRow:
    """One class. share: of the pixels that count, None for the ignore index.

    pixel_bar, image_bar: lengths of 0 to 100, linear; the others by logarithms.
    """

    index: int
    name: str
    hex: str
    pixels: int
    images: int
    share: float | None
    image_share: float
    pixel_bar: float
    image_bar: float
    pixel_log_bar: float
    image_log_bar: float


@dataclass(frozen=True, slots=True)
class ClassTable:
    """All classes: those that occur, the most frequent first, and those that never do.

    strange: indices that occur and are no class of the palette. pixels: that count.
    """

    rows: tuple[ClassRow, ...]
    absent: tuple[tuple[str, str], ...]
    strange: tuple[int, ...]
    more: int
    pixels: int
    images: int


@dataclass(frozen=True, slots=True)
class Classes:
    """What indices mean: by a palette, or, without one, by the colours of a file.

    ignore_index: the one that means no class.
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

    def is_strange(self, index: int) -> bool:
        """Whether an index is neither a class of the palette nor the ignore index."""
        if self.palette is None or index == self.ignore_index:
            return False
        return index not in self.palette.first_by_index()

    def colours(self) -> NDArray[np.uint8]:
        """The colour of each index, uint8 (K, 3); an index beyond K is black."""
        if self.palette is None:
            return np.frombuffer(self.plte or _GREYS, np.uint8).reshape(-1, 3)
        entries = self.palette.first_by_index()
        table = np.zeros((max([*entries, self.ignore_index]) + 1, 3), np.uint8)
        table[self.ignore_index] = VOID
        for index, entry in entries.items():
            table[index] = entry.rgb
        return table

    def hexes(self, indices: list[int]) -> dict[int, str]:
        """The colour of some indices as `#rrggbb`."""
        table = self.colours()
        black = (0, 0, 0)
        return {
            i: "#{:02x}{:02x}{:02x}".format(*(table[i].tolist() if i < len(table) else black))
            for i in indices
        }

    def nearest(self, rgb: RGB) -> tuple[str, str, float] | None:
        """Name, colour and distance in RGB of the nearest class; ties: the one named first."""
        if self.palette is None:
            return None
        apart = self.palette.colours.astype(np.int64) - np.array(rgb)
        squares = (apart**2).sum(1)
        entry = self.palette.classes[int(squares.argmin())]
        return entry.name, entry.hex, math.sqrt(int(squares.min()))


_GREYS = bytes(value for value in range(256) for _ in range(3))


def class_table(
    classes: Classes, pixels: Mapping[int, int], images: Mapping[int, int], total: int
) -> ClassTable:
    """The classes with what was counted of each. total: how many label maps were read."""
    counted = sum(count for index, count in pixels.items() if index != classes.ignore_index)
    order = sorted(pixels, key=lambda i: (i == classes.ignore_index, -pixels[i], i))
    shown = order[:MAX_ROWS]
    colours = classes.hexes(shown)
    most, widest = max(pixels.values(), default=1), max(images.values(), default=1)
    rows = tuple(
        ClassRow(
            index=i,
            name=classes.name(i),
            hex=colours[i],
            pixels=pixels[i],
            images=images[i],
            share=pixels[i] / counted if i != classes.ignore_index else None,
            image_share=images[i] / total,
            pixel_bar=_bar(pixels[i] / most),
            image_bar=_bar(images[i] / widest),
            pixel_log_bar=_bar(math.log1p(pixels[i]) / math.log1p(most)),
            image_log_bar=_bar(math.log1p(images[i]) / math.log1p(widest)),
        )
        for i in shown
    )
    entries = classes.palette.first_by_index() if classes.palette is not None else {}
    absent = tuple(
        (entry.name, entry.hex)
        for index, entry in entries.items()
        if index not in pixels and index != classes.ignore_index
    )
    strange = tuple(index for index in order if classes.is_strange(index))
    return ClassTable(
        rows, absent[:MAX_ROWS], strange[:MAX_ROWS], len(order) - len(shown), counted, total
    )


def _bar(part: float) -> float:
    """Length in hundredths of the longest bar; what is there at all can be seen."""
    return round(max(0.4, 100 * part), 2)
