"""Label maps to the zlib stream of a PNG: rows are filtered, their runs found and coded.

A match is a run (a copy from 1 byte before), as by zlib's strategy Z_RLE. Label maps are runs,
and where they begin is seen when the filter of a row is chosen; so the filtered scanlines are
never written, and nothing is looked for twice.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels import blocks, runs
from gpuseg.kernels.filters import bits_of_row


class _Memory(threading.local):
    """What a thread deflates with, again and again."""

    def __init__(self) -> None:
        self.runs = np.empty(0, np.uint64)
        self.bits_of = bits_of_row(0)
        self.out = np.empty(0, np.uint8)

    def take(self, row: int) -> None:
        """Make room for rows of so many bytes."""
        if self.runs.size < runs.MOST + row:
            self.runs = np.empty(runs.MOST + row, np.uint64)
            self.bits_of = bits_of_row(row)
            self.out = np.empty(blocks.most_bytes(runs.COVERED + row), np.uint8)


_memory = _Memory()


def deflate_labels(labels: NDArray[np.uint8]) -> bytes:
    """A label map, uint8 (H, W) C-contiguous, as the zlib stream of its filtered scanlines."""
    height, width = labels.shape
    _memory.take(1 + width)
    flat, state = labels.reshape(-1), runs.begin(0)

    def find() -> Iterator[bool]:
        y = 0
        while y < height:
            y = runs.of_labels(flat, width, y, _memory.runs, state, _memory.bits_of)
            yield y == height

    return _deflated(find(), state)


def deflate_scanlines(lines: NDArray[np.uint8]) -> bytes:
    """Scanlines that are filtered already, uint8 (H, 1 + W) C-contiguous, as a zlib stream."""
    height, row = lines.shape
    _memory.take(row)
    flat, state = lines.reshape(-1), runs.begin(int(lines[0, 0]))

    def find() -> Iterator[bool]:
        y = 0
        while y < height:
            y = runs.of_scanlines(flat, row, y, _memory.runs, state)
            yield y == height

    return _deflated(find(), state)


def _deflated(found: Iterator[bool], state: NDArray[np.uint64]) -> bytes:
    """The stream of runs that are found block by block; True for the last."""
    stream = blocks.begin()
    parts = [b"\x78\x01"]  # a window of 32 KiB, the fastest level (RFC 1950)
    for is_last in found:
        count = runs.end(_memory.runs, state)
        size = blocks.write(_memory.runs, count, is_last, stream, _memory.out)
        parts.append(_memory.out[:size].tobytes())
    return b"".join([*parts, blocks.checksum(stream)])
