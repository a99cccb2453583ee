"""What the direct path must come to, written again from the PNG specification, and slowly.

Nothing here is shared with gpuseg: chunks, checksums, inflating by zlib, row filters byte by
byte. It reads more than the direct path does, for that may leave any file to Pillow.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

import numpy as np

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {2: 3, 3: 1, 6: 4}


class DamagedError(Exception):
    """A checksum that differs, something missing, a filter that PNG does not know."""


class OtherError(Exception):
    """No PNG of those kinds, or one whose pixel data are too long."""


@dataclass(frozen=True)
class Picture:
    """pixels: uint8 (H, W, channels), or positions in the palette, (H, W, 1)."""

    pixels: np.ndarray
    colours: np.ndarray | None

    @property
    def transparent(self) -> bool:
        return self.pixels.shape[2] == 4 and bool((self.pixels[..., 3] < 255).any())

    @property
    def outside(self) -> bool:
        """Whether a position is not in the palette."""
        return self.colours is not None and int(self.pixels.max()) >= len(self.colours)

    def keys(self) -> np.ndarray:
        """Colours as r | g << 8 | b << 16, uint32 (H, W)."""
        rgb = self.pixels if self.colours is None else self.colours[self.pixels[..., 0]]
        wide = rgb.astype(np.uint32)
        return wide[..., 0] | wide[..., 1] << 8 | wide[..., 2] << 16


def chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    """Names and data up to IEND. Raises DamagedError."""
    at, found = 8, [(b"", b"")]
    while found[-1][0] != b"IEND":
        head = png[at : at + 8]
        if len(head) < 8:
            raise DamagedError("no next chunk")
        length = struct.unpack(">I", head[:4])[0]
        data, checksum = png[at + 8 : at + 8 + length], png[at + 8 + length : at + 12 + length]
        if len(data) < length or len(checksum) < 4:
            raise DamagedError("a chunk is cut off")
        if zlib.crc32(head[4:] + data) != int.from_bytes(checksum, "big"):
            raise DamagedError("a checksum differs")
        found.append((head[4:], data))
        at += 12 + length
    return found[1:]


def read(png: bytes) -> Picture:
    """The picture in a PNG of 8-bit RGB or RGBA or of a palette. Raises both errors."""
    if not png.startswith(SIGNATURE):
        raise OtherError("no PNG")
    found = chunks(png)
    check_order([name for name, _ in found])
    header = found[0][1]
    if len(header) != 13:
        raise OtherError("no header")
    width, height, bits, kind, *rest = struct.unpack(">IIBBBBB", header)
    if rest != [0, 0, 0] or kind not in CHANNELS or not width or not height:
        raise OtherError("another kind of PNG")
    plte = next((data for name, data in found if name == b"PLTE"), b"")
    colours = np.frombuffer(plte[: len(plte) // 3 * 3], np.uint8).reshape(-1, 3)
    step = CHANNELS[kind]
    row_bytes = (width * step * bits + 7) // 8
    idat = b"".join(data for name, data in found if name == b"IDAT")
    rows = np.array(unfilter(inflate(idat, height * (1 + row_bytes)), height, row_bytes, step))
    if kind != 3:
        return Picture(rows.reshape(height, width, step), None)
    return Picture(positions(rows, bits, width)[..., None], colours)


def check_order(names: list[bytes]) -> None:
    """Raise OtherError for chunks out of order and for those that change what pixels mean."""
    critical = [name for name in names if not name[0] & 0x20]
    pixels = [k for k, name in enumerate(names) if name == b"IDAT"]
    if names[0] != b"IHDR" or not pixels or pixels[-1] - pixels[0] >= len(pixels):
        raise OtherError("no header first, or pixel data in several places")
    once = [name for name in critical if name != b"IDAT"]
    if once not in ([b"IHDR", b"IEND"], [b"IHDR", b"PLTE", b"IEND"]):
        raise OtherError("critical chunks that are unknown, or there twice")
    if b"PLTE" in names[pixels[0] :] or {b"tRNS", b"acTL"} & set(names):
        raise OtherError("a late palette, transparency, or several frames")


def inflate(idat: bytes, size: int) -> bytes:
    """A zlib stream that must hold `size` bytes and its checksum. Raises both errors."""
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(idat, size + 1)
        more = inflater.decompress(inflater.unconsumed_tail, 1)
    except zlib.error as error:
        raise DamagedError(str(error)) from error
    if len(data) > size or more:
        raise OtherError("too much data")
    if len(data) < size or not inflater.eof:
        raise DamagedError("pixel data end early")
    return data


def unfilter(scanlines: bytes, height: int, row_bytes: int, step: int) -> list[np.ndarray]:
    """Rows, each uint8 (row_bytes,). Raises DamagedError (PNG specification, 9)."""
    above = np.zeros(row_bytes, np.uint8)
    rows = []
    for y in range(height):
        start = y * (1 + row_bytes)
        kind, residual = scanlines[start], scanlines[start + 1 : start + 1 + row_bytes]
        above = _row(kind, np.frombuffer(residual, np.uint8), above, step)
        rows.append(above)
    return rows


def _row(kind: int, residual: np.ndarray, above: np.ndarray, step: int) -> np.ndarray:
    if kind == 0:
        return residual
    if kind == 1:
        sums = np.cumsum(residual.reshape(-1, step), axis=0, dtype=np.uint64)
        return sums.astype(np.uint8).reshape(-1)
    if kind == 2:
        return residual + above
    if kind > 4:
        raise DamagedError("a filter that PNG does not know")
    row, up = [0] * step, [0] * step + above.tolist()
    for k, value in enumerate(residual.tolist()):
        a, b, c = row[k], up[k + step], up[k]
        row.append(value + ((a + b) // 2 if kind == 3 else paeth(a, b, c)) & 255)
    return np.array(row[step:], np.uint8)


def paeth(a: int, b: int, c: int) -> int:
    """The one of left, above and corner that is nearest to a + b - c; ties in that order."""
    to_a, to_b, to_c = abs(b - c), abs(a - c), abs(a + b - c - c)
    if to_a <= to_b and to_a <= to_c:
        return a
    return b if to_b <= to_c else c


def positions(rows: np.ndarray, bits: int, width: int) -> np.ndarray:
    """Palette positions of 1 to 8 bits from rows of bytes, uint8 (H, W)."""
    ones = np.unpackbits(rows, axis=1).reshape(len(rows), -1, bits)
    weights = 1 << np.arange(bits - 1, -1, -1)
    return (ones * weights).sum(axis=2).astype(np.uint8)[:, :width]
