"""Which palettes explain colours, and whose palette chunk it is that a label map has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.lut import colour_keys
from gpuseg.options import Order
from gpuseg.palette import Palette
from gpuseg.palettes.presets import load_preset, preset_names

Relation = Literal["equals", "beginning of", "holds", "grey ramp"]
"""How a file's palette stands to a preset: the same, its first entries, or it and more."""

ORDERS: tuple[Order, Order] = ("rgb", "bgr")

FEW = 3
"""Colours that a palette of a file must share with a preset for that to mean anything."""


MOST_KNOWN = 4_096
"""Sets of colours of which it is remembered what explains them, and sets of palettes."""

MOST_SHADES = 64
"""Palettes of more colours have so many brightnesses that any grey values fit."""


class Explaining:
    """Palettes, and which of them hold all of some colours.

    What explains colours is a set of bits: 2 i where palette i holds them as RGB, 2 i + 1 where
    it does with red and blue exchanged.
    """

    def __init__(self, palettes: Sequence[Palette]) -> None:
        self.palettes = tuple(palettes)
        self._most = max(map(len, self.palettes))
        self._everything = (1 << 2 * len(self.palettes)) - 1
        self._bits: dict[int, int] = {}
        self._known: dict[bytes, int] = {}
        self._ranked: dict[tuple[int, Order], list[Palette]] = {}
        for number, palette in enumerate(self.palettes):
            for place, colours in enumerate((palette.colours, palette.colours[:, ::-1])):
                bit = 1 << 2 * number + place
                for key in colour_keys(colours).tolist():
                    self._bits[key] = self._bits.get(key, 0) | bit

    def __reduce__(self) -> tuple[Any, ...]:
        return Explaining, (self.palettes,)

    def bits(self, keys: NDArray[np.int64]) -> int:
        """What explains all of these colours, int64 (K,)."""
        if len(keys) > self._most:
            return 0
        name = keys.tobytes()  # a dump has few sets of colours
        bits = self._known.get(name)
        if bits is None:
            bits = self._everything
            for key in keys.tolist():
                bits &= self._bits.get(key, 0)
            if len(self._known) < MOST_KNOWN:
                self._known[name] = bits
        return bits

    def ranked(self, bits: int, order: Order) -> list[Palette]:
        """The palettes of these bits, the smallest first: what is there is most of it."""
        found = self._ranked.get((bits, order))
        if found is None:
            place = ORDERS.index(order)
            found = [p for n, p in enumerate(self.palettes) if bits >> 2 * n + place & 1]
            found.sort(key=lambda palette: (len(palette), palette.name))
            if len(self._ranked) < MOST_KNOWN:
                self._ranked[bits, order] = found
        return found

    def pixels(self, keys: NDArray[np.int64], counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Pixels and colours that each palette holds: int64 (palettes, orders, 2)."""
        known, matrix = self._matrix
        place = np.searchsorted(known, keys).clip(max=len(known) - 1)
        inside = known[place] == keys
        held = matrix[place[inside]].astype(np.int64)
        sums = np.stack([counts[inside] @ held, held.sum(axis=0)], axis=-1)
        return sums.reshape(len(self.palettes), 2, 2)

    def nearest(
        self, keys: NDArray[np.int64], counts: NDArray[np.int64]
    ) -> tuple[Palette, int, NDArray[np.int64]]:
        """The palette that holds most pixels as RGB, how many, and the colours that it lacks.

        Keys of the colours, the most frequent first.
        """
        pixels = self.pixels(keys, counts)[:, 0, 0]
        sizes = np.array([len(palette) for palette in self.palettes])
        number = np.lexsort((sizes, -pixels))[0]
        best = self.palettes[number]
        lacking = ~np.isin(keys, colour_keys(best.colours).astype(np.int64))
        order = np.argsort(-counts[lacking], kind="stable")
        return best, int(pixels[number]), keys[lacking][order]

    @property
    def keys(self) -> NDArray[np.int64]:
        """All colours of all palettes, and with red and blue exchanged: int64 (K,), ascending."""
        return self._matrix[0]

    @cached_property
    def _matrix(self) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """All colours of all palettes, ascending, and which palette holds them, by bit."""
        known = np.array(sorted(self._bits), np.int64)
        rows = [[self._bits[key] >> bit & 1 for bit in range(2 * len(self.palettes))]
                for key in known.tolist()]  # fmt: skip
        return known, np.array(rows, bool)


@lru_cache(maxsize=1)
def all_presets() -> Explaining:
    """The presets that come with gpuseg."""
    return Explaining(_load_all())


@lru_cache(maxsize=1)
def _load_all() -> tuple[Palette, ...]:
    return tuple(load_preset(name) for name in preset_names())


@dataclass(frozen=True, slots=True)
class PaletteMatch:
    """A preset whose classes have the same colours at the same indices.

    names: of the presets of which that is true, the best first; none for a grey ramp.
    """

    relation: Relation
    names: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.relation == "grey ramp":
            return "a grey ramp"
        return {"equals": "", "beginning of": "the beginning of ", "holds": "begins with "}[
            self.relation
        ] + self.names[0]


@lru_cache(maxsize=1024)
def match_palette(plte: bytes) -> PaletteMatch | None:
    """The presets that a palette chunk, its RGB bytes, stands for, index by index.

    What programs fill palettes up to 256 with, black or a ramp of greys, counts for nothing.
    """
    colours = np.frombuffer(plte, np.uint8).reshape(-1, 3)
    is_ramp = (colours == np.arange(len(colours))[:, None]).all(axis=1)
    own = np.flatnonzero(~is_ramp & colours.any(axis=1))
    if len(colours) >= FEW and is_ramp.all():
        return PaletteMatch("grey ramp")
    entries, colours = len(colours), colours[: own[-1] + 1 if len(own) else 0]
    found: list[tuple[Relation, int, str]] = []
    for palette in _load_all():
        relation, shared = _relation(colours, entries, palette)
        if relation is not None:
            found.append((relation, -shared, palette.name))
    if not found:
        return None
    rank: dict[Any, int] = {"equals": 0, "beginning of": 1, "holds": 2}
    found.sort(key=lambda row: (rank[row[0]], row[1:]))
    best = found[0][0]
    return PaletteMatch(best, tuple(name for relation, _, name in found if relation == best))


def _relation(
    colours: NDArray[np.uint8], entries: int, palette: Palette
) -> tuple[Relation | None, int]:
    """How a file's palette stands to a preset, and how many entries agree.

    colours: uint8 (K, 3), without what it is filled up with. entries: with that.
    """
    classes, expected = _expected(palette)
    inside = classes[classes < len(colours)]
    if len(inside) < FEW or (colours[inside] != expected[inside]).any():
        return None, 0
    others = np.delete(np.arange(len(colours)), inside)
    rest = colours[others]
    is_void = bool(((rest == 0) | (rest == others[:, None]) | (rest == (224, 224, 192))).all())
    missing = classes[len(inside) :]
    if len(missing) and (missing[-1] >= entries or expected[missing].any()):  # no black classes
        return ("beginning of" if is_void else None), len(inside)
    return ("equals" if is_void else "holds"), len(classes)


@lru_cache(maxsize=128)
def _expected(palette: Palette) -> tuple[NDArray[np.int64], NDArray[np.uint8]]:
    """Indices of the classes below 256, ascending, and the colours of all 256 indices."""
    table = np.zeros((256, 3), np.uint8)
    first = {i: entry for i, entry in palette.first_by_index().items() if i < 256}
    if palette.ignore_index is not None and palette.ignore_index > len(first):
        first.pop(palette.ignore_index, None)  # the void beyond all classes may have any colour
    for index, entry in first.items():
        table[index] = entry.rgb
    return np.array(sorted(first), np.int64), table


def find_luma(values: NDArray[np.int64]) -> Palette | None:
    """The preset whose colours have these grey values as brightness, int64 (K,), if any.

    As Pillow makes `L` of RGB (ITU-R 601-2 in 16-bit fixed point).
    """
    shades = set(values.tolist()) - {0, 255}
    if len(shades) < FEW:
        return None
    for palette in sorted(_load_all(), key=len):
        luma = (palette.colours.astype(np.int64) @ (19595, 38470, 7471) + 0x8000) >> 16
        is_index = shades <= set(palette.label_indices)
        if len(palette) <= MOST_SHADES and shades <= set(luma.tolist()) and not is_index:
            return palette
    return None


def is_swapped(palette: Palette, swapped: Palette, colours: int) -> bool:
    """Whether red and blue are exchanged, where two palettes explain the same number of colours.

    palette does as RGB, swapped as BGR: a palette of all shades explains anything, for instance
    voc256, so one of which most is used tells more.
    """
    return 5 * len(swapped) < len(palette) and 2 * colours >= len(swapped)


def names_of(palettes: Iterable[Palette], shown: int = 4) -> str:
    """Names in a row, the first few."""
    names = [palette.name for palette in palettes]
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return ", ".join(names[:shown]) + more
