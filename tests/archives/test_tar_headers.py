"""Headers that are read without tarfile are what it makes of them."""

from __future__ import annotations

import io
import tarfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpuseg.archives.tar import _Header

FIELDS = ("name", "size", "mtime", "type", "chksum")
NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=120)
FORMATS = [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]


def header(kind: bytes = tarfile.REGTYPE, **fields: Any) -> bytes:
    info = tarfile.TarInfo(fields.pop("name", "a/b.png"))
    info.type = kind
    for name, value in fields.items():
        setattr(info, name, value)
    return info.tobuf(tarfile.GNU_FORMAT, "utf-8", "surrogateescape")[-512:]


def facts(found: tarfile.TarInfo) -> list[object]:
    return [getattr(found, name) for name in FIELDS]


def both(buf: bytes) -> tuple[list[object] | None, list[object]]:
    usual = _Header._of_usual(buf, "utf-8", "surrogateescape")
    plain = tarfile.TarInfo.frombuf(buf, "utf-8", "surrogateescape")
    return None if usual is None else facts(usual), facts(plain)


@given(NAMES, st.integers(0, 8**11 - 1), st.integers(0, 8**11 - 1), st.sampled_from(FORMATS))
def test_as_tarfile_reads_them(name: str, size: int, mtime: int, form: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mtime = size, mtime
    try:
        whole = info.tobuf(form, "utf-8", "surrogateescape")
    except ValueError:  # ustar has no room for the name
        return
    for at in range(0, len(whole), 512):
        buf = whole[at : at + 512]
        if buf[257:262] != b"ustar":  # what a long header says
            continue
        usual, plain = both(buf)
        assert usual in (None, plain)
        if buf[156:157] == tarfile.REGTYPE:
            assert usual == plain


@given(st.binary(min_size=1, max_size=8), st.integers(0, 511), st.booleans())
def test_bytes_that_are_not_as_they_should_be(data: bytes, at: int, mended: bool) -> None:
    buf = bytearray(header(size=1000, mtime=10**9))
    buf[at : at + len(data)] = data
    del buf[512:]
    if mended:  # with the right checksum
        buf[148:156] = b" " * 8
        buf[148:156] = b"%06o\0 " % sum(buf)
    usual = _Header._of_usual(bytes(buf), "utf-8", "surrogateescape")
    if usual is None:
        return
    try:
        plain = tarfile.TarInfo.frombuf(bytes(buf), "utf-8", "surrogateescape")
    except tarfile.HeaderError:  # mode, owner or device: not looked at here
        end = at + len(data)
        assert (at < 124 and end > 100) or (at < 345 and end > 329)
    else:
        assert facts(usual) == facts(plain)


@pytest.mark.parametrize(
    "buf",
    [
        header(tarfile.SYMTYPE, linkname="x"),
        header(tarfile.DIRTYPE),
        header(tarfile.AREGTYPE),
        header(size=8**12),
        header(mtime=-5),
        header()[:511],
        bytes(512),
    ],
)
def test_others_are_left_to_tarfile(buf: bytes) -> None:
    assert _Header._of_usual(buf, "utf-8", "surrogateescape") is None


def test_a_whole_archive(tmp_path: Any) -> None:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name in ("a.png", "b" * 150 + ".png", "ü.png"):
            info = tarfile.TarInfo(name)
            info.size, info.mtime = 3, 1.5
            archive.addfile(info, io.BytesIO(b"abc"))
    file.seek(0)
    with tarfile.open(fileobj=file, tarinfo=_Header) as found:
        got = [(m.name, m.size, m.mtime) for m in found]
    assert got == [(n, 3, 1.5) for n in ("a.png", "b" * 150 + ".png", "ü.png")]
