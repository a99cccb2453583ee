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

KEPT = 1 << 18
"""Bytes of a row up to which memory is kept for the next label map."""


class _Memory:
    """What is deflated with: the runs of a block, what is known of a row, a block of the stream."""

    def __init__(self, row: int) -> None:
        self.row = row
        self.runs = np.empty(runs.MOST + row, np.uint64)
        self.bits_of = bits_of_row(row)
        self.out = np.empty(blocks.most_bytes(runs.COVERED + row), np.uint8)


class _Kept(threading.local):
    memory: _Memory | None = None


_kept = _Kept()


def _memory(row: int) -> _Memory:
    """Memory for rows of so many bytes, this thread's own."""
    memory = _kept.memory
    if memory is None or memory.row < row:
        memory = _Memory(row)
        if row <= KEPT:
            _kept.memory = memory
    return memory


def deflate_labels(labels: NDArray[np.uint8]) -> bytes:
    """A label map, uint8 (H, W) C-contiguous, as the zlib stream of its filtered scanlines."""
    height, width = labels.shape
    memory = _memory(1 + width)
    flat, state = labels.reshape(-1), runs.begin(0)

    def find() -> Iterator[bool]:
        y = 0
        while y < height:
            y = runs.of_labels(flat, width, y, memory.runs, state, memory.bits_of)
            yield y == height

    return _deflated(find(), state, memory)


def deflate_scanlines(lines: NDArray[np.uint8]) -> bytes:
    """Scanlines that are filtered already, uint8 (H, 1 + W) C-contiguous, as a zlib stream."""
    height, row = lines.shape
    memory = _memory(row)
    flat, state = lines.reshape(-1), runs.begin(int(lines[0, 0]))

    def find() -> Iterator[bool]:
        y = 0
        while y < height:
            y = runs.of_scanlines(flat, row, y, memory.runs, state)
            yield y == height

    return _deflated(find(), state, memory)


def _deflated(found: Iterator[bool], state: NDArray[np.uint64], memory: _Memory) -> bytes:
    """The stream of runs that are found block by block; True for the last."""
    stream = blocks.begin()
    parts = [b"\x78\x01"]  # a window of 32 KiB, the fastest level (RFC 1950)
    for is_last in found:
        count = runs.end(memory.runs, state)
        size = blocks.write(memory.runs, count, is_last, stream, memory.out)
        parts.append(memory.out[:size].tobytes())
    return b"".join([*parts, blocks.checksum(stream)])
