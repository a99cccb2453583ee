"""Inflating and deflating what PNGs hold: the only home of zlib-ng.

zlib-ng inflates colour masks many times faster than the zlib that Pillow finds on most systems.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from zlib_ng import gzip_ng, zlib_ng

from gpuseg.errors import BrokenMaskError

BLOCK = 1 << 19
"""Bytes that are inflated at once: small enough to stay in a core's cache."""

crc32 = zlib_ng.crc32

ZlibError: Any = zlib_ng.error  # the package types it as an instance


def deflate(data: Any) -> bytes:
    """The zlib stream of the bytes of a buffer.

    Level 5: the fastest whose files of coloured label maps are as small as Pillow's.
    """
    return bytes(zlib_ng.compress(data, 5))


def gunzip(file: IO[bytes]) -> IO[bytes]:
    """What a gzipped file holds, to be read in order; its checksum is checked at the end.

    Reading raises OSError, EOFError or ZlibError where it is damaged.
    """
    opened: Any = gzip_ng.GzipNGFile  # the package leaves it without types
    return cast("IO[bytes]", opened(fileobj=file, mode="rb"))


def raw_deflater() -> Any:
    """A compressor without header and checksum, for gzip: `compress(data)`, `flush()`.

    Level 1: what goes into our archives is deflated already.
    """
    return zlib_ng.compressobj(1, zlib_ng.DEFLATED, -15)


class TooMuchDataError(Exception):
    """A stream that holds more than its image needs."""


def rows_at_once(height: int, row: int) -> int:
    """How many rows of `row` bytes make a block: few enough for the cache.

    At most 64 blocks an image, for what is not inflated yet is copied with every block.
    """
    return max(1, BLOCK // row, -(-height // 64))


def inflate(compressed: bytes | bytearray, size: int, block: int) -> Iterator[bytes]:
    """Inflate a zlib stream to its `size` bytes, `block` bytes at a time and no more than that.

    Raises BrokenMaskError for a damaged or short stream and an Adler-32 that differs (after the
    last block), TooMuchDataError for a long one.
    """
    inflater = zlib_ng.decompressobj()
    with _damage_told():
        for start in range(0, size, block):
            wanted = min(block, size - start)
            data = inflater.decompress(compressed, wanted)
            if len(data) < wanted:
                raise _too_short(start + len(data), size)
            yield data
            compressed = inflater.unconsumed_tail
        if not inflater.eof and inflater.decompress(compressed, 1):
            raise TooMuchDataError
    if not inflater.eof:
        raise _no_checksum()


def check_stream(pieces: Iterable[bytes], size: int) -> None:
    """Inflate a zlib stream that comes in pieces and must have `size` bytes at least.

    Nothing is kept, and what exceeds the size is not looked at. Raises BrokenMaskError for a
    damaged or short stream.
    """
    inflater = zlib_ng.decompressobj()
    left = size
    with _damage_told():
        for piece in pieces:
            while piece and not inflater.eof:
                found = len(inflater.decompress(piece, min(BLOCK, max(1, left))))
                if found > left:
                    return
                left -= found
                piece = inflater.unconsumed_tail
    if left:
        raise _too_short(size - left, size)
    if not inflater.eof:
        raise _no_checksum()


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except ZlibError as error:
        raise BrokenMaskError(
            f"is damaged and cannot be decoded ({error}); restore it from its source"
        ) from error


def _too_short(found: int, size: int) -> BrokenMaskError:
    return BrokenMaskError(
        f"is damaged: its pixels end after {found:,} of {size:,} bytes; restore it from its source"
    )


def _no_checksum() -> BrokenMaskError:
    return BrokenMaskError(
        "is damaged: the checksum of its pixels (Adler-32) is missing; restore it from its source"
    )
