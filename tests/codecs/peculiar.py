"""PNGs that are peculiar, damaged or both, by name."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence

import numpy as np

from gpuseg.palette import voc_colormap
from tests.pngs import (
    CHANNELS,
    PALETTE,
    RGB,
    RGBA,
    SIGNATURE,
    assemble,
    chunk,
    filtered,
    idats,
    ihdr,
    interlaced,
    pack,
    zlib_stream,
)

WIDTH, HEIGHT = 21, 11
LABELS = np.random.default_rng(5).integers(0, 9, (HEIGHT, WIDTH), np.uint8)
COLOURS = voc_colormap(200)
PIXELS = COLOURS[LABELS]
NUMBERS = [0, 1, 2, 3, 4, 4, 3, 2, 1, 2, 4]
ROWS = filtered(PIXELS.reshape(HEIGHT, -1), 3, NUMBERS)
STREAM = zlib_stream(ROWS)
HEAD, BODY = ihdr(WIDTH, HEIGHT, 8, RGB), chunk(b"IDAT", STREAM)
POSITIONS = filtered(LABELS, 1, NUMBERS)
PALETTE_HEAD, PLTE = ihdr(WIDTH, HEIGHT, 8, PALETTE), chunk(b"PLTE", COLOURS[:9].tobytes())
PALETTE_BODY = chunk(b"IDAT", zlib_stream(POSITIONS))
NO_ADLER, WRONG_ADLER = STREAM[:-4], STREAM[:-4] + b"\0\1\2\3"
TEXT = chunk(b"tEXt", b"Comment\0made by hand")


def rgb(*body: bytes) -> bytes:
    return assemble(HEAD, *body)


def paletted(*body: bytes) -> bytes:
    return assemble(PALETTE_HEAD, *body)


def stream(data: bytes) -> bytes:
    """An RGB file of these compressed pixels."""
    return rgb(chunk(b"IDAT", data))


def damaged_checksum(name: bytes, png: bytes) -> bytes:
    """A file with one bit of a chunk's checksum turned."""
    at = png.index(name)
    end = at + 4 + int.from_bytes(png[at - 4 : at], "big")
    return png[: end + 1] + bytes([png[end + 1] ^ 1]) + png[end + 2 :]


def window(bits: int) -> bytes:
    """A stream that claims a window of so many bits, whatever its distances."""
    first = bits - 8 << 4 | 8
    return bytes([first, 31 - (first << 8) % 31]) + STREAM[2:]


def sized(width: int, height: int) -> bytes:
    return assemble(ihdr(width, height, 8, RGB), BODY)


def rgba(alpha: int, body: Sequence[bytes] = ()) -> bytes:
    pixels = np.dstack([PIXELS, np.full((HEIGHT, WIDTH), 255, np.uint8)])
    pixels[-1, -1, 3] = alpha
    data = filtered(pixels.reshape(HEIGHT, -1), 4, NUMBERS)
    return assemble(ihdr(WIDTH, HEIGHT, 8, RGBA), *body, chunk(b"IDAT", zlib_stream(data)))


def few_bits(bits: int, entries: int) -> bytes:
    """A palette file of few bits, whose last position is 2**bits - 1."""
    positions = np.minimum(LABELS, (1 << bits) - 1)
    positions[-1, -1] = (1 << bits) - 1
    data = filtered(pack(positions, bits), 1, NUMBERS)
    plte = chunk(b"PLTE", COLOURS[:entries].tobytes())
    head = ihdr(WIDTH, HEIGHT, bits, PALETTE)
    return assemble(head, plte, chunk(b"IDAT", zlib_stream(data)))


FCTL = struct.pack(">IIIIIHHBB", 0, WIDTH - 2, HEIGHT - 1, 1, 1, 1, 10, 0, 0)

