"""Which indices of label maps have annotations, and what the categories are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.errors import LabelError, UsageError
from gpuseg.label_maps import listed
from gpuseg.palette import BACKGROUNDS, MAX_INDEX, Palette
from gpuseg.polygonizing.options import PolygonizeOptions
from gpuseg.text import shortened

_NO_BACKGROUND = "none"


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """The classes of label maps.

    palette: its name, "" where none is known: then all indices but those of `silent` are classes.
    names: of each index that has annotations, by index; empty without a palette.
    silent: indices that have none: the ignore index, and the background.
    table: uint16 (65536,), for `kernels.outlines`: 0, or where in `indices` an index stands, from
    1. indices: int64 (K,), ascending.
    """

    palette: str
    names: dict[int, str]
    silent: frozenset[int]
    table: NDArray[np.uint16]
    indices: NDArray[np.int64]

    @classmethod
    def of(cls, palette: Palette | None, options: PolygonizeOptions) -> Classes:
        """Those of a palette, None where none is known. Raises UsageError."""
        silent = {*_ignored(palette, options), *_background(palette, options)}
        names = {}
        if palette is not None:
            found = palette.first_by_index()
            names = {index: found[index].name for index in sorted(found) if index not in silent}
        known = names if palette is not None else set(range(MAX_INDEX + 1)) - silent
        indices = np.array(sorted(known), np.int64)
        if len(indices) > MAX_INDEX:
            raise UsageError(
                f"{MAX_INDEX:,} classes can have annotations at most, got {len(indices):,}; name "
                "the ignore index with --ignore-index"
            )
        table = np.zeros(MAX_INDEX + 1, np.uint16)
        table[indices] = np.arange(1, len(indices) + 1)
        name = palette.name if palette is not None else ""
        return cls(name, names, frozenset(silent), table, indices)

    def check(self, counts: NDArray[np.int64]) -> None:
        """Raise LabelError for a label map that holds what the palette does not.

        counts: int64 (256,) or (65536,), pixels of each index.
        """
        found = counts.nonzero()[0]
        odd = [i for i in found[self.table[found] == 0].tolist() if i not in self.silent]
        if odd:
            told = listed(tuple((index, int(counts[index])) for index in odd))
            raise LabelError(
                f"holds indices that palette {self.palette!r} does not: {told}; name the palette "
                "it was made with (--palette), or change them first: gpuseg remap"
            )

    def categories(self, seen: Iterable[int]) -> list[dict[str, Any]]:
        """COCO's categories: all of the palette, without one those that were seen, by index."""
        names = self.names if self.palette else {index: str(index) for index in sorted(seen)}
        return [{"id": index, "name": name, "supercategory": ""} for index, name in names.items()]


def _ignored(palette: Palette | None, options: PolygonizeOptions) -> tuple[int, ...]:
    """The ignore index; none where it is a class of the palette, and nobody said otherwise."""
    if options.ignore_index is not None:
        return (options.ignore_index,)
    if palette is None:
        return (255,)
    ignored = palette.ignore_for(palette.least_depth)
    is_class = palette.ignore_index is None and palette.is_real_class(ignored)
    return () if is_class else (ignored,)


def _background(palette: Palette | None, options: PolygonizeOptions) -> tuple[int, ...]:
    """The index of the background, if there is one. Raises UsageError."""
    wanted = options.background
    by_name = {entry.name: entry.index for entry in reversed(_entries(palette))}
    if wanted is None:
        return tuple(by_name[name] for name in BACKGROUNDS if name in by_name)[:1]
    if wanted in by_name:
        return (by_name[str(wanted)],)
    if wanted == _NO_BACKGROUND:
        return ()
    digits = str(wanted)
    number = int(wanted) if digits.isdecimal() and len(digits) <= len(str(MAX_INDEX)) else -1
    known = range(MAX_INDEX + 1) if palette is None else palette.label_indices
    if number not in known and number not in _ignored(palette, options):
        where = f"a class of palette {palette.name!r}, by name or index" if palette else "an index"
        raise UsageError(f"background must be {where}, or none, got {shortened(repr(wanted), 80)}")
    return (number,)


def _entries(palette: Palette | None) -> tuple[Any, ...]:
    return palette.label_classes if palette is not None else ()
