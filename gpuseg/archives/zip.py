"""Zip archives (zipfile): members in the order of their directory, out of a file and into one."""

from __future__ import annotations

import os
import stat
import zipfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import IO

from gpuseg.archives.mark import LENGTH, Mark
from gpuseg.archives.member import Choice, Gate, Member, nanoseconds, size_of, told
from gpuseg.archives.spool import Spool
from gpuseg.archives.writing import ArchiveWriter
from gpuseg.codecs.opening import SUFFIXES
from gpuseg.errors import ArchiveError, MaskError, MemberError

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_OTHERS = {9: "Deflate64", 12: "bzip2", 14: "LZMA", 93: "Zstandard"}
_HEADER = 30
_ENCRYPTED, _UTF_8 = 1, 1 << 11
_UNIX = 3
_BUFFER = 1 << 18

_FIRST, _LAST = datetime(1980, 1, 1, tzinfo=UTC), datetime(2107, 12, 31, 23, 59, 58, tzinfo=UTC)


class ZipReader:
    """The members of a zip archive. stream: of its bytes, seekable."""

    def __init__(self, stream: IO[bytes], choice: Choice) -> None:
        self._stream, self._choice = stream, choice
        self._spool = Spool()

    def __iter__(self) -> Iterator[Member]:
        """Every member that is wanted, in order. Raises ArchiveError for what is no zip archive.

        A member that is damaged is one by itself, for the directory tells where the others are.
        """
        gate = Gate(self._choice)
        with told(lambda: zipfile.ZipFile(self._stream)) as archive, closing(self._spool):
            shared = _sharing(archive.infolist())
            for info in archive.infolist():
                if info.is_dir():
                    continue
                why, hostile = _why_not(info, info.header_offset in shared)
                member = gate.judge(_name_of(info), _time_of(info), why, hostile=hostile)
                if member is not None and member.error is None:
                    member = self._filled(archive, info, member)
                if member is not None:
                    yield member

    def _filled(self, archive: zipfile.ZipFile, info: zipfile.ZipInfo, member: Member) -> Member:
        """A member with its data, or with what is wrong with them."""

        def read() -> bytes | IO[bytes]:
            with archive.open(info) as file:
                return self._choice.read(file, info.file_size, member.part, self._spool)

        try:
            return replace(member, data=told(read))
        except ArchiveError as error:
            cause = error.__cause__
            why = f"is damaged ({cause}); restore the archive from its source"
            return replace(member, error=MemberError(why))
        except MaskError as error:
            return replace(member, error=error)


def _sharing(infos: list[zipfile.ZipInfo]) -> set[int]:
    """Where members begin whose bytes are another's, too: so a bomb is made of a small file."""
    found: set[int] = set()
    for one, other in pairwise(sorted(infos, key=lambda info: info.header_offset)):
        if one.header_offset + _HEADER + one.compress_size > other.header_offset:
            found |= {one.header_offset, other.header_offset}
    return found


def _why_not(info: zipfile.ZipInfo, shares: bool) -> tuple[str, bool]:
    """Why a member cannot be used, "" where it can; whether it is hostile."""
    if shares:
        return "shares its bytes with another member; make the archive again", True
    mode = info.external_attr >> 16 if info.create_system == _UNIX else 0
    kind = stat.S_IFMT(mode)
    if kind == stat.S_IFLNK:
        return "is a symbolic link, which is not followed; pack the file itself", False
    if kind not in (0, stat.S_IFREG):
        return "is a device or a pipe and no file; make the archive again without it", True
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted; make the archive again without a password", False
    if info.compress_type not in _METHODS:
        method = _OTHERS.get(info.compress_type, f"method {info.compress_type}")
        return f"is compressed by {method}; make the archive again with deflate", False
    return "", False


def _name_of(info: zipfile.ZipInfo) -> str:
    """The name of a member as it stands: zipfile ends `filename` at a null byte.

    Many write UTF-8 without saying so, which would be read as code page 437.
    """
    raw = info.orig_filename
    if info.flag_bits & _UTF_8 or raw.isascii():
        return raw
    try:
        return raw.encode("cp437").decode()
    except UnicodeError:
        return raw


def _time_of(info: zipfile.ZipInfo) -> int:
    """When a member was changed, in ns; archives name no time zone, it is taken for UTC."""
    try:
        return nanoseconds(int(datetime(*info.date_time, tzinfo=UTC).timestamp()))
    except ValueError:  # month 0 and the like
        return 0


class ZipWriter(ArchiveWriter):
    """A zip archive in the making; its bytes depend on its members only.

    Images are stored, for they are compressed already; other members are deflated.
    """

    _archive: zipfile.ZipFile | None = None

    def _begin(self) -> None:
        self._archive = zipfile.ZipFile(self.path, "x")

    def _append(self, name: str, data: bytes | IO[bytes], mtime_ns: int) -> None:
        assert self._archive is not None  # noqa: S101  # for mypy
        moment = min(max(_FIRST.timestamp(), mtime_ns // 1_000_000_000), _LAST.timestamp())
        info = zipfile.ZipInfo(name, datetime.fromtimestamp(moment, UTC).timetuple()[:6])
        info.create_system, info.external_attr = _UNIX, (stat.S_IFREG | 0o644) << 16
        image = name.lower().endswith(SUFFIXES)
        info.compress_type = zipfile.ZIP_STORED if image else zipfile.ZIP_DEFLATED
        info.file_size = len(data) if isinstance(data, bytes) else size_of(data)
        if isinstance(data, bytes):
            self._archive.writestr(info, data)
            return
        with self._archive.open(info, "w") as file:
            while block := data.read(_BUFFER):
                file.write(block)

    def _end(self, mark: Mark) -> None:
        assert self._archive is not None  # noqa: S101
        self._archive.comment = replace(mark, size=0).encode()
        self._archive.close()

    def _close(self) -> None:
        if self._archive is not None and self._archive.fp is not None:
            self._archive.fp.close()  # without writing the directory
            self._archive.fp = None


def read_mark(stream: IO[bytes]) -> Mark | None:
    """The mark of a zip archive of ours, None for any other. Raises OSError.

    It is the comment, which is the end of the file: where it is there, so is the end.
    """
    size = stream.seek(0, os.SEEK_END)
    stream.seek(max(0, size - LENGTH))
    return Mark.find(stream.read())