DIRECT = {
    "plain": rgb(BODY),
    "palette": paletted(PLTE, PALETTE_BODY),
    "opaque alpha": rgba(255),
    "suggested palette": rgb(PLTE, BODY),
    "opaque alpha and a suggested palette": rgba(255, [PLTE]),
    "an IDAT for each byte": rgb(*idats(STREAM, range(1, len(STREAM)))),
    "empty IDATs first, between and last": rgb(*idats(STREAM, [0, 0, 9, 9, 9, 1 << 20])),
    "chunks everywhere": rgb(TEXT, chunk(b"gAMA", b"\0\0\xb1\x8f"), BODY, TEXT),
    "an unknown chunk that may be ignored": rgb(chunk(b"prIv", b"?"), BODY),
    "bytes behind IEND": rgb(BODY) + b"what follows the end does not matter",
    "a second file behind IEND": rgb(BODY) * 2,
    "bytes behind the zlib stream": stream(STREAM + b"surplus"),
    "an IDAT behind the zlib stream": rgb(BODY, chunk(b"IDAT", b"surplus")),
    "stored": stream(zlib_stream(ROWS, level=0)),
    "fixed codes": stream(zlib_stream(ROWS, strategy=zlib.Z_FIXED)),
    "runs only": stream(zlib_stream(ROWS, strategy=zlib.Z_RLE)),
    **{f"window of {b} bits": stream(zlib_stream(ROWS, window=b)) for b in range(9, 16)},
    "a window smaller than its distances": stream(window(8)),
    "more palette entries than bits": few_bits(2, 200),
    "a palette that ends where its pixels do": few_bits(2, 4),
    "a position that is never used": paletted(
        chunk(b"PLTE", COLOURS[:200].tobytes()), PALETTE_BODY
    ),
}
"""Read by the direct path, to the same labels."""

LEFT_TO_PILLOW = {
    "interlaced": assemble(
        ihdr(WIDTH, HEIGHT, 8, RGB, 0, 0, 1), chunk(b"IDAT", zlib_stream(interlaced(PIXELS, 8)))
    ),
    "an unused colour key": rgb(chunk(b"tRNS", bytes([0, 1, 0, 2, 0, 3])), BODY),
    "opaque palette entries": paletted(PLTE, chunk(b"tRNS", b"\xff\xff"), PALETTE_BODY),
    "alpha twice": rgba(255, [chunk(b"tRNS", bytes(6))]),
    "an unknown chunk that must be known": rgb(chunk(b"CrIt", b"?"), BODY),
    "a name with a digit": rgb(chunk(b"a1b2", b"?"), BODY),
    "two palettes": paletted(chunk(b"PLTE", bytes(6)), PLTE, PALETTE_BODY),
    "a palette behind the pixels of RGB": rgb(BODY, PLTE),
    "a suggested palette of odd length": rgb(chunk(b"PLTE", bytes(7)), BODY),
    "an empty suggested palette": rgb(chunk(b"PLTE", b""), BODY),
    "two headers": rgb(HEAD, BODY),
    "a row too much": stream(zlib_stream(ROWS + bytes(64))),
    "a byte too much": stream(zlib_stream(ROWS + b"\0")),
    "another way to compress": assemble(ihdr(WIDTH, HEIGHT, 8, RGB, 1, 0, 0), BODY),
    "much else than pixels": rgb(chunk(b"prIv", bytes(2 << 20)), BODY),
}
"""Read by the Pillow codec, though codec `auto` was asked for."""

