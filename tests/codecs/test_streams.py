"""Inflating and deflating: zlib's bytes, block by block, and no byte more than is needed."""

from __future__ import annotations

import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.codecs.streams import BLOCK, TooMuchDataError, crc32, inflate, rows_at_once
from gpuseg.errors import BrokenMaskError
from tests.pngs import stretched, zlib_stream

few = settings(max_examples=150, deadline=None)

STREAMS = {
    "stored": {"level": 0},
    "fixed": {"strategy": zlib.Z_FIXED},
    "dynamic": {"level": 9},
    "runs": {"level": 1, "strategy": zlib.Z_RLE},
    "codes only": {"strategy": zlib.Z_HUFFMAN_ONLY},
}
DATA = np.random.default_rng(0).integers(0, 6, 5000, np.uint8).repeat(3).tobytes()


def content(seed: int, size: int, kind: str) -> bytes:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, 256 if kind == "noise" else 3, size, np.uint8)
    return values.repeat(50)[:size].tobytes() if kind == "runs" else values.tobytes()


@few
@given(
    seed=st.integers(0, 2**32),
    size=st.integers(1, 70_000),
    kind=st.sampled_from(["noise", "few", "runs"]),
    stream=st.sampled_from(sorted(STREAMS)),
    window=st.integers(9, 15),
    block=st.one_of(st.integers(100, 5000), st.integers(5000, 100_000)),
    surplus=st.sampled_from([b"", b"\0", b"surplus", bytes(5000)]),
)
def test_blocks_are_what_was_deflated(
    seed: int, size: int, kind: str, stream: str, window: int, block: int, surplus: bytes
) -> None:
    data = content(seed, size, kind)
    compressed = zlib_stream(data, window=window, **STREAMS[stream])
    blocks = list(inflate(compressed + surplus, size, block))
    assert [len(found) for found in blocks[:-1]] == [block] * (len(blocks) - 1)
    assert b"".join(blocks) == data
    for wanted, error in ((size - 1, TooMuchDataError), (size + 1, BrokenMaskError)):
        if wanted:
            with pytest.raises(error):
                list(inflate(compressed + surplus, wanted, block))


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize("block", [1, 7, len(DATA) // 2, len(DATA), 1 << 20])
def test_any_block_size(stream: str, block: int) -> None:
    data = DATA[:600] if block < 10 else DATA
    assert b"".join(inflate(zlib_stream(data, **STREAMS[stream]), len(data), block)) == data


@pytest.mark.parametrize("stream", STREAMS)
def test_every_cut_is_noticed(stream: str) -> None:
    data = DATA[:300]
    whole = zlib_stream(data, **STREAMS[stream])
    for end in range(len(whole)):
        with pytest.raises(BrokenMaskError, match="its pixels"):
            list(inflate(whole[:end], len(data), 128))


def inflate_by_zlib(stream: bytes) -> bytes | None:
    """What the zlib of Python makes of a stream and what follows it, None if it is damaged."""
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(stream)
    except zlib.error:
        return None
    return data if inflater.eof else None


@pytest.mark.parametrize("stream", STREAMS)
def test_flips_are_noticed_as_zlib_notices_them(stream: str) -> None:
    """Not quite all: some bits mean nothing, and Adler-32 is weak where the data are few."""
    whole = zlib_stream(DATA[:300], **STREAMS[stream])
    unnoticed = 0
    for at in range(len(whole)):
        for bit in range(8):
            flipped = bytearray(whole)
            flipped[at] ^= 1 << bit
            want = inflate_by_zlib(bytes(flipped))
            if want is not None and len(want) == 300:
                assert b"".join(inflate(bytes(flipped), 300, 128)) == want
                unnoticed += 1
            else:
                with pytest.raises((BrokenMaskError, TooMuchDataError)):
                    list(inflate(bytes(flipped), 300, 128))
    assert unnoticed < 0.02 * 8 * len(whole)


def test_the_checksum_comes_after_the_last_block() -> None:
    wrong = zlib_stream(DATA)[:-1] + b"\0"
    for block in (1000, len(DATA)):
        blocks = inflate(wrong, len(DATA), block)
        with pytest.raises(BrokenMaskError, match="data check"):
            list(blocks)
    blocks = inflate(zlib_stream(DATA)[:-4], len(DATA), 1000)
    with pytest.raises(BrokenMaskError, match=r"Adler-32\) is missing"):
        list(blocks)


def test_no_more_than_a_block_is_inflated() -> None:
    """A GiB of zeros: the memory that is taken is that of the blocks."""
    stream = stretched(1 << 30)
    tracemalloc.start()
    try:
        with pytest.raises(TooMuchDataError):
            list(inflate(stream, 100_000, 1000))
        held = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert held < len(stream) * 2 + (1 << 20)


@few
@given(height=st.integers(1, 1 << 20), row=st.integers(2, 1 << 22))
def test_rows_at_once(height: int, row: int) -> None:
    rows = rows_at_once(height, row)
    assert rows >= 1
    assert -(-height // rows) <= 64 or rows == 1
    assert -(-height // rows) <= 64 or height <= 64
    smaller = rows - 1  # no larger than it must be
    assert smaller == 0 or smaller * row <= BLOCK or -(-height // smaller) > 64


@given(data=st.binary(max_size=300), start=st.integers(0, 2**32 - 1))
def test_crc32_is_that_of_zlib(data: bytes, start: int) -> None:
    assert crc32(data) == zlib.crc32(data)
    assert crc32(memoryview(data), start) == zlib.crc32(data, start)
