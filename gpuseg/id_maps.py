"""Images whose colours are numbers: which ids they hold, and where."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gpuseg import direct
from gpuseg.codecs import pillow, png
from gpuseg.codecs.opening import ImageFile
from gpuseg.errors import UnsupportedMaskError
from gpuseg.indexing import colour_pixels
from gpuseg.mask import DecodedMask
from gpuseg.scratch import Scratch

MOST = (1 << 16) - 1
"""The largest number that `IdMap.numbered` gives."""

_IDS = 1 << 24
_pixels = Scratch()
_numbers = Scratch()


class _Tables(threading.local):
    """For each id a number, of which only those of the ids of the image at hand mean anything.

    small, large: uint16 and uint32 (2**24,), memory that is taken as it is touched.
    """

    def __init__(self) -> None:
        self.small = np.zeros(_IDS, np.uint16)
        self.large = np.zeros(_IDS, np.uint32)


_tables = _Tables()


@dataclass(frozen=True, slots=True, eq=False)
class IdMap:
    """An image whose pixel is the id r + 256 g + 65536 b.

    pixels: uint8 (H, W, 3), RGB, valid until this thread reads the next. ids: uint32 (K,), those
    that there are, in the order in which they first come. counts: int64 (K,), their pixels.
    """

    pixels: NDArray[np.uint8]
    ids: NDArray[np.uint32]
    counts: NDArray[np.int64]

    @property
    def size(self) -> tuple[int, int]:
        """Width and height, in pixels."""
        return int(self.pixels.shape[1]), int(self.pixels.shape[0])

    def numbered(self, numbers: Sequence[int]) -> NDArray[np.unsignedinteger]:
        """The number of each pixel, by that of its id: uint8 or uint16 (H, W).

        numbers: K of them, 0 to MOST. Valid until this thread numbers the next.
        """
        from gpuseg.kernels import cpu  # numba loads with the first image

        is_small = max(numbers, default=0) < 1 << 8
        table = _tables.small if is_small else _tables.large
        table[self.ids] = numbers
        table = table.view()
        table.flags.writeable = False  # as other tables: kernels are compiled for that
        dtype: type[np.uint8] | type[np.uint16] = np.uint8 if is_small else np.uint16
        pixels = self.pixels.size // 3
        found: NDArray[np.unsignedinteger] = _numbers.take(pixels * dtype().itemsize).view(dtype)
        ends = np.array([0, pixels])
        cpu.index_pixels(self.pixels.reshape(-1), ends, table, found, np.zeros(1, np.int64))
        return found.reshape(self.pixels.shape[:2])


def read_id_map(path: ImageFile, max_pixels: int) -> IdMap:
    """The ids of an image.

    max_pixels: larger images are refused from their header, before memory is taken.
    Raises UnreadableMaskError, BrokenMaskError, MaskSizeError, and UnsupportedMaskError where
    colours may not be what they were, or are none.
    """
    from gpuseg.kernels.census import count_colours

    mask = _decoded(path, max_pixels)
    if mask.grey:
        raise UnsupportedMaskError(
            "is greyscale, and ids are colours (r + 256 g + 65536 b); save the ids as 8-bit RGB"
        )
    if mask.warnings:
        raise UnsupportedMaskError(
            f"cannot hold ids: {'; '.join(mask.warnings)}; take the PNG that it was made from"
        )
    pixels = np.ascontiguousarray(colour_pixels(mask))
    ids, counts = count_colours(pixels.reshape(-1))
    return IdMap(pixels, ids, counts)


def _decoded(path: ImageFile, max_pixels: int) -> DecodedMask:
    with suppress(png.NotDirectError):
        scanlines = png.read_scanlines(path, max_pixels)
        return direct.decode(scanlines, lambda stage: None, _pixels.take)
    return pillow.read_mask(path, max_pixels)
