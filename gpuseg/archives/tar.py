"""Tar archives and gzipped ones (tarfile): members in order, out of a stream and into one.

tarfile ends without a word where a header is damaged or missing; here that is told.
"""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import IO, Any, cast

from gpuseg.archives.gz import EXTRA_AT, GzipSink
from gpuseg.archives.mark import EMPTY, LENGTH, Mark
from gpuseg.archives.member import Choice, Gate, Member, Part, damaged, nanoseconds, size_of, told
from gpuseg.archives.spool import Spool
from gpuseg.archives.writing import ArchiveWriter
from gpuseg.codecs.streams import gunzip
from gpuseg.errors import MaskSizeError, MemberError
from gpuseg.names import kind_of

_BLOCK = tarfile.BLOCKSIZE
_BUFFER = 1 << 16

_MOST_SAID = 1 << 15
"""Bytes of a header that says more (pax, long names) at most: it is read whole."""

_SAYS_MORE = (
    tarfile.XHDTYPE,
    tarfile.XGLTYPE,
    tarfile.SOLARIS_XHDTYPE,
    tarfile.GNUTYPE_LONGNAME,
    tarfile.GNUTYPE_LONGLINK,
)

_LINKS = {tarfile.LNKTYPE: "a hard link", tarfile.SYMTYPE: "a symbolic link"}
_NO_FILES = {
    tarfile.CHRTYPE: "a device",
    tarfile.BLKTYPE: "a device",
    tarfile.FIFOTYPE: "a pipe",
}


class _Header(tarfile.TarInfo):
    """A header that is damaged is no end of the archive; only a block of zeros is."""

    @classmethod
    def frombuf(cls, buf: Any, encoding: str, errors: str) -> _Header:
        if (usual := cls._of_usual(buf, encoding, errors)) is not None:
            return usual
        try:
            found = super().frombuf(buf, encoding, errors)
        except tarfile.HeaderError as error:
            if len(buf) == _BLOCK and not any(buf):
                raise  # the end
            why = "it ends" if len(buf) < _BLOCK else f"{error}:"
            raise tarfile.ReadError(f"{why} where a header should be") from error
        if found.size < 0 or (found.type in _SAYS_MORE and found.size > _MOST_SAID):
            raise tarfile.ReadError(f"a header claims {found.size:,} bytes")
        return found

    @classmethod
    def _of_usual(cls, buf: Any, encoding: str, errors: str) -> _Header | None:
        """What tarfile makes of the header of a file, or of what pax says of the next, where it
        is as usual: headers are most of what small members take.

        Owner, mode, links and devices are left out: they say nothing of a file. (POSIX.1-2017,
        ustar Interchange Format.)
        """
        kind = buf[156:157]
        if kind not in _USUAL or len(buf) != _BLOCK or buf[257:262] != b"ustar":
            return None
        try:
            size, mtime, checksum = (
                int(_text(buf, start, end).strip() or b"0", 8)
                for start, end in ((124, 136), (136, 148), (148, 156))
            )
        except ValueError:  # numbers of another base
            return None
        if checksum != 256 + sum(buf[:148]) + sum(buf[156:]):  # damaged, or of signed bytes
            return None
        name = _text(buf, 0, 100).decode(encoding, errors)
        if prefix := _text(buf, 345, 500):
            name = f"{prefix.decode(encoding, errors)}/{name}"
        if size < 0 or (kind in _SAYS_MORE and size > _MOST_SAID):
            return None
        header = cls(name)
        header.size, header.mtime, header.type = size, mtime, kind
        header.chksum = checksum
        return header


_USUAL = (tarfile.REGTYPE, tarfile.XHDTYPE)


def _text(buf: bytes, start: int, end: int) -> bytes:
    """A field of a header, up to the first zero."""
    return buf[start:end].partition(b"\0")[0]


