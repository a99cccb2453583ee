"""Palette: which colour is which class, as a frozen value."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.errors import DuplicateColourError, PaletteError, PaletteSizeError
from gpuseg.options import Depth, OnDuplicate
from gpuseg.palette_entries import MAX_INDEX as MAX_INDEX
from gpuseg.palette_entries import RGB as RGB
from gpuseg.palette_entries import Merged as Merged
from gpuseg.palette_entries import PaletteClass as PaletteClass
from gpuseg.palette_entries import check_entry, describe_duplicates, find_duplicates, integer

VOID_COLOUR: RGB = (224, 224, 192)
"""What the ignore index is painted with unless it is a class: the void border of PASCAL VOC."""

VOID_NAMES = frozenset(
    {"void", "ignore", "ignored", "unlabeled", "unlabelled", "unknown", "border", "boundary"}
)
"""Names (lower case) of classes that mean 'no class': such a class may sit at the ignore index."""

BACKGROUNDS = ("background", "_background_", "__background__", "unlabeled", "unlabelled")
"""Names of the class of what is no object, the first that a palette holds."""


@dataclass(frozen=True)
class Palette:
    """Colours and the class indices they stand for.

    Colour masks hold `classes`. Label maps hold `label_classes`: those of `merged`, too, for two
    classes of one colour have an index each.

    classes: one entry a colour. Colours are unique; an index may come twice (two
        colours read as one class: the first is the one label maps are painted with).
    name: what messages call it.
    ignore_index: the index that means 'no class', if the palette says so.
    source: where the table comes from.
    merged: classes given up for colours because they repeat one.
    verified: False for presets copied from a third party and not checked against the owner.
    notes: what a user of the table should know.

    Raises PaletteError for an empty palette or values out of range and
    DuplicateColourError, naming the classes, for a repeated colour.
    """

    classes: tuple[PaletteClass, ...]
    name: str = "palette"
    ignore_index: int | None = None
    source: str = ""
    merged: tuple[Merged, ...] = ()
    verified: bool = True
    notes: str = ""

    def __post_init__(self) -> None:
        if not self.classes:
            raise PaletteError(f"palette {self.name!r} needs at least one class, got none")
        for entry in self.classes:
            check_entry(self.name, entry)
        for gone in self.merged:
            check_entry(self.name, gone)
        if self.ignore_index is not None and not 0 <= self.ignore_index <= MAX_INDEX:
            raise PaletteError(
                f"palette {self.name!r}: ignore_index must be 0 to {MAX_INDEX}, "
                f"got {self.ignore_index}"
            )
        repeated = find_duplicates(self.classes)
        if repeated:
            raise DuplicateColourError(describe_duplicates(self.name, repeated))

    @classmethod
    def from_colours(
        cls,
        colours: Iterable[Sequence[int]],
        names: Iterable[str] | None = None,
        *,
        name: str = "palette",
        ignore_index: int | None = None,
    ) -> Palette:
        """Palette whose n-th colour is class n.

        colours: rows of three values 0 to 255, for instance an array of shape (K, 3).
        names: K class names; None makes `class 0`, `class 1` …
        """
        rows = [tuple(integer(channel) for channel in row) for row in colours]
        labels = list(names) if names is not None else [f"class {i}" for i in range(len(rows))]
        if len(labels) != len(rows):
            raise PaletteError(f"names must be one per colour ({len(rows)}), got {len(labels)}")
        entries = tuple(
            PaletteClass(i, label, row)  # type: ignore[arg-type]  # length checked on entry
            for i, (label, row) in enumerate(zip(labels, rows, strict=True))
        )
        return cls(entries, name=name, ignore_index=ignore_index)

    @classmethod
    def resolve(
        cls, classes: Iterable[PaletteClass], on_duplicate: OnDuplicate = "error", **fields: object
    ) -> Palette:
        """Palette from entries that may repeat a colour.

        on_duplicate: `error` raises DuplicateColourError, `first` and `last` keep that
            class of each repeated colour and list the others in `merged`.
        fields: the other fields of Palette.
        """
        entries = tuple(classes)
        if on_duplicate == "error":
            return cls(entries, **fields)  # type: ignore[arg-type]
        winners: dict[RGB, PaletteClass] = {}
        for entry in entries:
            if on_duplicate == "last" or entry.rgb not in winners:
                winners[entry.rgb] = entry
        merged = tuple(
            Merged(entry.name, entry.index, winners[entry.rgb].name, entry.rgb)
            for entry in entries
            if winners[entry.rgb] is not entry
        )
        kept = tuple(entry for entry in entries if winners[entry.rgb] is entry)
        return cls(kept, merged=merged, **fields)  # type: ignore[arg-type]

    def __len__(self) -> int:
        """Number of colours."""
        return len(self.classes)

    @cached_property
    def colours(self) -> NDArray[np.uint8]:
        """The colours, uint8 of shape (K, 3), in palette order, read-only."""
        return _frozen(np.array([entry.rgb for entry in self.classes], np.uint8))

    @cached_property
    def indices(self) -> NDArray[np.int64]:
        """The class index of each colour, int64 of shape (K,), in palette order, read-only."""
        return _frozen(np.array([entry.index for entry in self.classes], np.int64))

    @cached_property
    def label_classes(self) -> tuple[PaletteClass, ...]:
        """The classes of label maps: `classes`, then those of `merged` that have their own index.

        They are what an index means; what a colour means, `classes` say.
        """
        own = (PaletteClass(entry.index, entry.name, entry.rgb) for entry in self.label_only)
        return self.classes + tuple(own)

    @cached_property
    def label_only(self) -> tuple[Merged, ...]:
        """Those of `merged` that have an index of their own: only label maps tell them apart."""
        taken = {entry.index for entry in self.classes}
        return tuple(m for m in self.merged if m.index >= 0 and m.index not in taken)

    def void_by_colour(self, ignore_index: int) -> tuple[Merged, ...]:
        """Those of `label_only` whose colour means no class in colour masks."""
        void = {
            entry.rgb
            for entry in self.classes
            if entry.index == ignore_index or not self.is_real_class(entry.index)
        }
        return tuple(entry for entry in self.label_only if entry.rgb in void)

    @cached_property
    def label_indices(self) -> tuple[int, ...]:
        """The indices that are classes in label maps, each once, ascending."""
        return tuple(sorted({entry.index for entry in self.label_classes}))

    @property
    def max_index(self) -> int:
        """The largest index of a class in label maps."""
        return self.label_indices[-1]

    @property
    def least_depth(self) -> Depth:
        """The bits that hold the class indices."""
        return 8 if self.max_index < 256 else 16

    def first_by_index(self) -> dict[int, PaletteClass]:
        """Index -> the class of label maps it is painted with (the first of that index)."""
        table: dict[int, PaletteClass] = {}
        for entry in self.label_classes:
            table.setdefault(entry.index, entry)
        return table

    def ignore_for(self, depth: Depth, wanted: int | None = None) -> int:
        """The ignore index at this depth: `wanted`, else the palette's own, else 255 or 65535."""
        if wanted is not None:
            return wanted
        return self.ignore_index if self.ignore_index is not None else (1 << depth) - 1

    def check_depth(self, depth: Depth, ignore_index: int | None = None) -> None:
        """Raise PaletteSizeError when an index does not fit `depth` bits.

        ignore_index: the one that is used instead of the palette's own, if any.
        """
        top = (1 << depth) - 1
        if self.max_index > top:
            raise PaletteSizeError(
                f"palette {self.name!r} has {len(self)} colours and indices up to "
                f"{self.max_index}, a palette PNG holds indices 0 to {top}; use --depth 16 "
                "(of convert and check)"
            )
        ignored = self.ignore_for(depth, ignore_index)
        if ignored > top:
            raise PaletteSizeError(
                f"palette {self.name!r} has ignore index {ignored}, a palette PNG "
                f"holds 0 to {top}; use --depth 16 (of convert and check) or another --ignore-index"
            )

    def is_real_class(self, index: int) -> bool:
        """Whether `index` is a class that means something: listed, and not only void classes."""
        if index == self.ignore_index:
            return False
        names = [entry.name for entry in self.label_classes if entry.index == index]
        return any(name.strip().lower() not in VOID_NAMES for name in names)

    def plte(self, ignore_index: int | None = None) -> bytes:
        """The 256 PNG palette entries, 768 bytes, for label maps of depth 8.

        An index without a class is black, the ignore index (None: the palette's own, else
        255) without a class is (224, 224, 192), its colour in PASCAL VOC. Raises
        PaletteSizeError.
        """
        self.check_depth(8, ignore_index)
        table = np.zeros((256, 3), np.uint8)
        table[self.ignore_for(8, ignore_index)] = VOID_COLOUR
        for index, entry in self.first_by_index().items():
            table[index] = entry.rgb
        return table.tobytes()

    def digest(self) -> bytes:
        """16 bytes that change with any class of colour masks or label maps, or what is ignored."""
        rows = "\n".join(f"{c.index} {c.hex} {c.name!r}" for c in self.label_classes)
        text = f"{self.ignore_index}\n{rows}"
        return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def voc_colormap(n: int = 256) -> NDArray[np.uint8]:
    """The PASCAL VOC colour map: uint8 of shape (n, 3), n from 1 to 256.

    Bit j of a class index goes to channel j mod 3 at bit 7 - j div 3, so that low
    indices get far colours. Formula: VOCdevkit VOClabelcolormap.m; entry 255, the
    void border of the VOC label maps, is (224, 224, 192). Raises PaletteError for n
    out of range.
    """
    if not 1 <= n <= 256:
        raise PaletteError(f"voc_colormap needs n from 1 to 256, got {n}")
    index = np.arange(n, dtype=np.uint8)
    table = np.zeros((n, 3), np.uint8)
    for bit in range(8):
        table[:, bit % 3] |= ((index >> bit) & 1) << (7 - bit // 3)
    return table


def _frozen(array: NDArray[Any]) -> NDArray[Any]:
    array.flags.writeable = False
    return array
