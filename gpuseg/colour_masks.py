"""Colour masks file to pixels and back: by the direct PNG path, and by Pillow what that leaves."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
from numpy.typing import NDArray

from gpuseg import direct
from gpuseg.codecs import pillow, png
from gpuseg.codecs.fingerprint import Fingerprint
from gpuseg.codecs.opening import ImageFile
from gpuseg.codecs.rgb_png import rgb_png
from gpuseg.codecs.streams import rows_at_once
from gpuseg.mask import DecodedMask

_SUB, _UP = 1, 2  # PNG specification, 9.2


def read_colour_mask(path: ImageFile, max_pixels: int) -> DecodedMask:
    """The pixels of a file.

    max_pixels: larger images are refused from their header, before memory is taken.
    Raises UnreadableMaskError, BrokenMaskError, MaskSizeError or UnsupportedMaskError.
    """
    with suppress(png.NotDirectError):
        return direct.decode(png.read_scanlines(path, max_pixels), lambda stage: None)
    return pillow.read_mask(path, max_pixels)


def encode_colour_mask(pixels: NDArray[np.uint8], fingerprint: Fingerprint) -> bytes:
    """An RGB PNG of a mask, uint8 (H, W, 3), C-contiguous, of at least one pixel."""
    from gpuseg.kernels.deflate import deflate_scanlines

    height, width = pixels.shape[:2]
    lines = _filtered(pixels.reshape(height, 3 * width))
    return rgb_png(width, height, deflate_scanlines(lines), fingerprint)


def _filtered(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Scanlines of RGB rows, uint8 (H, 3 * W): each by Up or Sub, whichever leaves more zeros."""
    height, row = rows.shape
    lines = np.empty((height, 1 + row), np.uint8)
    step = rows_at_once(height, row)  # what is compared stays in the cache
    for y in range(0, height, step):
        block = rows[y : y + step]
        up, sub = block.copy(), block.copy()
        up[1:] -= block[:-1]
        if y:
            up[0] -= rows[y - 1]
        sub[:, 3:] -= block[:, :-3]
        is_sub = _strange(sub) < _strange(up)
        up[is_sub] = sub[is_sub]
        lines[y : y + step, 0] = np.where(is_sub, _SUB, _UP)
        lines[y : y + step, 1:] = up
    return lines


def _strange(rows: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """How many bytes of each row are not zero."""
    counts: NDArray[np.uint32] = (rows != 0).view(np.uint8).sum(axis=1, dtype=np.uint32)
    return counts
