"""The census of a dump: what the files hold together, in memory that does not grow with them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from gpuseg.census.facts import Facts
from gpuseg.census.presets import ORDERS, Explaining
from gpuseg.kernels.lut import COLOURS
from gpuseg.options import Order
from gpuseg.results import FileResult

INDICES = 1 << 16
"""Indices that are counted: those that label maps can have."""

MOST_EXAMPLES = 4_096
"""Colours of which a file is remembered, and of which the palettes of files are compared."""

MOST_PLACES = 4
"""Indices of one colour that are remembered."""

MOST_GROUPS = 256
"""Kinds of files, and sizes, that are counted apart; the rest is counted together."""

_STRETCH = 12
"""Colours of a stretch of counters, a power of two."""

SHOWN_FILES = 5
"""Files that are remembered of each kind."""


Key = TypeVar("Key")


def ranked(counter: Counter[Key]) -> list[tuple[Key, int]]:
    """What was counted, the most frequent first: the same order whichever thread was first."""
    return sorted(counter.items(), key=lambda pair: (-pair[1], str(pair[0])))


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """What one file adds to the census. Sent from process to process.

    facts: what its row tells. values, counts: of its indices, empty where it has none.
    keys, pixels: of its colours, empty where it has none; of a palette image, too.
    explained: the palettes that hold all its colours, bits as in `Explaining`.
    """

    facts: Facts
    values: NDArray[np.int64]
    counts: NDArray[np.int64]
    keys: NDArray[np.int64]
    pixels: NDArray[np.int64]
    explained: int

    def row(self) -> Mapping[str, Any]:
        """Its part of the file's row, for JSON."""
        return self.facts.row()


class Group(NamedTuple):
    """Files of one kind. code: of their verdict."""

    format: str
    kind: str
    bits: int
    code: str

    def __str__(self) -> str:
        return f"{self.bits}-bit {self.kind} {self.format}, {self.code}" if self.bits else self.code


