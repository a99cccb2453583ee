"""A device whose work takes nearly no time: what no device can beat, on this machine."""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager, nullcontext

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import LabelLines, ScanlineBatch
from gpuseg.kernels import scanlines
from gpuseg.kernels.filters import filter_rows
from gpuseg.kernels.lut import Lookup

SAMPLES = 509
"""Bytes of an image's scanlines, evenly spread, that tell it from others of a set."""


class FreeDevice:
    """Remembers the label maps of images that it has seen before, and hands them out again.

    Images of a first run are worked out by the CPU; in later ones all that is left is a copy,
    which a real device leaves to its own copy engines.
    """

    name = "free"

    def __init__(self) -> None:
        self._known: dict[bytes, NDArray[np.uint8]] = {}
        self._lock = threading.Lock()

    def index(self, batch: ScanlineBatch, lookup: Lookup, out: NDArray[np.uint8]) -> LabelLines:
        """Label maps of a batch, at depth 8; see `Device`."""
        starts = batch.label_starts(8)
        for i in range(len(batch)):
            data = _data(batch, i)
            sample = data[:: max(1, data.size // SAMPLES)].tobytes()
            key = sample + bytes(f"{data.size} {batch.widths[i]}", "ascii")
            if key not in self._known:
                lines = label_lines(batch, i, lookup)
                with self._lock:
                    self._known[key] = lines
            out[starts[i] : starts[i + 1]] = self._known[key]
        none = np.zeros(len(batch), np.int64)
        return LabelLines(out[: starts[-1]], starts, none, none.astype(np.uint32))

    def empty(self, size: int) -> NDArray[np.uint8]:
        """Ordinary memory, every page of it taken, as page-locking does."""
        memory = np.empty(size, np.uint8)
        memory[::4096] = 0
        return memory

    def free_memory(self) -> int:
        """As much as one could want."""
        return 1 << 36

    def span(self, name: str) -> AbstractContextManager[object]:
        """Nothing: no profiler looks at it."""
        return nullcontext()


def label_lines(batch: ScanlineBatch, i: int, lookup: Lookup) -> NDArray[np.uint8]:
    """Scanlines of the label map of image i, by the CPU's kernels: uint8 (H * (1 + W),)."""
    width, height, channels = (int(c[i]) for c in (batch.widths, batch.heights, batch.channels))
    table = batch.entries[batch.tables[i]] if channels == 1 else lookup.table
    table.flags.writeable = False  # as kernels are compiled for
    labels = np.empty(width * height + scanlines.MARGIN, np.uint8)
    above = scanlines.row_buffer(width, channels)
    verdict = scanlines.index_scanlines(_data(batch, i), 0, (width, channels), above, table, labels)
    assert verdict == scanlines.DONE, "only for masks without unknown colours"
    lines = np.empty((1 + width) * height, np.uint8)
    filter_rows(labels[: width * height], width, 0, lines)
    return lines


def _data(batch: ScanlineBatch, i: int) -> NDArray[np.uint8]:
    return batch.data[batch.starts[i] :][: int(batch.row_bytes[i] * batch.heights[i])]
