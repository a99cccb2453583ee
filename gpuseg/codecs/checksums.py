"""What Pillow does not check of a PNG, so that a damaged file is noticed and told where it broke.

Pillow skips the checksums of pixel data (IDAT) and of what follows, so a flipped bit could
change labels without a word; and where the pixels end early, at the end of a row, it leaves
the remaining rows black.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from gpuseg.codecs.chunks import CHANNELS, HEADER, SIGNATURE, cut_off, damaged, row_bytes
from gpuseg.codecs.streams import check_stream, crc32

BLOCK = 1 << 20
"""Bytes read at a time: a chunk may claim 2 GiB."""


def check_png(file: IO[bytes]) -> None:
    """Check all chunks of a file if it is a PNG; `file` is at its start before and after.

    Raises BrokenMaskError for a checksum that differs and for a file that ends early.
    """
    try:
        if file.read(len(SIGNATURE)) == SIGNATURE:
            for _ in _pieces(file):
                pass
    finally:
        file.seek(0)


def check_pixels(file: IO[bytes]) -> None:
    """Check that a PNG whose chunks are right holds all its pixels; `file` stays where it is.

    Raises BrokenMaskError for pixels that end early or are damaged.
    """
    back = file.tell()
    try:
        file.seek(len(SIGNATURE) + 8)
        width, height, bits, kind, _, _, interlaced = HEADER.unpack(file.read(HEADER.size))
        size = 0
        for x, y, across, down in _ADAM7 if interlaced else _ONE_PASS:
            columns, rows = -(-(width - x) // across), -(-(height - y) // down)
            if columns > 0 and rows > 0:
                size += rows * (1 + row_bytes(columns, bits, CHANNELS[kind]))
        file.seek(len(SIGNATURE))
        check_stream((piece for name, piece in _pieces(file) if name == b"IDAT"), size)
    finally:
        file.seek(back)


_ONE_PASS = ((0, 0, 1, 1),)
_ADAM7 = (
    *((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4)),
    *((0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)),
)
"""First column and row and the steps of each pass (PNG specification, 8.2)."""


def _pieces(file: IO[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """Name and data of all chunks, up to IEND, in pieces that are small enough for memory."""
    name = b""
    while name != b"IEND":
        at = file.tell()
        head = file.read(8)
        if len(head) < 8:
            raise cut_off(at + len(head))
        length, name = int.from_bytes(head[:4], "big"), head[4:]
        checksum, left = crc32(name), length
        while left:
            piece = file.read(min(left, BLOCK))
            if not piece:
                raise cut_off(at + 8 + length - left)
            checksum, left = crc32(piece, checksum), left - len(piece)
            yield name, piece
        stored = file.read(4)
        if len(stored) < 4:
            raise cut_off(at + 8 + length + len(stored))
        if int.from_bytes(stored, "big") != checksum:
            raise damaged(name, at)