@dataclass(slots=True, eq=False)
class Tally:
    """The census so far.

    groups: files by kind; files: the first of each by name. sizes: files by (width, height).
    encodings, presets: files by what their colours encode, by the preset of their verdict.
    warnings: how many files have one, and the first by name. explained: files by the palettes
    that explain them. colour_pixels, colour_files: uint64 and uint32 (2**24,), counters of every
    colour: zeros that are no memory until they are touched. index_pixels, index_files: int64
    (65536,). beyond: pixels of other values. examples: a file of each of the first colours.
    places: a file for each index that one of the first colours has in palettes that are no
    preset's. coloured, coloured_pixels: files that have colours, and their pixels.
    """

    explaining: Explaining
    groups: Counter[Group] = field(default_factory=Counter)
    files: dict[Group, list[str]] = field(default_factory=dict)
    sizes: Counter[tuple[int, int]] = field(default_factory=Counter)
    encodings: Counter[str] = field(default_factory=Counter)
    presets: Counter[str] = field(default_factory=Counter)
    warnings: dict[str, tuple[int, str]] = field(default_factory=dict)
    colour_pixels: NDArray[np.uint64] = field(default_factory=lambda: np.zeros(COLOURS, np.uint64))
    colour_files: NDArray[np.uint32] = field(default_factory=lambda: np.zeros(COLOURS, np.uint32))
    index_pixels: NDArray[np.int64] = field(default_factory=lambda: np.zeros(INDICES, np.int64))
    index_files: NDArray[np.int64] = field(default_factory=lambda: np.zeros(INDICES, np.int64))
    examples: dict[int, str] = field(default_factory=dict)
    places: dict[int, dict[int, str]] = field(default_factory=dict)
    beyond: int = 0
    coloured: int = 0
    coloured_pixels: int = 0
    _explained: Counter[int] = field(default_factory=Counter)
    _bits: Counter[int] = field(default_factory=Counter)
    # which stretches of the counters were touched: to look for colours in all of them takes long
    _touched: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(COLOURS >> _STRETCH, bool))
    _colours: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]] | None = None

    def add(self, result: FileResult) -> None:
        """Count one file. Calls must not overlap."""
        counted = result.details
        if not isinstance(counted, Counted):
            self._group(Group("", "", 0, "damaged"), result.source)
            return
        facts = counted.facts
        code = facts.verdict.code
        self._group(Group(result.format, facts.kind, facts.bits, code), result.source)
        size = (result.width, result.height)
        self.sizes[size if size in self.sizes or len(self.sizes) < MOST_GROUPS else (0, 0)] += 1
        if facts.verdict.encoding:
            self.encodings[facts.verdict.encoding] += 1
        if facts.verdict.preset:
            self.presets[facts.verdict.preset] += 1
        for warning in result.warnings:
            self._warn(warning, result.source)
        if len(counted.values):
            small = (counted.values >= 0) & (counted.values < INDICES)
            self.beyond += int(counted.counts[~small].sum())
            self.index_pixels[counted.values[small]] += counted.counts[small]
            self.index_files[counted.values[small]] += 1
        if len(counted.keys):
            self._add_colours(counted, result.source)

    def _add_colours(self, counted: Counted, source: str) -> None:
        keys = counted.keys
        self._colours = None
        self._touched[keys >> _STRETCH] = True
        self.colour_pixels[keys] += counted.pixels.astype(np.uint64)  # no key comes twice
        self.colour_files[keys] += np.uint32(1)
        self.coloured += 1
        self.coloured_pixels += int(counted.pixels.sum())
        self._explained[counted.explained] += 1
        if len(self._explained) > MOST_GROUPS:
            self._fold()
        for key in keys[:MOST_EXAMPLES].tolist():
            known = self.examples.get(key)
            if known is None and len(self.examples) >= MOST_EXAMPLES:
                continue
            if known is None or source < known:
                self.examples[key] = source
        self._compare_places(counted, source)

    def _compare_places(self, counted: Counted, source: str) -> None:
        """Whether the colours of a palette have the indices that other files gave them."""
        pairs = zip(counted.facts.index_colours, counted.values.tolist(), strict=False)
        for key, index in pairs:
            if key not in self.places and len(self.places) >= MOST_EXAMPLES:
                continue
            found = self.places.setdefault(key, {})
            if index in found or len(found) < MOST_PLACES:
                found[index] = min(source, found.get(index, source))

    def _group(self, group: Group, source: str) -> None:
        if group not in self.groups and len(self.groups) >= MOST_GROUPS:
            group = Group("", "", 0, "others")
        self.groups[group] += 1
        names = self.files.setdefault(group, [])
        if len(names) < SHOWN_FILES or source < names[-1]:
            names.append(source)
            names.sort()
            del names[SHOWN_FILES:]

    def _warn(self, warning: str, source: str) -> None:
        if warning in self.warnings or len(self.warnings) < MOST_GROUPS:
            files, first = self.warnings.get(warning, (0, source))
            self.warnings[warning] = (files + 1, min(first, source))

    def _fold(self) -> None:
        for bits, files in self._explained.items():
            while bits:
                lowest = bits & -bits
                self._bits[lowest.bit_length() - 1] += files
                bits ^= lowest
        self._explained.clear()

    def codes(self) -> Counter[str]:
        """Files by the code of their verdict."""
        found: Counter[str] = Counter()
        for group, files in self.groups.items():
            found[group.code] += files
        return found

    def moved(self) -> list[tuple[int, dict[int, str]]]:
        """Colours that palettes of files have at several indices, and a file for each of these."""
        return [(key, found) for key, found in sorted(self.places.items()) if len(found) > 1]

    def files_explained(self, palette: int, order: Order) -> int:
        """Files of which a palette holds all colours."""
        self._fold()
        return self._bits[2 * palette + ORDERS.index(order)]

    def colours(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Keys, pixels and files of all colours, int64 (K,), the most frequent first."""
        if self._colours is None:
            stretches = np.flatnonzero(self._touched)
            held = self.colour_files.reshape(-1, 1 << _STRETCH)[stretches]
            rows, places = np.nonzero(held)
            keys = (stretches[rows] << _STRETCH) + places
            pixels, files = self.colour_pixels[keys].astype(np.int64), self.colour_files[keys]
            order = np.argsort(-pixels, kind="stable")
            self._colours = keys[order], pixels[order], files[order].astype(np.int64)
        return self._colours

    def indices(self) -> dict[int, tuple[int, int]]:
        """Pixels and files of each index, ascending."""
        found = np.flatnonzero(self.index_files).tolist()
        return {i: (int(self.index_pixels[i]), int(self.index_files[i])) for i in found}
