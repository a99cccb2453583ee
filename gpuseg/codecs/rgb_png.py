"""The direct path out for colours: deflated scanlines as an 8-bit RGB PNG."""

from __future__ import annotations

from gpuseg.codecs.chunks import END, HEADER, RGB, SIGNATURE, chunk
from gpuseg.codecs.fingerprint import CHUNK, Fingerprint


def rgb_png(width: int, height: int, deflated: bytes, fingerprint: Fingerprint) -> bytes:
    """A colour mask as a PNG file: colour type 2, 8 bits, one IDAT.

    deflated: a zlib stream of the filter byte and `3 * width` filtered bytes of each row.
    """
    header = HEADER.pack(width, height, 8, RGB, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(CHUNK, fingerprint.payload()), chunk(b"IDAT", deflated)]
    return b"".join([SIGNATURE, *parts, END])
