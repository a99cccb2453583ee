"""The direct path out: the deflated scanlines of a label map as an 8-bit palette PNG."""

from __future__ import annotations

from gpuseg.codecs.chunks import END, HEADER, PALETTE, SIGNATURE, chunk
from gpuseg.codecs.fingerprint import CHUNK, Fingerprint


def palette_png(
    width: int,
    height: int,
    deflated: bytes,
    plte: bytes,
    fingerprint: Fingerprint | None = None,
) -> bytes:
    """A label map as a PNG file: colour type 3, 8 bits, all 256 palette entries, one IDAT.

    deflated: a zlib stream of the filter byte and `width` filtered bytes of each row.
    plte: the 768 bytes of the palette.
    """
    header = HEADER.pack(width, height, 8, PALETTE, 0, 0, 0)
    parts = [SIGNATURE, chunk(b"IHDR", header)]
    if fingerprint is not None:  # early, so that a file that lost its end is known as ours
        parts.append(chunk(CHUNK, fingerprint.payload()))
    parts += [chunk(b"PLTE", plte), chunk(b"IDAT", deflated), END]
    return b"".join(parts)
