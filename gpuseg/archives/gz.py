"""Gzipped files with room for a mark in their header."""

from __future__ import annotations

import struct
from typing import IO

from gpuseg.codecs.streams import crc32, raw_deflater

_FEXTRA = 4

EXTRA_AT = 16
"""Where the extra data begin: after the fixed header and the head of the one field there is."""


class GzipSink:
    """Deflates what is written into a file, with `extra` in the header (RFC 1952, FEXTRA).

    No name and no time: the same data give the same bytes.
    """

    def __init__(self, file: IO[bytes], extra: bytes) -> None:
        field = b"gS" + struct.pack("<H", len(extra)) + extra
        file.write(b"\x1f\x8b\x08" + struct.pack("<BIBBH", _FEXTRA, 0, 0, 255, len(field)) + field)
        self._file, self._deflater = file, raw_deflater()
        self._crc = self._size = 0

    def write(self, data: bytes) -> int:
        """Deflate. Raises OSError."""
        self._crc = crc32(data, self._crc)
        self._size += len(data)
        self._file.write(self._deflater.compress(data))
        return len(data)

    def finish(self) -> None:
        """Write the end; the file stays open. Raises OSError."""
        self._file.write(self._deflater.flush())
        self._file.write(struct.pack("<II", self._crc, self._size & 0xFFFFFFFF))
