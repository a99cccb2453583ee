"""What Pillow does not check of a PNG, so that a damaged file is noticed and told where it broke.

Pillow skips the checksums of pixel data (IDAT) and of what follows, so a flipped bit could
change labels without a word; and where the pixels end early, at the end of a row, it leaves
the remaining rows black.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from typing import IO

from gpuseg.codecs.chunks import SIGNATURE, cut_off, damaged
from gpuseg.codecs.streams import check_stream

BLOCK = 1 << 20
"""Bytes read at a time: a chunk may claim 2 GiB."""


def check_png(file: IO[bytes]) -> None:
    """Check all chunks of a file if it is a PNG; `file` is at its start before and after.

    Raises BrokenMaskError for a checksum that differs and for a file that ends early.
    """
    try:
        if file.read(len(SIGNATURE)) == SIGNATURE:
            while _check_chunk(file) != b"IEND":
                pass
    finally:
        file.seek(0)


def check_pixels(file: IO[bytes]) -> None:
    """Check that a PNG whose chunks are right holds all its pixels; `file` stays where it is.

    Raises BrokenMaskError for pixels that end early or are damaged.
    """
    back = file.tell()
    try:
        file.seek(len(SIGNATURE))
        header = file.read(8 + 13)
        width, height, bits, kind, _, _, interlaced = struct.unpack(">8xIIBBBBB", header)
        file.seek(len(SIGNATURE))
        passes = _ADAM7 if interlaced else ((0, 0, 1, 1),)
        size = 0
        for x, y, across, down in passes:
            columns, rows = -(-(width - x) // across), -(-(height - y) // down)
            if columns > 0 and rows > 0:
                size += rows * (1 + (columns * bits * _CHANNELS.get(kind, 0) + 7) // 8)
        check_stream(_pixel_data(file), size)
    finally:
        file.seek(back)


_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_ADAM7 = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)
"""First column and row and the steps of each pass (PNG specification, 8.2)."""


def _pixel_data(file: IO[bytes]) -> Iterator[bytes]:
    """The data of all IDAT chunks, in pieces."""
    name = b""
    while name != b"IEND":
        head = file.read(8)
        left, name = int.from_bytes(head[:4], "big"), head[4:]
        while name == b"IDAT" and left:
            piece = file.read(min(left, BLOCK))
            left -= len(piece)
            yield piece
        file.seek(left + 4, 1)


def _check_chunk(file: IO[bytes]) -> bytes:
    """Read one chunk; returns its name."""
    at = file.tell()
    head = file.read(8)
    if len(head) < 8:
        raise cut_off(at + len(head))
    length, name = int.from_bytes(head[:4], "big"), head[4:]
    checksum, left = zlib.crc32(name), length
    while left:
        block = file.read(min(left, BLOCK))
        if not block:
            raise cut_off(at + 8 + length - left)
        checksum, left = zlib.crc32(block, checksum), left - len(block)
    stored = file.read(4)
    if len(stored) < 4:
        raise cut_off(at + 8 + length + len(stored))
    if stored != struct.pack(">I", checksum):
        raise damaged(name, at)
    return name
