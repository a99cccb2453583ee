"""What each index of a label map becomes by a map: the tables that kernels and NumPy take."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gpuseg.errors import UsageError
from gpuseg.palettes.mapping import IndexMap

Unmapped = Literal["error", "keep", "ignore"]
"""What becomes of an index that a map does not name."""

INDICES = 1 << 16

FLAG = 1 << 16
"""Bit of an entry whose index the map does not name."""


def check_names(plan: IndexMap, unmapped: Unmapped) -> None:
    """Raise UsageError for classes that have no equal, unless they are to be ignored."""
    if not plan.unmatched or unmapped == "ignore":
        return
    listed = ", ".join(f"{name} ({index})" for index, name in plan.unmatched)
    raise UsageError(
        f"each class must have one of the same name in the other palette, these have none: "
        f"{listed}; make them the ignore index by --unmapped ignore, or write the map as a file"
    )


def index_table(
    pairs: Iterable[tuple[int, int]],
    unmapped: Unmapped,
    ignore_index: int,
    known: Iterable[int] | None = None,
) -> NDArray[np.uint32]:
    """What each index becomes, uint32 (65536,): FLAG with those that are not named.

    pairs: (old, new). known: indices that may be kept, None: all.
    """
    table = np.full(INDICES, ignore_index | FLAG, np.uint32)
    if unmapped == "keep":
        kept = list(range(INDICES)) if known is None else sorted(known)
        table[kept] = kept
    for old, new in pairs:
        table[old] = new
    return table


def narrow_table(table: NDArray[np.uint32]) -> NDArray[np.uint16]:
    """The same for 8 bits, as the kernels take it (see `kernels.lut`): uint16 (256,), read-only.

    table: of `index_table`; an index that becomes one above 255 is flagged, too.
    """
    entries = table[:256]
    flagged = entries > 255
    narrow = (entries & 255 | flagged.astype(np.uint32) << 8).astype(np.uint16)
    narrow.flags.writeable = False  # as other tables: kernels are compiled for that
    return narrow
