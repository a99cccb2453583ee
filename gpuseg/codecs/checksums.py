"""PNG checksums: every chunk's, so that a damaged file is noticed and told where it broke.

Pillow skips the checksums of pixel data (IDAT) and of what follows, so a flipped bit could
change labels without a word.
"""

from __future__ import annotations

import struct
import zlib
from typing import IO

from gpuseg.codecs.chunks import SIGNATURE, cut_off, damaged

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