FAIL = {
    **{
        f"16 bits, kind {kind}": assemble(
            ihdr(WIDTH, HEIGHT, 16, kind),
            chunk(b"IDAT", zlib_stream(bytes((1 + 2 * channels * WIDTH) * HEIGHT))),
        )
        for kind, channels in CHANNELS.items()
        if kind != PALETTE
    },
    "16 bits of palette": assemble(ihdr(WIDTH, HEIGHT, 16, PALETTE), PLTE, PALETTE_BODY),
    "4 bits of RGB": assemble(ihdr(WIDTH, HEIGHT, 4, RGB), BODY),
    "a kind that is none": assemble(ihdr(WIDTH, HEIGHT, 8, 5), BODY),
    "alpha": rgba(254),
    "no header": assemble(BODY),
    "a header of 12 bytes": assemble(chunk(b"IHDR", HEAD[8:20]), BODY),
    "another way to filter": assemble(ihdr(WIDTH, HEIGHT, 8, RGB, 0, 1, 0), BODY),
    "no pixels": rgb(),
    "no pixels in IDAT": rgb(chunk(b"IDAT", b"")),
    "no palette": paletted(PALETTE_BODY),
    "an empty palette": paletted(chunk(b"PLTE", b""), PALETTE_BODY),
    "a palette behind the pixels": paletted(PALETTE_BODY, PLTE),
    "a palette of odd length, too short": paletted(chunk(b"PLTE", bytes(25)), PALETTE_BODY),
    "more entries than a byte can name": paletted(
        chunk(b"PLTE", COLOURS[:9].tobytes().ljust(771, b"\1")), PALETTE_BODY
    ),
    "a palette too short": few_bits(2, 3),
    "a palette too short for 8 bits": paletted(chunk(b"PLTE", COLOURS[:8].tobytes()), PALETTE_BODY),
    "a transparent entry": paletted(PLTE, chunk(b"tRNS", b"\xff\0"), PALETTE_BODY),
    "a used colour key": rgb(chunk(b"tRNS", struct.pack(">3H", *PIXELS[0, 0].tolist())), BODY),
    "one frame": rgb(chunk(b"acTL", struct.pack(">II", 1, 0)), BODY),
    "two frames": rgb(chunk(b"acTL", struct.pack(">II", 2, 0)), chunk(b"fcTL", FCTL), BODY),
    "a chunk between the pixels": rgb(
        chunk(b"IDAT", STREAM[:40]), TEXT, chunk(b"IDAT", STREAM[40:])
    ),
    "a name that is none": rgb(chunk(b"a\xffb\0", b"?"), BODY),
    "no rows": stream(zlib_stream(b"")),
    "a byte too little": stream(zlib_stream(ROWS[:-1])),
    "an unknown filter": stream(zlib_stream(b"\5" + ROWS[1:])),
    "an unknown filter in the last row": stream(zlib_stream(ROWS[:-64] + b"\xff" + ROWS[-63:])),
    "a stream cut in half": stream(STREAM[: len(STREAM) // 2]),
    "no zlib stream": stream(ROWS),
    "a wrong zlib header": stream(bytes([0x78, 0x02]) + STREAM[2:]),
    "a dictionary nobody has": stream(bytes([0x78, 0xBB, 0, 0, 0, 1]) + STREAM[2:]),
    "a reserved block": stream(b"\x78\x9c\x07" + bytes(40)),
    "no IEND": rgb(BODY)[:-12],
    "no width": sized(0, HEIGHT),
    "no height": sized(WIDTH, 0),
    "the largest size": sized((1 << 31) - 1, (1 << 31) - 1),
    "a size that is negative": sized(1 << 31, 1 << 31),
    "larger than its pixels": sized(1 << 10, 1 << 10),
    "a length beyond the end": SIGNATURE + HEAD + b"\x7f\xff\xff\xffIDAT" + STREAM,
    "a negative length": SIGNATURE + HEAD + b"\xff\xff\xff\xffIDAT" + STREAM,
    **{
        f"the checksum of {name.decode()}": damaged_checksum(
            name, paletted(TEXT, PLTE, PALETTE_BODY)
        )
        for name in (b"IHDR", b"tEXt", b"PLTE", b"IDAT", b"IEND")
    },
}
"""Refused by both."""

STRICTER = {
    "no Adler-32": stream(NO_ADLER),
    "half an Adler-32": stream(STREAM[:-2]),
    "a row too little": stream(zlib_stream(ROWS[: -1 - 3 * WIDTH])),
    "a pass of Adam7 too little": assemble(
        ihdr(WIDTH, HEIGHT, 8, RGB, 0, 0, 1),
        chunk(b"IDAT", zlib_stream(interlaced(PIXELS, 8)[: -5 * (1 + 3 * WIDTH)])),
    ),
}
"""Refused by both codecs of ours: Pillow alone needs no checksum, and paints missing rows black."""

LAXER = {
    "a colour profile of another kind": rgb(chunk(b"iCCP", b"name\0\1data"), BODY),
    "a resolution cut off": rgb(chunk(b"pHYs", b"\0\0"), BODY),
    "frame control without frames": rgb(chunk(b"fcTL", FCTL), BODY),
}
"""Read by codec `auto` only: chunks that say nothing of the pixels are not looked into."""
