"""Another palette for a label map in a PNG: its chunks are exchanged, nothing is decoded."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from gpuseg.codecs.chunks import (
    END,
    GREY,
    HEADER,
    PALETTE,
    SIGNATURE,
    chunk,
    cut_off,
    find_chunks,
    row_bytes,
)
from gpuseg.codecs.fingerprint import CHUNK, Fingerprint
from gpuseg.codecs.opening import ImageFile, check_size
from gpuseg.errors import BrokenMaskError, UnreadableMaskError, UnsupportedMaskError

_FIRST_READ = 1 << 16
_NEXT_READ = 1 << 20
_BINARY = getattr(os, "O_BINARY", 0)

_START = SIGNATURE + HEADER.size.to_bytes(4, "big") + b"IHDR"
_HEADER_END = len(_START) + HEADER.size + 4

_OF_OLD_COLOURS = frozenset({CHUNK, b"hIST", b"sBIT", b"sPLT"})
"""What would be wrong of other colours: how often, how exact, which to suggest; our own mark."""

_OF_GREY = _OF_OLD_COLOURS | {b"bKGD", b"iCCP"}
"""And of greyscale: its background is a value, its profile one of grey."""

_MOVING = frozenset({b"acTL", b"fcTL", b"fdAT"})

_DEPTHS = {PALETTE: (1, 2, 4, 8), GREY: (1, 2, 4, 8, 16)}
_KINDS = {2: "RGB", 4: "greyscale with alpha", 6: "RGBA"}


class Recoloured(NamedTuple):
    """The PNG with other colours, its size in pixels, and what to warn of."""

    data: bytes
    width: int
    height: int
    warnings: tuple[str, ...]


class _Head(NamedTuple):
    """What IHDR says: pixels across and down, bits of an index, the kind of colours."""

    width: int
    height: int
    bits: int
    kind: int


@dataclass(slots=True)
class _Parts:
    """Where what is kept of a file lies, before and after its palette, and what to warn of."""

    before: list[slice] = field(default_factory=list)
    after: list[slice] = field(default_factory=list)
    warnings: tuple[str, ...] = ()

    @staticmethod
    def keep(parts: list[slice], at: int, end: int) -> None:
        """Add a chunk: to the last part if it follows that, for there may be many chunks."""
        if parts and parts[-1].stop == at:
            at = parts.pop().start
        parts.append(slice(at, end))


def recolour(path: ImageFile, plte: bytes, fingerprint: Fingerprint, max_pixels: int) -> Recoloured:
    """A palette or greyscale PNG with other colours; as many bits as before, and the same indices.

    plte: the 768 bytes of a palette; a file of fewer bits gets as many entries as it can have.
    max_pixels: larger images are refused from their header, before memory is taken.

    Greyscale becomes palette. Transparency of palette entries stays where it is valid (else it
    goes, with a warning); chunks that are wrong of other colours go, all others stay. Every
    checksum of a chunk is checked. The pixels are copied as they are: damage of the zlib stream
    inside of right checksums stays, and an index beyond the old palette gets a new colour.
    Raises UnreadableMaskError, BrokenMaskError, MaskSizeError, and UnsupportedMaskError for
    what is no label map of up to 8 bits in a PNG of one frame.
    """
    png, head = _read(path, max_pixels)
    parts = _kept(png, head)
    view = memoryview(png)
    header = png[len(SIGNATURE) : _HEADER_END]
    if head.kind == GREY:
        header = _as_palette(header)
    data = b"".join(
        [
            SIGNATURE,
            header,
            chunk(CHUNK, fingerprint.payload()),
            *(view[part] for part in parts.before),
            _plte_chunk(plte, head.bits),
            *(view[part] for part in parts.after),
            END,
        ]
    )
    return Recoloured(data, head.width, head.height, parts.warnings)


def _as_palette(header: bytes) -> bytes:
    """The IHDR chunk of a greyscale file as that of a palette file."""
    width, height, bits, _, *ways = HEADER.unpack_from(header, 8)
    return chunk(b"IHDR", HEADER.pack(width, height, bits, PALETTE, *ways))


@lru_cache(maxsize=8)
def _plte_chunk(plte: bytes, bits: int) -> bytes:
    return chunk(b"PLTE", plte[: 3 << bits])


def _read(path: ImageFile, max_pixels: int) -> tuple[bytes, _Head]:
    """A whole file, as far as its header lets it be one."""
    if isinstance(path, bytes):
        head = _head(path)
        check_size(head.width, head.height, max_pixels)
        if len(path) > _FIRST_READ + _limit(head):
            raise _mostly_else()
        return path, head
    try:
        file = os.open(path, os.O_RDONLY | _BINARY)
        try:
            png = os.read(file, _FIRST_READ)
            head = _head(png)
            check_size(head.width, head.height, max_pixels)
            if len(png) < _FIRST_READ and png.endswith(END):  # whole, without another look
                return png, head
            limit = _limit(head)
            blocks = [png]
            while block := os.read(file, _NEXT_READ):
                blocks.append(block)
                limit -= len(block)
                if limit < 0:
                    raise _mostly_else()
        finally:
            os.close(file)
    except OSError as error:
        raise UnreadableMaskError(f"cannot be opened: {error.strerror}") from error
    return b"".join(blocks), head


def _limit(head: _Head) -> int:
    """Bytes that the rest of a file may have."""
    return 2 * (1 + row_bytes(head.width, head.bits, 1)) * head.height + (1 << 20)


def _mostly_else() -> UnsupportedMaskError:
    return UnsupportedMaskError(
        "is mostly something else than pixels (more than twice their bytes); save it as a "
        "palette PNG without the rest"
    )


def _head(png: bytes) -> _Head:
    """What the header says; its checksum is right."""
    if not png:
        raise BrokenMaskError("is empty (0 bytes); restore it from its source")
    if not png.startswith(SIGNATURE):
        raise UnsupportedMaskError(
            f"is no PNG (it starts with {png[:8]!r}); only a PNG's palette can be exchanged where "
            "it lies: save it as a palette PNG with the same indices"
        )
    if len(png) < _HEADER_END:
        raise cut_off(len(png))
    if not png.startswith(_START):
        raise _damaged("it does not begin with a header")
    next(find_chunks(png[:_HEADER_END]))  # its checksum, before the size is believed
    width, height, bits, kind, *ways = HEADER.unpack_from(png, len(_START))
    if kind in _KINDS:
        raise UnsupportedMaskError(
            f"holds colours ({_KINDS[kind]}), no indices; make a label map of it by gpuseg convert"
        )
    possible = 0 < width < 1 << 31 and 0 < height < 1 << 31 and ways in ([0, 0, 0], [0, 0, 1])
    if bits not in _DEPTHS.get(kind, ()) or not possible:
        raise _damaged(
            f"its header says {width:,} x {height:,} pixels of {bits} bits, kind {kind}, ways "
            f"{ways}, which PNG does not know"
        )
    if bits == 16:
        raise UnsupportedMaskError(
            "has indices of 16 bits, a palette holds colours for 8; bring them below 256 by "
            "gpuseg remap"
        )
    return _Head(width, height, bits, kind)


def _kept(png: bytes, head: _Head) -> _Parts:
    """All chunks but the header, the palette, the end, and what would be wrong."""
    parts = _Parts()
    gone = _OF_GREY if head.kind == GREY else _OF_OLD_COLOURS
    entries, pixels, last = 0, False, b""
    for name, at, end in find_chunks(png):
        if name == b"IDAT":
            if pixels and last != b"IDAT":
                raise _damaged("its pixel data lie in several places")
            if head.kind == PALETTE and not entries:
                raise _damaged("it has no palette before its pixels")
            pixels = True
            parts.keep(parts.after, at, end)
        elif name == b"PLTE":
            if head.kind == GREY or entries or pixels:
                raise _damaged("it has a palette where none may be")
            entries = _entries(end - at - 12, head.bits)
        elif name == b"tRNS":
            _refuse_grey(head.kind)
            if 0 < end - at - 12 <= entries and not pixels:
                parts.keep(parts.after, at, end)
            else:
                parts.warnings = ("its transparency (chunk tRNS) was invalid and is left out",)
        elif name == b"bKGD" and head.kind == PALETTE:
            if entries and not pixels and end - at == 13 and png[at + 8] < 1 << head.bits:
                parts.keep(parts.after, at, end)
        elif name not in gone and at > len(SIGNATURE) and name != b"IEND":
            _check_kind(name)
            parts.keep(parts.after if entries or pixels else parts.before, at, end)
        last = name
    if not pixels:
        raise _damaged("it has no pixels")
    return parts


def _check_kind(name: bytes) -> None:
    """Raise for a chunk that cannot be kept without knowing what it means."""
    if name in _MOVING:
        raise UnsupportedMaskError(
            "is animated (APNG), a label map is one image; save the frame you want on its own"
        )
    if not name.isalpha() or name[:1].isupper():  # a capital: it must be understood
        raise _damaged(f"chunk {name!r} must be understood, and PNG knows none there")


def _entries(size: int, bits: int) -> int:
    """Colours of a palette of so many bytes."""
    if size % 3 or not 3 <= size <= 3 << bits:
        raise _damaged(f"its palette has {size} bytes, {bits} bits need 3 to {3 << bits}")
    return size // 3


def _refuse_grey(kind: int) -> None:
    if kind == GREY:
        raise UnsupportedMaskError(
            "is greyscale with a transparent value (tRNS), a palette has none; save it without "
            "transparency"
        )


def _damaged(what: str) -> BrokenMaskError:
    return BrokenMaskError(f"is damaged: {what}; restore it from its source")
