"""Large members in temp files: read back whole, few files open, room given back."""

from __future__ import annotations

import errno
import io
import os

import pytest

from gpuseg.archives import member, spool
from gpuseg.archives.spool import Spool
from gpuseg.errors import MemberError
from tests.archives.packing import choice


class Temp(io.BytesIO):
    """A temp file on a disk that holds 25,000 bytes."""

    def write(self, data: object) -> int:
        used = sum(len(file.getbuffer()) for file in FILES if not file.closed)
        if used + len(memoryview(data)) > 25_000:  # type: ignore[arg-type]
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)  # type: ignore[arg-type]


FILES: list[Temp] = []


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    def make(**options: object) -> Temp:
        FILES.append(Temp())
        return FILES[-1]

    monkeypatch.setattr(spool, "SEGMENT", 10_000)
    monkeypatch.setattr(spool.tempfile, "TemporaryFile", make)
    FILES.clear()


def are_open() -> list[bool]:
    return [not file.closed for file in FILES]


def test_copies_of_many_files() -> None:
    data = [os.urandom(3_000) for _ in range(8)]
    kept = Spool()
    copies = [kept.copy(io.BytesIO(one), 3_000)[0] for one in data]
    assert are_open() == [True, True]
    assert [member.size_of(copy) for copy in copies] == [3_000] * 8
    halves = [(copy.read(1_000), copy.read()) for copy in copies]
    assert [first + rest for first, rest in halves] == data
    assert copies[0].seek(0) == 0
    assert copies[0].read() == data[0]
    for copy in copies[:4]:
        copy.close()
    assert are_open() == [False, True]
    kept.close()
    assert are_open() == [False, True]
    for copy in copies:
        copy.close()
    assert are_open() == [False, False]


def test_no_room() -> None:
    kept, big = Spool(), bytes(4_000)
    copies = [kept.copy(io.BytesIO(big), 4_000)[0] for _ in range(6)]
    with pytest.raises(MemberError, match="waits for its turn in a temp file"):
        kept.copy(io.BytesIO(big), 4_000)
    for copy in copies:
        assert copy.read() == big
        copy.close()
    assert not any(are_open())
    again = kept.copy(io.BytesIO(b"hello"), 5)[0]
    assert again.read() == b"hello"
    again.close()
    kept.close()
    assert not any(are_open())


def test_a_file_that_fails_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(io.BytesIO):
        def read(self, count: int | None = -1) -> bytes:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(member, "IN_MEMORY", 100)
    kept = Spool()
    with pytest.raises(OSError, match="error"):
        kept.copy(Broken(), 9)
    with pytest.raises(MemberError, match="it has more bytes and claims"):
        choice().read(io.BytesIO(bytes(2_000)), 200, "other", kept)
    with pytest.raises(MemberError, match="it has 150 bytes and claims"):
        choice().read(io.BytesIO(bytes(150)), 200, "other", kept)
    copy = kept.copy(io.BytesIO(b"hello"), 5)[0]
    kept.close()
    assert copy.read() == b"hello"
    copy.close()
    assert not any(are_open())
