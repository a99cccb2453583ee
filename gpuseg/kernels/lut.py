"""The lookup table: what each of the 2**24 colours becomes, unknown ones included.

A colour's key is `c0 | c1 << 8 | c2 << 16`, the bytes of a pixel in memory order. Its
entry holds the label in the low `depth` bits, then two flags:

    bit depth      unknown: the colour is not in the palette
    bit depth + 1  refused: and nothing may be written in its place

So a kernel does `label = entry & mask; unknown += entry >> depth & 1` and needs to know
no policy. One direct table serves every backend: it costs 32 MiB (64 at depth 16), but a
mask touches only the cache lines of its own colours (see benchmarks/README.md).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.errors import PaletteError
from gpuseg.options import Depth, IndexOptions, Order
from gpuseg.palette import Palette

COLOURS = 1 << 24

Table = NDArray[Any]  # uint16 or uint32


@dataclass(frozen=True, slots=True, eq=False)
class Lookup:
    """A table and the depth of its labels.

    table: uint16 (depth 8) or uint32 (depth 16) of shape (2**24,), read-only.
    depth: bits of a label.
    order: byte order of the pixels it is for.
    """

    table: Table
    depth: Depth
    order: Order

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.table, self.depth, self.order)

    @property
    def label_dtype(self) -> type[np.uint8] | type[np.uint16]:
        """Type of a label: uint8 or uint16."""
        return np.uint8 if self.depth == 8 else np.uint16

    def entries(self, colours: NDArray[np.uint8]) -> Table:
        """The table of a palette image: entries of its colours, uint8 (K, 3), by position.

        (256,), of the table's dtype; positions outside the palette are unknown and refused.
        """
        table: Table = np.full(256, 3 << self.depth, self.table.dtype)
        table[: len(colours)] = self.table[colour_keys(colours)]
        table.flags.writeable = False  # as the large one: kernels are compiled for that
        return table


def colour_keys(colours: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """Keys of pixels or colours: uint8 (..., 3) -> uint32 (...)."""
    wide = colours.astype(np.uint32)
    keys: NDArray[np.uint32] = (
        wide[..., 0] | wide[..., 1] << np.uint32(8) | wide[..., 2] << np.uint32(16)
    )
    return keys


def key_colours(keys: NDArray[np.uint32]) -> NDArray[np.uint8]:
    """The bytes behind keys: uint32 (...) -> uint8 (..., 3)."""
    return np.stack([keys & 255, keys >> 8 & 255, keys >> 16], axis=-1).astype(np.uint8)


def _restored(table: Table, depth: Depth, order: Order) -> Lookup:
    """A lookup in another process: kernels are compiled for tables that are read-only."""
    table.flags.writeable = False
    return Lookup(table, depth, order)


def build_lookup(palette: Palette, options: IndexOptions, order: Order = "rgb") -> Lookup:
    """The table of a palette under a policy; the last few are kept.

    Raises PaletteSizeError when an index does not fit the depth, and PaletteError when
    a policy would write unknown colours as the index of a real class.
    """
    policy = IndexOptions(
        unknown=options.unknown,
        tolerance=options.tolerance,
        ignore_index=options.ignore_index,
        depth=options.depth,
    )
    return _build(palette, policy, order)


@lru_cache(maxsize=4)
def _build(palette: Palette, options: IndexOptions, order: Order) -> Lookup:
    palette.check_depth(options.depth, options.ignore_index)
    dtype = np.uint16 if options.depth == 8 else np.uint32
    unknown, refused = 1 << options.depth, 2 << options.depth
    colours = palette.colours if order == "rgb" else palette.colours[:, ::-1]
    table: Table
    if options.unknown == "nearest":
        table = _nearest_table(colours, palette.indices, options, dtype)
    else:
        fill = unknown | refused
        if options.unknown in ("ignore", "border-ignore"):
            fill = unknown | _ignore_index(palette, options)
        table = np.full(COLOURS, dtype(fill))
    table[colour_keys(colours)] = palette.indices
    table.flags.writeable = False
    return Lookup(table, options.depth, order)


def _ignore_index(palette: Palette, options: IndexOptions) -> int:
    index = palette.ignore_for(options.depth, options.ignore_index)
    if palette.is_real_class(index):
        name = palette.first_by_index()[index].name
        raise PaletteError(
            f"ignore index {index} is the class {name!r} of palette {palette.name!r}, so unknown "
            "pixels would become that class; choose another --ignore-index"
        )
    return index


def largest_square(tolerance: float | None) -> int:
    """The largest squared distance of two colours whose root is at most `tolerance`."""
    if tolerance is None:
        return 3 * 255**2
    square = min(int(tolerance**2) + 1, 3 * 255**2)  # rounding may hide the exact one
    return square if math.sqrt(square) <= tolerance else square - 1


def _nearest_table(
    colours: NDArray[np.uint8],
    indices: NDArray[np.int64],
    options: IndexOptions,
    dtype: type[np.uint16] | type[np.uint32],
) -> Table:
    from gpuseg.kernels import cpu  # numba loads only when a table of distances is needed

    table: Table = cpu.nearest_table(
        np.ascontiguousarray(colours),
        indices.astype(dtype),
        largest_square(options.tolerance),
        dtype(1 << options.depth),
        dtype(2 << options.depth),
    )
    return table
