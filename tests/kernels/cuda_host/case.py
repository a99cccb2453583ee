"""Batches to put through a kernel, and what must come out, in plain NumPy without a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.lut import COLOURS, Lookup, build_lookup, key_colours
from gpuseg.options import Depth, IndexOptions
from gpuseg.palette import Palette, PaletteClass, voc_colormap

IGNORE = 254
MISSING = 1 << 24


def make_palette(depth: Depth) -> Palette:
    """VOC's first 21 colours, and white; their indices use all bits of a label."""
    rows = [*voc_colormap(21).tolist(), [255, 255, 255]]
    step = 12 if depth == 8 else 3001
    return Palette(tuple(PaletteClass(step * k, f"{k}", tuple(r)) for k, r in enumerate(rows)))


def make_lookup(depth: Depth) -> Lookup:
    """The table of `make_palette`; unknown colours become IGNORE and are flagged."""
    return build_lookup(
        make_palette(depth), IndexOptions(unknown="ignore", ignore_index=IGNORE, depth=depth)
    )


@dataclass
class Batch:
    """A batch for `index_kernel`: keys, uint32 (P,), of the pixels, and the sizes of its images.

    skip: pixels and labels start this many bytes and labels into their memory.
    """

    keys: NDArray[np.uint32]
    sizes: list[int]
    depth: Depth
    skip: int = 0

    def __post_init__(self) -> None:
        dtype = np.uint8 if self.depth == 8 else np.uint16
        self.pixels = aligned(3 * self.keys.size, np.uint8, self.skip)
        self.pixels[:] = key_colours(self.keys).reshape(-1)
        self.offsets = np.concatenate([[0], np.cumsum(self.sizes)]).astype(np.int64)
        self.labels = aligned(self.keys.size, dtype, self.skip)
        self.labels[:] = 171
        self.unknown = np.zeros(len(self.sizes), np.uint64)

    def expected(self) -> tuple[NDArray[Any], NDArray[np.int64]]:
        """Labels and unknown counts, by searching each pixel among the palette's colours."""
        palette = make_palette(self.depth)
        wide = palette.colours.astype(np.uint32)
        known = wide[:, 0] | wide[:, 1] << 8 | wide[:, 2] << 16
        order = known.argsort()
        place = np.searchsorted(known[order], self.keys).clip(max=len(known) - 1)
        found = known[order][place] == self.keys
        labels = np.where(found, palette.indices[order][place], IGNORE)
        total = np.concatenate([[0], np.cumsum(~found)])
        return labels.astype(self.labels.dtype), np.diff(total[self.offsets])

    def arguments(self, groups: int | None = None) -> tuple[Any, ...]:
        """The arrays of `index_kernel`. groups: of 4 pixels taken as words; None: all."""
        groups = self.keys.size // 4 if groups is None else groups
        words = self.pixels[: 12 * groups].view(np.uint32)
        out = self.labels[: 4 * groups].view(np.uint32 if self.depth == 8 else np.uint64)
        table = make_lookup(self.depth).table
        return (words, self.pixels, self.offsets, table, out, self.labels, self.unknown)

    def size(self, groups: int | None = None) -> int:
        """Threads that the kernel needs."""
        return self.keys.size - 3 * (self.keys.size // 4 if groups is None else groups)

    def check(self) -> None:
        """Compare what the kernel wrote with what was expected."""
        labels, unknown = self.expected()
        np.testing.assert_array_equal(self.labels, labels)
        np.testing.assert_array_equal(self.unknown, unknown.astype(np.uint64))


def aligned(size: int, dtype: Any, skip: int = 0) -> NDArray[Any]:
    """An array that starts `skip` elements after an address divisible by 64."""
    memory = np.zeros((size + skip) * np.dtype(dtype).itemsize + 64, np.uint8)
    start = -memory.ctypes.data % 64 + skip * np.dtype(dtype).itemsize
    return memory[start : start + size * np.dtype(dtype).itemsize].view(dtype)


def random_batch(seed: int, sizes: list[int], depth: Depth, skip: int = 0) -> Batch:
    """Runs of known colours with noise and unknown ones between them."""
    rng = np.random.default_rng(seed)
    total = sum(sizes)
    wide = make_palette(depth).colours.astype(np.uint32)
    known = wide[:, 0] | wide[:, 1] << 8 | wide[:, 2] << 16
    keys = np.repeat(rng.choice(known, total // 5 + 1), 5)[:total]
    strange = rng.random(total) < (0.0, 0.1, 0.5, 0.9)[seed % 4]
    keys[strange] = rng.integers(0, COLOURS, strange.sum())
    return Batch(keys.astype(np.uint32), sizes, depth, skip)


def all_colours(depth: Depth) -> Batch:
    """Each of the 2**24 colours once, in an order that mixes them, as images of mixed sizes."""
    keys = np.arange(COLOURS, dtype=np.uint32) * np.uint32(0x9E3779B1) & np.uint32(COLOURS - 1)
    sizes = [1, 0, 2, 3_000_001, 5, 0, 7_654_321]
    return Batch(keys, [*sizes, COLOURS - sum(sizes)], depth)


def colour_table(depth: Depth) -> NDArray[np.uint32]:
    """A colour for two thirds of the indices, the missing bit for the others."""
    rng = np.random.default_rng(depth)
    table = rng.integers(0, COLOURS, 1 << depth, dtype=np.uint32)
    table[rng.random(1 << depth) < 0.33] = MISSING
    return table
