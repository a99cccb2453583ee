"""Archives for tests: made by Python, by other tools, and by hand."""

from __future__ import annotations

import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from gpuseg.archives.member import Choice, Member
from gpuseg.archives.opening import members, open_bytes

MTIME = 1_700_000_000
LIMIT = 1 << 20

Found = dict[str, bytes | str]


def choice(pattern: str | None = None, *, keep: bool = False, limit: int = LIMIT) -> Choice:
    return Choice(limit, pattern, keep)


def content(member: Member) -> bytes:
    """The data of a member, whose file is closed."""
    if isinstance(member.data, bytes):
        return member.data
    with member.data as file:
        return file.read()


def found(path: Path | str, wanted: Choice | None = None) -> Found:
    """What is in an archive: the data of each member, or its error."""
    result: Found = {}
    for member in walk(path, wanted or choice()):
        assert member.name not in result, "two rows of one name"
        result[member.name] = str(member.error) if member.error else content(member)
    return result


def walk(path: Path | str, wanted: Choice) -> Iterator[Member]:
    with open_bytes(str(path)) as stream:
        yield from members(str(path), stream, wanted)


def tar_header(name: str, data: bytes = b"", **fields: object) -> bytes:
    info = tarfile.TarInfo(name)
    info.size, info.mtime = len(data), MTIME
    for field, value in fields.items():
        setattr(info, field, value)
    return info.tobuf(tarfile.GNU_FORMAT) + data + bytes(-len(data) % 512)


END = bytes(1024)


def save_tar(path: Path, files: dict[str, bytes], format: int = tarfile.PAX_FORMAT) -> Path:
    with tarfile.open(path, "w:gz" if path.name.endswith("gz") else "w", format=format) as archive:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), MTIME
            archive.addfile(info, io.BytesIO(data))
    return path


class Slow(io.RawIOBase):
    """A stream that gives few bytes at a time, as a network may."""

    def __init__(self, data: bytes) -> None:
        self._file: IO[bytes] = io.BytesIO(data)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        data = self._file.read(min(len(buffer), 100))
        buffer[: len(data)] = data
        return len(data)
