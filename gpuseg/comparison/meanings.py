"""What label maps mean: by a palette, or by the palette chunk that each of them carries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gpuseg.errors import LabelError
from gpuseg.kernels.lut import COLOURS, Lookup, build_lookup, colour_keys
from gpuseg.options import IndexOptions
from gpuseg.palette import Palette
from gpuseg.results import count

BLACK = 0
VOID = 224 | 224 << 8 | 192 << 16
"""Keys of the colours that `Palette.plte` gives to indices without a class."""

_FLAGGED = 3 << 8
_OUTSIDE = 1 << 10


@dataclass(frozen=True, slots=True, eq=False)
class Meaning:
    """Which colour a label stands for: what a lookup makes of it.

    lookup: the index of each colour; those that are none of the palette are flagged.
    shown: uint16 (256,), read-only: of each label the index of its colour, flagged where the
        file's palette ends before it. None: a label is its index.
    doubtful: keys of colours that may or may not be the palette's own.
    """

    lookup: Lookup
    shown: NDArray[np.uint16] | None = None
    doubtful: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Standard:
    """What all label maps of a comparison are held against.

    palette: None where each means what its own palette says. plte: the palette chunk that they
    must have at 8 bits, lookup: that of the palette; both None where it does not fit 8 bits.
    """

    palette: Palette | None = None
    plte: bytes | None = None
    lookup: Lookup | None = None

    @classmethod
    def of(cls, palette: Palette | None, ignore_index: int | None = None) -> Standard:
        """ignore_index: the one whose colour stands in label maps; None: the palette's, or 255.

        Raises UsageError when it does not fit label maps of any depth.
        """
        if palette is None:
            return cls()
        IndexOptions(ignore_index=ignore_index, depth=16)  # refuses it
        ignore = palette.ignore_for(8, ignore_index)
        if max(palette.max_index, ignore) > 255:
            return cls(palette)
        lookup = build_lookup(palette, IndexOptions(ignore_index=ignore))
        return cls(palette, palette.plte(ignore), lookup)

    def problem(self, plte: bytes | None, bits: int) -> str:
        """What is wrong with a label map of this palette chunk and depth; empty if nothing is."""
        if self.palette is None or bits == 16:
            return ""
        if self.plte is not None and plte == self.plte[: 3 << bits]:
            return ""
        name = f"palette {self.palette.name!r}"
        if self.plte is None:
            return f"it has {bits} bits a pixel, {name} needs 16; convert it again"
        if plte is None:
            return f"it is greyscale, without the colours of {name}; convert it again"
        return f"it has {other_colours(plte, self.plte[: 3 << bits])} of {name}"

    def meaning(self, plte: bytes | None, bits: int) -> Meaning:
        """What a label map without a `problem` means. Raises LabelError where nothing tells."""
        if bits == 16 and self.palette is not None:
            return Meaning(build_lookup(self.palette, IndexOptions(depth=16)))
        if self.lookup is not None:
            return Meaning(self.lookup)
        if plte is None:
            raise LabelError(
                "has no colours of its own (greyscale): what its indices mean only a palette "
                "tells; give it with --palette"
            )
        return meaning_of(plte)


@lru_cache(maxsize=2)
def meaning_of(plte: bytes) -> Meaning:
    """What a palette chunk says by itself. plte: RGB bytes of 1 to 256 entries.

    A pixel is right where the entry of its label has its colour; entries of one colour count
    as one. Black and (224, 224, 192) are what indices without a class have, too, so by the
    chunk alone they may be colours of the palette or not: they are `doubtful`.
    """
    keys = colour_keys(np.frombuffer(plte, np.uint8).reshape(-1, 3)).tolist()
    first: dict[int, int] = {}
    for index, key in enumerate(keys):
        first.setdefault(key, index)
    table = np.full(COLOURS, _FLAGGED, np.uint16)
    table[list(first)] = list(first.values())
    shown = np.full(256, _OUTSIDE, np.uint16)
    shown[: len(keys)] = [first[key] for key in keys]
    for array in (table, shown):
        array.flags.writeable = False  # kernels are compiled for that
    return Meaning(Lookup(table, 8, "rgb"), shown, tuple({BLACK, VOID} & set(keys)))


def other_colours(plte: bytes, wanted: bytes) -> str:
    """How one palette chunk differs from another: `other colours than those`."""
    found, right = plte.hex(" ", 3).split(), wanted.hex(" ", 3).split()
    for index, (one, other) in enumerate(zip(found, right, strict=False)):
        if one != other:
            return f"other colours (index {index} is #{one}, not #{other}) than those"
    return f"{count(len(found), 'colour')} instead of the {len(right)}"
