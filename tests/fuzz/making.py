"""PNG files and scanlines from the bytes of the fuzzer, whole ones and broken ones."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field

import numpy as np

from tests.fuzz.oracle import CHANNELS, SIGNATURE
from tests.fuzz.supply import Supply
from tests.making import COLOURS
from tests.pngs import chunk, filtered

STRAY = (b"tEXt", b"gAMA", b"abCd", b"gpSG", b"ABCD", b"tRNS", b"acTL", b"PLTE", b"IHDR", b"IEND")
CHANGES = ("crc", "length", "name", "byte")


@dataclass
class Built:
    """A file. plain: its chunks are usual, so the direct path must not leave it to Pillow."""

    data: bytes = b""
    plain: bool = True
    pieces: list[bytes] = field(default_factory=list)


def build(supply: Supply) -> Built:
    """A PNG, mostly whole and of a kind that the direct path reads."""
    kind = supply.pick((2, 6, 3))
    bits = supply.pick((8, 4, 2, 1)) if kind == 3 else 8
    width, height = supply.number(1, 70), supply.number(1, 24)
    built = Built(plain=True)
    row_bytes = (width * CHANNELS[kind] * bits + 7) // 8
    scan = scanlines(supply, height, row_bytes, CHANNELS[kind])
    header = [width, height, bits, kind, 0, 0, 0]
    if supply.rarely(32):
        place = supply.number(0, 6)
        header[place] = supply.number(0, 65535) if place < 2 else supply.byte()
        built.plain = False
    built.pieces.append(chunk(b"IHDR", struct.pack(">IIBBBBB", *header)))
    if kind == 3 or supply.rarely(16):
        entries = supply.pick((256, 16, 1 << bits, 6, 1))
        palette = (bytes(sum(COLOURS, ())) + supply.take(9)).ljust(768, b"\x80")[: 3 * entries]
        built.pieces.append(chunk(b"PLTE", palette))
    _add_pixels(built, supply, _zlib(built, supply, scan))
    built.pieces.append(chunk(b"IEND", b""))
    _break(built, supply)
    built.data = SIGNATURE + b"".join(built.pieces)
    if supply.rarely(32):
        built.data = built.data[: supply.number(0, len(built.data))]
        built.plain = False
    return built


def _zlib(built: Built, supply: Supply, scan: bytes) -> bytes:
    """The pixel data, deflated in one of many ways; sometimes too few, too many or damaged."""
    fault = supply.pick(("",) * 12 + ("short", "long", "bomb", "adler", "flip", "behind", "cut"))
    built.plain = built.plain and not fault
    if fault == "short":
        scan = scan[: -supply.pick((1, 2, 30, 200))]
    elif fault == "long":
        scan += supply.take(supply.pick((1, 2, 30, 200)))
    elif fault == "bomb":
        scan += bytes(1 << 22)
    level, strategy, window = supply.pick((1, 0, 6, 9)), supply.number(0, 4), supply.pick((15, 9))
    if fault == "bomb":  # quickly, and to few bytes
        level, strategy = 1, zlib.Z_RLE
    deflater = zlib.compressobj(level, zlib.DEFLATED, window, 9, strategy)
    data = bytearray(deflater.compress(scan) + deflater.flush())
    if fault == "adler":
        data[-1 - supply.number(0, 3)] ^= 1 + supply.number(0, 254)
    elif fault == "flip":
        data[supply.number(0, len(data) - 1)] ^= 1 << supply.number(0, 7)
    elif fault == "cut":
        del data[-supply.number(1, 12) :]
    elif fault == "behind":
        data += supply.take(supply.number(1, 20))
    return bytes(data)


def _add_pixels(built: Built, supply: Supply, data: bytes) -> None:
    pieces = supply.pick((1, 1, 2, 3, 7))
    size = -(-len(data) // pieces)
    for at in range(0, max(1, len(data)), max(1, size)):
        built.pieces.append(chunk(b"IDAT", data[at : at + size]))
        if supply.rarely(32):
            built.pieces.append(chunk(b"IDAT", b""))


def _break(built: Built, supply: Supply) -> None:
    """Stray chunks, chunks in another order, damaged ones."""
    while supply.rarely():
        place = supply.number(0, len(built.pieces))
        name = supply.pick(STRAY)
        built.pieces.insert(place, chunk(name, supply.take(supply.number(0, 30))))
        built.plain = False
    if supply.rarely(16):
        built.pieces.append(built.pieces.pop(supply.number(0, len(built.pieces) - 1)))
        built.plain = False
    while supply.rarely(16):
        place = supply.number(0, len(built.pieces) - 1)
        piece = bytearray(built.pieces[place])
        ranges = {"crc": (-4, -1), "length": (0, 3), "name": (4, 7), "byte": (0, len(piece) - 1)}
        piece[supply.number(*ranges[supply.pick(CHANGES)])] ^= 1 << supply.number(0, 7)
        built.pieces[place] = bytes(piece)
        built.plain = False


def scanlines(supply: Supply, height: int, row_bytes: int, step: int) -> bytes:
    """Filter bytes and residuals: noise, nearly all zeros, or runs of colours filtered well."""
    how = supply.pick(("runs", "sparse", "noise"))
    filters = [value % 5 for value in supply.take(supply.number(1, height))]
    filters = (filters * height)[:height]
    if supply.rarely(32):
        filters[supply.number(0, height - 1)] = supply.number(5, 255)
    if how == "runs":
        rows = _runs(supply, height, row_bytes, step)
        scan = bytearray(filtered(rows, step, [kind if kind < 5 else 0 for kind in filters]))
        scan[:: 1 + row_bytes] = bytes(filters)
        return bytes(scan)
    body = bytearray(height * row_bytes)
    if how == "noise":
        noise = supply.rest() or b"\0"
        body[:] = (noise * (len(body) // len(noise) + 1))[: len(body)]
    at = -1
    while how == "sparse" and len(supply):
        at += 1 + supply.byte()
        if at < len(body):
            body[at] = supply.byte()
    lines = (body[y * row_bytes : (y + 1) * row_bytes] for y in range(height))
    return b"".join(bytes([kind]) + line for kind, line in zip(filters, lines, strict=True))


def _runs(supply: Supply, height: int, row_bytes: int, step: int) -> np.ndarray:
    """Rows of pixels in runs, uint8 (height, row_bytes)."""
    opaque = [bytes(colour) + b"\xff" for colour in COLOURS]
    pool = [colour[:step] for colour in opaque] if step > 1 else [bytes([k]) for k in range(6)]
    if supply.rarely(4):
        pool += [supply.take(step), supply.take(step)]
    pixels = bytearray()
    share = len(supply) // 2
    while len(pixels) < height * row_bytes and share > 0:
        share -= 1
        pixels += supply.pick(pool) * (1 + supply.byte() % 90)
    pixels = pixels.ljust(height * row_bytes, b"\xff" if step == 4 else b"\0")
    return np.frombuffer(bytes(pixels[: height * row_bytes]), np.uint8).reshape(height, row_bytes)
