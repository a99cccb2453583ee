"""The direct path out: filtered scanlines of a label map to an 8-bit palette PNG."""

from __future__ import annotations

from collections.abc import Iterable

from gpuseg.codecs.chunks import END, HEADER, PALETTE, SIGNATURE, chunk
from gpuseg.codecs.fingerprint import CHUNK, Fingerprint
from gpuseg.codecs.streams import deflate


def palette_png(
    width: int,
    height: int,
    scanlines: Iterable[bytes | memoryview],
    plte: bytes,
    fingerprint: Fingerprint | None = None,
) -> bytes:
    """A label map as a PNG file: colour type 3, 8 bits, all 256 palette entries, one IDAT.

    scanlines: filter byte and `width` filtered bytes a row, some whole rows at a time.
    plte: the 768 bytes of the palette.
    """
    header = HEADER.pack(width, height, 8, PALETTE, 0, 0, 0)
    parts = [SIGNATURE, chunk(b"IHDR", header)]
    if fingerprint is not None:  # early, so that a file that lost its end is known as ours
        parts.append(chunk(CHUNK, fingerprint.payload()))
    parts += [chunk(b"PLTE", plte), chunk(b"IDAT", deflate(scanlines)), END]
    return b"".join(parts)
