"""PNG files made by hand, for what no encoder writes."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, RGB, PALETTE, GREY_ALPHA, RGBA = 0, 2, 3, 4, 6
CHANNELS = {GREY: 1, RGB: 3, PALETTE: 1, GREY_ALPHA: 2, RGBA: 4}

PASSES = (
    (0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)
)  # fmt: skip
"""Adam7: first row, first column, and the steps from row to row and column to column."""


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def ihdr(width: int, height: int, depth: int, kind: int, *ways: int) -> bytes:
    """The header; `ways` are its numbers of compression, filters and interlacing."""
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, *(ways or (0, 0, 0))))


def png(width: int, height: int, depth: int, kind: int, rows: bytes, *extra: bytes) -> bytes:
    """A PNG made by hand; `rows` are its scanlines, filter bytes included."""
    header = ihdr(width, height, depth, kind)
    return assemble(header, *extra, chunk(b"IDAT", zlib.compress(rows)))


def assemble(*chunks: bytes) -> bytes:
    """A file of these chunks and IEND."""
    return b"".join([SIGNATURE, *chunks, chunk(b"IEND", b"")])


def lines(*rows: list[int]) -> bytes:
    return b"".join(b"\0" + bytes(row) for row in rows)


def idats(data: bytes, cuts: Sequence[int] = ()) -> list[bytes]:
    """Pixel data in several chunks, cut at these places; two equal ones leave an empty chunk."""
    places = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [chunk(b"IDAT", data[start:end]) for start, end in pairwise(places)]


def mend(data: bytes) -> bytes:
    """A PNG with right checksums of its chunks again, so that damage gets past them."""
    at, out = 8, data[:8]
    while at + 12 <= len(data):
        length = struct.unpack_from(">I", data, at)[0]
        body = data[at + 4 : at + 8 + length]
        out += data[at : at + 4] + body + struct.pack(">I", zlib.crc32(body))
        at += 12 + length
    return out + data[at:]


def zlib_stream(data: bytes, level: int = 6, window: int = 15, strategy: int = 0) -> bytes:
    """data deflated; window: 9 to 15 bits. Level 0 stores, strategy 4 has fixed codes."""
    deflater = zlib.compressobj(level, zlib.DEFLATED, window, 8, strategy)
    return deflater.compress(data) + deflater.flush()


def pack(values: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """Values of 1, 2, 4 or 8 bits, uint8 (H, W) -> uint8 (H, bytes); the first is highest."""
    each = np.unpackbits(values[..., None], axis=2)[..., 8 - bits :]
    return np.packbits(each.reshape(len(values), -1), axis=1)


def filtered(rows: NDArray[np.uint8], step: int, numbers: Sequence[int]) -> bytes:
    """Scanlines of an image by the PNG specification, 9.2.

    rows: uint8 (H, bytes). step: bytes a pixel. numbers: of each row's filter, 0 to 4.
    """
    padded = np.zeros((len(rows) + 1, rows.shape[1] + step), int)
    padded[1:, step:] = rows
    left, above, corner = padded[1:, :-step], padded[:-1, step:], padded[:-1, :-step]
    guess = left + above - corner
    distances = np.abs(np.stack([guess - left, guess - above, guess - corner]))
    nearest = np.choose(distances.argmin(axis=0), [left, above, corner])
    predictions = [np.zeros_like(left), left, above, (left + above) // 2, nearest]
    chosen = np.stack(predictions)[np.asarray(numbers, int), np.arange(len(rows))]
    residuals = (rows - chosen).astype(np.uint8)  # modulo 256
    return np.column_stack([np.asarray(numbers, np.uint8), residuals]).tobytes()


def interlaced(
    pixels: NDArray[np.uint8], bits: int, numbers: Sequence[int] = (0, 1, 2, 3, 4)
) -> bytes:
    """Scanlines in the seven passes of Adam7.

    pixels: uint8 (H, W, channels), values of `bits` bits. numbers: filters, taken in turn.
    """
    out = []
    channels = pixels.shape[2]
    for row, column, rows, columns in PASSES:
        part = pixels[row::rows, column::columns]
        if part.size:
            packed = pack(part.reshape(len(part), -1), bits)
            turn = np.resize(numbers, len(part)).tolist()
            out.append(filtered(packed, max(1, channels * bits // 8), turn))
    return b"".join(out)


def rows_of(pixels: NDArray[np.uint8], bits: int) -> tuple[NDArray[np.uint8], int]:
    """Bytes of the rows of an image, uint8 (H, bytes), and the bytes a pixel.

    pixels: uint8 (H, W, channels), values of `bits` bits.
    """
    height, _, channels = pixels.shape
    return pack(pixels.reshape(height, -1), bits), max(1, channels * bits // 8)


def stretched(length: int, before: bytes = b"") -> bytes:
    """A zlib stream of about `length` zeros, without an end; made in no time.

    before: what stands before the zeros. The block of the first MiB is simply said again.
    """
    deflater = zlib.compressobj(9)
    start = deflater.compress(before) + deflater.flush(zlib.Z_FULL_FLUSH)
    block = deflater.compress(bytes(1 << 20)) + deflater.flush(zlib.Z_FULL_FLUSH)
    return start + block * (length >> 20)
