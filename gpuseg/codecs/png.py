"""The direct path in: a PNG to its inflated scanlines, for the kind of PNG that masks are.

Strict: all that the pixels depend on is checked before it is believed. What it does not read is
left to the Pillow codec by NotDirectError, and what is damaged is refused here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np

from gpuseg.codecs.chunks import (
    CHANNELS,
    END,
    GREY,
    HEADER,
    PALETTE,
    RGB,
    RGBA,
    SIGNATURE,
    read_chunks,
    row_bytes,
)
from gpuseg.codecs.fingerprint import CHUNK as FINGERPRINT
from gpuseg.codecs.opening import GREYS, ImageFile, check_size
from gpuseg.codecs.streams import TooMuchDataError, inflate, rows_at_once
from gpuseg.errors import UnreadableMaskError
from gpuseg.mask import Scanlines

NAME = "png"

_FIRST_READ = 1 << 16
_NEXT_READ = 1 << 20
_BINARY = getattr(os, "O_BINARY", 0)

_START = SIGNATURE + HEADER.size.to_bytes(4, "big") + b"IHDR"

_LEFT_TO_PILLOW = (b"tRNS", b"acTL")
"""Chunks that change what pixels mean: transparency, and several frames."""


class NotDirectError(Exception):
    """A file that the direct path does not read; the Pillow codec may."""


class Header(NamedTuple):
    """What IHDR says of an image that the direct path reads.

    kind: of colours, see `chunks`. row_bytes: without filter byte.
    """

    width: int
    height: int
    bits: int
    kind: int
    row_bytes: int


def read_scanlines(path: ImageFile, max_pixels: int, *, grey: bool = False) -> Scanlines:
    """The scanlines of a PNG of 8-bit RGB or RGBA, or of a palette with 1 to 8 bits.

    grey: also of greyscale with 8 bits.
    max_pixels: larger images are refused from their header, before memory is taken.
    Raises NotDirectError for any other file, UnreadableMaskError, BrokenMaskError or
    MaskSizeError. Damage inside the pixel data is found when they are inflated.
    """
    png, header = _read(path, max_pixels, grey)
    idat, plte, mark = _parts(png)
    if (header.kind, plte is None) in ((PALETTE, True), (GREY, False)):
        raise NotDirectError("no palette, or one where none may be")
    colours = GREYS if header.kind == GREY else None
    if header.kind == PALETTE and plte is not None:
        colours = np.frombuffer(plte, np.uint8).reshape(-1, 3)
    return Scanlines(
        width=header.width,
        height=header.height,
        channels=CHANNELS[header.kind],
        bits=header.bits,
        row_bytes=header.row_bytes,
        colours=colours,
        grey=header.kind == GREY,
        mark=mark,
        codec=NAME,
        inflate=partial(_inflate, idat, header),
    )


def _parts(png: bytes) -> tuple[bytearray, memoryview | None, bytes]:
    """The pixel data of a file, its palette, and what gpuseg wrote into it."""
    idat = bytearray()  # not a list of pieces: they may be without number, and empty
    plte: memoryview | None = None
    before, seen, mark = b"", False, b""
    for name, data in read_chunks(png):
        if name == b"IDAT":
            if seen and before != b"IDAT":
                raise NotDirectError("pixel data in several places")
            seen = True
            idat += data
        elif name == b"PLTE":
            if plte is not None or seen or len(data) % 3 or not 3 <= len(data) <= 768:
                raise NotDirectError("an unusual palette")
            plte = data
        elif name == FINGERPRINT:
            mark = bytes(data)
        elif name in _LEFT_TO_PILLOW or (name == b"IHDR") == bool(before) or _is_strange(name):
            raise NotDirectError(f"chunk {name!r}")
        before = name
    if not seen:
        raise NotDirectError("no pixels")
    return idat, plte, mark


def _read(path: ImageFile, max_pixels: int, grey: bool) -> tuple[bytes, Header]:
    """A whole file that begins like a PNG of ours."""
    if isinstance(path, bytes):
        header = _header(path, grey)
        check_size(header.width, header.height, max_pixels)
        if len(path) > _FIRST_READ + _limit(header):
            raise NotDirectError("mostly something else than pixels")
        return path, header
    try:
        file = os.open(path, os.O_RDONLY | _BINARY)
        try:
            png = os.read(file, _FIRST_READ)
            header = _header(png, grey)
            check_size(header.width, header.height, max_pixels)
            if len(png) < _FIRST_READ and png.endswith(END):  # as nearly always: no look for more
                return png, header
            limit = _limit(header)
            blocks = [png]
            while block := os.read(file, _NEXT_READ):
                blocks.append(block)
                limit -= len(block)
                if limit < 0:
                    raise NotDirectError("mostly something else than pixels")
        finally:
            os.close(file)
    except OSError as error:
        raise UnreadableMaskError(f"cannot be opened: {error.strerror}") from error
    return b"".join(blocks), header


def _limit(header: Header) -> int:
    """Bytes that the rest of a file may have."""
    return 2 * (1 + header.row_bytes) * header.height + (1 << 20)


def _header(png: bytes, grey: bool) -> Header:
    if not png.startswith(_START) or len(png) < len(_START) + HEADER.size:
        raise NotDirectError("no PNG")
    width, height, bits, kind, *ways = HEADER.unpack_from(png, len(_START))
    known = kind == PALETTE and bits in (1, 2, 4, 8)
    if kind in (RGB, RGBA) or (grey and kind == GREY):
        known = bits == 8
    if not known or ways != [0, 0, 0] or not 0 < width < 1 << 31 or not 0 < height < 1 << 31:
        raise NotDirectError("a kind of PNG that masks seldom are")
    next(read_chunks(png))  # its checksum, before the size is believed
    return Header(width, height, bits, kind, row_bytes(width, bits, CHANNELS[kind]))


def _is_strange(name: bytes) -> bool:
    """Whether a chunk must be understood and is not: its name begins with a capital.

    A name of other bytes than letters is none, whatever its checksum says.
    """
    return not name.isalpha() or (name[:1].isupper() and name not in (b"IHDR", b"IEND"))


def _inflate(compressed: bytearray, header: Header) -> Iterator[bytes]:
    row = 1 + header.row_bytes
    rows = rows_at_once(header.height, row)
    try:
        yield from inflate(compressed, row * header.height, row * rows)
    except TooMuchDataError:
        raise NotDirectError("more pixels than the header says") from None
