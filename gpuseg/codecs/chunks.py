"""The chunks that a PNG is made of (PNG specification, 5)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from gpuseg.codecs.streams import crc32
from gpuseg.errors import BrokenMaskError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = b"\x00\x00\x00\x00IEND\xae\x42\x60\x82"

HEADER = struct.Struct(">IIBBBBB")
"""IHDR: width, height, bits, kind, compression, filters, interlacing."""

GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}
"""Colour kinds, and the channels of each."""

_HEAD = struct.Struct(">I4s")
_CHECKSUM = struct.Struct(">I")


def row_bytes(width: int, bits: int, channels: int) -> int:
    """Bytes of a row of `width` pixels without its filter byte. bits: of each channel."""
    return (width * channels * bits + 7) // 8


def chunk(name: bytes, data: bytes) -> bytes:
    """A chunk: length, name, data, checksum."""
    checksum = crc32(data, crc32(name))
    return b"".join([_HEAD.pack(len(data), name), data, _CHECKSUM.pack(checksum)])


def read_chunks(png: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """Name and data of each chunk of a PNG in memory, up to IEND. Raises as `find_chunks`."""
    view = memoryview(png)
    for name, at, end in find_chunks(png):
        yield name, view[at + 8 : end - 4]


def find_chunks(png: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, first byte and end of each chunk of a PNG in memory, up to IEND.

    Raises BrokenMaskError for a checksum that differs and for a file that ends early.
    """
    view, size = memoryview(png), len(png)
    at, name = len(SIGNATURE), b""
    while name != b"IEND":
        if at + 8 > size:
            raise cut_off(size)
        length, name = _HEAD.unpack_from(png, at)
        end = at + 12 + length
        if end > size:
            raise cut_off(size)
        if crc32(view[at + 4 : end - 4]) != _CHECKSUM.unpack_from(png, end - 4)[0]:
            raise damaged(name, at)
        yield name, at, end
        at = end


def damaged(name: bytes, at: int) -> BrokenMaskError:
    """The error for a chunk whose checksum differs. at: its offset in the file."""
    return BrokenMaskError(
        f"is damaged: the checksum of PNG chunk {name.decode('latin-1')!r} at byte {at:,} "
        "differs; restore it from its source"
    )


def cut_off(end: int) -> BrokenMaskError:
    """The error for a PNG that ends early, after `end` bytes."""
    return BrokenMaskError(
        f"is cut off: it ends after {end:,} bytes, in the middle of a PNG; restore it from its "
        "source"
    )
