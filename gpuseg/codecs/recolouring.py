"""Another palette for a palette PNG: its PLTE chunk is replaced, nothing is decoded."""

from __future__ import annotations

from pathlib import Path

from gpuseg.codecs.chunks import END, HEADER, PALETTE, SIGNATURE, chunk, read_chunks
from gpuseg.codecs.fingerprint import CHUNK, Fingerprint
from gpuseg.codecs.opening import check_size
from gpuseg.errors import BrokenMaskError, UnreadableMaskError, UnsupportedMaskError


def recolour(
    path: str | Path, plte: bytes, fingerprint: Fingerprint, max_pixels: int
) -> tuple[bytes, int, int]:
    """The PNG with other colours, its width and its height.

    plte: the 768 bytes of a palette; a file of fewer bits gets as many entries as it can have.
    Raises UnreadableMaskError, BrokenMaskError, MaskSizeError, and UnsupportedMaskError for
    what is no palette PNG.
    """
    try:
        png = Path(path).read_bytes()
    except OSError as error:
        raise UnreadableMaskError(f"cannot be opened: {error.strerror}") from error
    if not png.startswith(SIGNATURE):
        raise UnsupportedMaskError("is no PNG; only a palette PNG can be given other colours")
    parts = [SIGNATURE]
    width = height = bits = 0
    for name, data in read_chunks(png):
        if name == b"IHDR":
            width, height, bits, kind, *_ = HEADER.unpack(data)
            check_size(width, height, max_pixels)
            if kind != PALETTE:
                raise UnsupportedMaskError("has no palette: it holds colours or grey values")
            parts += [chunk(name, bytes(data)), chunk(CHUNK, fingerprint.payload())]
        elif name == b"PLTE":
            parts.append(chunk(name, plte[: 3 << bits]))
        elif name not in (CHUNK, b"hIST", b"IEND"):
            parts.append(chunk(name, bytes(data)))
    if not bits:
        raise BrokenMaskError("is damaged: it has no header; restore it from its source")
    return b"".join([*parts, END]), width, height
