"""The direct path out: deflated scanlines as a PNG, of a palette or of RGB, with 8 bits."""

from __future__ import annotations

from gpuseg.codecs.chunks import END, HEADER, PALETTE, RGB, SIGNATURE, chunk
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
    parts = _start(width, height, PALETTE, fingerprint)
    return b"".join([*parts, chunk(b"PLTE", plte), chunk(b"IDAT", deflated), END])


def rgb_png(
    width: int, height: int, deflated: bytes, fingerprint: Fingerprint | None = None
) -> bytes:
    """A colour mask as a PNG file: colour type 2, 8 bits a channel, one IDAT.

    deflated: a zlib stream of the filter byte and `3 * width` filtered bytes of each row.
    """
    parts = _start(width, height, RGB, fingerprint)
    return b"".join([*parts, chunk(b"IDAT", deflated), END])


def _start(width: int, height: int, kind: int, fingerprint: Fingerprint | None) -> list[bytes]:
    parts = [SIGNATURE, chunk(b"IHDR", HEADER.pack(width, height, 8, kind, 0, 0, 0))]
    if fingerprint is not None:  # early, so that a file that lost its end is known as ours
        parts.append(chunk(CHUNK, fingerprint.payload()))
    return parts
