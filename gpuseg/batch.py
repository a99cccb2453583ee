"""Ragged batches: the scanlines of many images in one flat buffer, and what becomes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Shape = tuple[int, int]

Labels = NDArray[Any]  # uint8 or uint16

TRANSPARENT, BAD_FILTER = 1, 2
"""What may be wrong with an image: alpha that is not 255, a row filter that PNG does not know."""


def pixel_offsets(shapes: Sequence[Shape]) -> NDArray[np.int64]:
    """Where each image starts in a flat buffer, in pixels: int64 of shape (N + 1,)."""
    sizes = [height * width for height, width in shapes]
    return np.concatenate([[0], np.cumsum(sizes, dtype=np.int64)]).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class ScanlineBatch:
    """The scanlines of N images of mixed sizes and kinds, as the codec hands them over.

    data: uint8 (B,). Row y of image i is the 1 + widths[i] * channels[i] bytes, a filter byte
        first, from starts[i] + y * (1 + widths[i] * channels[i]) on.
    starts: int64 (N,), ascending, in bytes. widths, heights: int64 (N,), in pixels, from 1.
    channels: int64 (N,), bytes a pixel: 1 (palette positions), 3 (RGB) or 4 (RGBA).
    entries: the tables of palette images, (K, 256) of the lookup's dtype, see `Lookup.entries`.
    tables: int64 (N,), which of the entries an image of 1 channel takes; else not looked at.
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    widths: NDArray[np.int64]
    heights: NDArray[np.int64]
    channels: NDArray[np.int64]
    entries: NDArray[Any]
    tables: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.starts)

    @property
    def row_bytes(self) -> NDArray[np.int64]:
        """Bytes of a scanline of each image, its filter byte included: int64 (N,)."""
        return 1 + self.widths * self.channels

    @property
    def pixels(self) -> int:
        """Pixels of all images."""
        return int((self.widths * self.heights).sum())

    def part(self, start: int, stop: int) -> ScanlineBatch:
        """Images `start` to `stop`, without a copy."""
        first = int(self.starts[start])
        last = int(self.starts[stop - 1] + (self.row_bytes * self.heights)[stop - 1])
        some = slice(start, stop)
        return ScanlineBatch(
            self.data[first:last],
            self.starts[some] - first,
            self.widths[some],
            self.heights[some],
            self.channels[some],
            self.entries,
            self.tables[some],
        )

    def label_starts(self, depth: int) -> NDArray[np.int64]:
        """Where the labels of each image start in a LabelLines of that depth: int64 (N + 1,).

        In bytes; the last is the size of all.
        """
        row = 1 + self.widths if depth == 8 else 2 * pitch(self.widths)
        return np.concatenate([[0], np.cumsum(row * self.heights)]).astype(np.int64)


def pitch(widths: NDArray[np.int64]) -> NDArray[np.int64]:
    """Labels from a row to the next where rows start at a multiple of 4 labels."""
    return -(-widths // 4) * 4


@dataclass(frozen=True, slots=True, eq=False)
class LabelLines:
    """What a device makes of a ScanlineBatch.

    data: uint8. At depth 8 the scanlines of the label maps, filtered as `filters.filter_rows`
        does; at depth 16 labels, uint16, with rows that start at multiples of 4 labels.
    starts: int64 (N + 1,), `ScanlineBatch.label_starts`.
    unknown: int64 (N,), pixels of each image whose entry is flagged unknown.
    flags: uint32 (N,), TRANSPARENT and BAD_FILTER. Labels of flagged images are of no use.
    seconds: of the whole batch, by stage: upload, index, download.
    """

    data: NDArray[np.uint8]
    starts: NDArray[np.int64]
    unknown: NDArray[np.int64]
    flags: NDArray[np.uint32]
    seconds: Mapping[str, float] = field(default_factory=dict)

    def scanlines(self, i: int, shape: Shape) -> NDArray[np.uint8]:
        """Label scanlines of image i at depth 8, uint8 (H, 1 + W), a view."""
        height, width = shape
        return self.data[self.starts[i] : self.starts[i + 1]].reshape(height, 1 + width)

    def labels(self, i: int, shape: Shape) -> NDArray[np.uint16]:
        """Labels of image i at depth 16, uint16 (H, W), a view."""
        height, width = shape
        memory = self.data[self.starts[i] : self.starts[i + 1]].view(np.uint16)
        return memory.reshape(height, -1)[:, :width]
