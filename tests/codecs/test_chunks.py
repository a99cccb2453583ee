"""Chunks written and read: nothing is believed whose checksum differs."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gpuseg.codecs.chunks import END, SIGNATURE, chunk, read_chunks
from gpuseg.errors import BrokenMaskError
from tests import pngs

NAMES = st.binary(min_size=4, max_size=4).filter(lambda name: name != b"IEND")
CHUNKS = st.lists(st.tuples(NAMES, st.binary(max_size=40)), max_size=6)

few = settings(max_examples=100, deadline=None)


def read(png: bytes) -> list[tuple[bytes, bytes]]:
    return [(name, bytes(data)) for name, data in read_chunks(png)]


@few
@given(chunks=CHUNKS, behind=st.binary(max_size=20))
def test_chunks_come_back_up_to_the_end(chunks: list[tuple[bytes, bytes]], behind: bytes) -> None:
    written = b"".join(chunk(name, data) for name, data in chunks)
    assert written == b"".join(pngs.chunk(name, data) for name, data in chunks)
    assert read(SIGNATURE + written + END + behind) == [*chunks, (b"IEND", b"")]


def test_the_end_is_a_chunk() -> None:
    assert pngs.chunk(b"IEND", b"") == END
    assert pngs.SIGNATURE == SIGNATURE


@few
@given(chunks=CHUNKS, data=st.data())
def test_every_cut_and_flip_is_noticed(
    chunks: list[tuple[bytes, bytes]], data: st.DataObject
) -> None:
    png = SIGNATURE + b"".join(chunk(name, body) for name, body in chunks) + END
    end = data.draw(st.integers(8, len(png) - 1))
    with pytest.raises(BrokenMaskError, match=rf"ends after {end} bytes"):
        read(png[:end])
    at, bit = data.draw(st.integers(8, len(png) - 1)), data.draw(st.integers(0, 7))
    flipped = bytearray(png)
    flipped[at] ^= 1 << bit
    with pytest.raises(BrokenMaskError):
        read(bytes(flipped))


def test_what_comes_before_the_damage_is_read() -> None:
    """The header is checked before the size in it is believed, and before the rest is there."""
    png = SIGNATURE + chunk(b"IHDR", b"size") + chunk(b"IDAT", b"pixels")
    chunks = read_chunks(png)
    assert next(chunks)[0] == b"IHDR"
    assert next(chunks) == (b"IDAT", b"pixels")
    with pytest.raises(BrokenMaskError, match="cut off"):
        next(chunks)


def test_the_place_of_the_damage_is_told() -> None:
    damaged = bytearray(SIGNATURE + chunk(b"IHDR", b"size") + chunk(b"ID\xe9T", b"pixels") + END)
    damaged[-13] ^= 1
    with pytest.raises(BrokenMaskError, match="PNG chunk 'IDéT' at byte 24 differs"):
        read(bytes(damaged))


@pytest.mark.parametrize("length", [b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\0\0\0\x20"])
def test_a_length_beyond_the_end(length: bytes) -> None:
    with pytest.raises(BrokenMaskError, match="ends after 28 bytes"):
        read(SIGNATURE + length + b"IDAT" + bytes(12))