class TarReader:
    """The members of a tar archive.

    stream: of its bytes, from the start; seekable unless it is `zipped`, that is by gzip.
    """

    def __init__(self, stream: IO[bytes], choice: Choice, *, zipped: bool = False) -> None:
        self._stream, self._choice, self._zipped = stream, choice, zipped
        self._spool = Spool()

    def __iter__(self) -> Iterator[Member]:
        """Every member that is wanted, in order. Raises ArchiveError once damage is reached."""
        with closing(self._spool):
            yield from self._members()

    def _members(self) -> Iterator[Member]:
        gate = Gate(self._choice)
        archive = told(self._open)
        before = -1
        while (info := told(archive.next)) is not None:
            cast("Any", archive).members.clear()  # else it holds the headers of all that came
            if archive.offset <= before:
                raise damaged("a header leads back")
            before = archive.offset
            member = _judged(gate, info)
            if member is not None and member.error is None:
                member = self._filled(archive, info, member)
            if member is not None:
                yield member
        told(lambda: _check_rest(cast("IO[bytes]", archive.fileobj)))

    def _open(self) -> tarfile.TarFile:
        return tarfile.open(
            fileobj=gunzip(self._stream) if self._zipped else self._stream,
            mode="r|" if self._zipped else "r:",  # to seek back is to inflate from the start
            bufsize=_BUFFER,
            tarinfo=_Header,
            encoding="utf-8",
            errors="surrogateescape",
        )

    def _filled(self, archive: tarfile.TarFile, info: tarfile.TarInfo, member: Member) -> Member:
        """A member with its data, or with what is wrong with them. Raises ArchiveError."""
        plain = not (self._zipped or info.issparse())
        try:
            data = told(lambda: self._read(archive, info, member.part, plain))
        except (MaskSizeError, MemberError) as error:
            return replace(member, error=error)
        return Member(member.name, data, member.mtime_ns, member.part)

    def _read(
        self, archive: tarfile.TarFile, info: tarfile.TarInfo, part: Part, plain: bool
    ) -> bytes | IO[bytes]:
        """The data of a member. plain: they lie in one piece in a file that can be sought in."""
        if plain and part == "mask" and info.size <= self._choice.max_bytes:  # the quick way
            self._stream.seek(info.offset_data)
            data = self._stream.read(info.size)
            if len(data) < info.size:
                raise tarfile.ReadError("it ends within a member")
            return data
        file = cast("IO[bytes]", archive.extractfile(info))
        return self._choice.read(file, info.size, part, self._spool)


def _judged(gate: Gate, info: tarfile.TarInfo) -> Member | None:
    if info.isdir():
        return None
    why, hostile = "", False
    if kind := _LINKS.get(info.type):
        why = f"is {kind}, which is not followed; pack the file itself"
    elif not info.isreg():
        kind, hostile = _NO_FILES.get(info.type, f"of the unknown type {info.type!r}"), True
        why = f"is {kind} and no file; make the archive again without it"
    return gate.judge(info.name, nanoseconds(info.mtime), why, hostile=hostile)


def _check_rest(file: IO[bytes]) -> None:
    """Read what comes after the end, which is zeros. Raises ArchiveError."""
    while rest := file.read(_BUFFER):
        if any(rest):
            raise damaged("it goes on after its end, as where two were joined")


class TarWriter(ArchiveWriter):
    """A tar archive in the making; its bytes depend on its members only.

    target: one that ends in .gz or .tgz is gzipped.
    """

    def _begin(self) -> None:
        self._zipped = kind_of(self.target) == "tar.gz"
        self._raw = open(self.path, "xb", buffering=_BUFFER)  # noqa: SIM115  # closed below
        self._sink: GzipSink | IO[bytes] = self._raw
        if self._zipped:
            self._sink = GzipSink(self._raw, EMPTY.encode())
        else:
            self._raw.write(_global_header(EMPTY))

    def _append(self, name: str, data: bytes | IO[bytes], mtime_ns: int) -> None:
        size = len(data) if isinstance(data, bytes) else size_of(data)
        info = tarfile.TarInfo(name)
        info.size, info.mtime, info.mode = size, mtime_ns // 1_000_000_000, 0o644
        self._sink.write(info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape"))
        if isinstance(data, bytes):
            self._sink.write(data)
        else:
            shutil.copyfileobj(data, self._sink, _BUFFER)
        self._sink.write(bytes(-size % _BLOCK))

    def _end(self, mark: Mark) -> None:
        self._sink.write(bytes(2 * _BLOCK))
        if isinstance(self._sink, GzipSink):
            self._sink.finish()
        mark = replace(mark, size=self._raw.tell())
        self._raw.seek(EXTRA_AT if self._zipped else _MARK_AT)
        self._raw.write(mark.encode())
        self._raw.close()

    def _close(self) -> None:
        self._raw.close()


_KEY = b" comment="
_RECORD = len(_KEY) + LENGTH + 1  # besides the digits of its own length

_MARK_AT = _BLOCK + len(str(_RECORD + 3)) + len(_KEY)
"""Where the mark lies in a tar archive: in the comment that is its first header."""


def _global_header(mark: Mark) -> bytes:
    """A pax header of one comment, as git writes them: 1,024 bytes, passed over by readers."""
    record = str(_RECORD + 3).encode() + _KEY + mark.encode() + b"\n"
    info = tarfile.TarInfo("pax_global_header")
    info.type, info.size, info.mode = tarfile.XGLTYPE, len(record), 0o644
    return info.tobuf(tarfile.USTAR_FORMAT, "utf-8") + record + bytes(-len(record) % _BLOCK)


def read_mark(stream: IO[bytes], *, zipped: bool = False) -> Mark | None:
    """The mark of a tar archive of ours, None for any other. Raises OSError.

    Where the archive has another size than it was finished with, the digest is empty, so it
    equals no other.
    """
    head = stream.read(_MARK_AT + LENGTH)
    mark = Mark.find(head[EXTRA_AT:] if zipped else head[_MARK_AT:])
    if mark is None:
        return None
    whole = stream.seek(0, os.SEEK_END) == mark.size
    return mark if whole else replace(mark, digest=b"")
