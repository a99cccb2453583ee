"""Archives by their names: who reads them, who writes them, and what they were made from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import IO

from gpuseg import storage
from gpuseg.archives import parquet
from gpuseg.archives.braces import first_of, has_braces
from gpuseg.archives.mark import Mark
from gpuseg.archives.member import Choice, Member, damaged, told
from gpuseg.archives.writing import ArchiveWriter
from gpuseg.errors import ArchiveError, OutputError, UsageError
from gpuseg.names import Kind, kind_of

_BUFFER = 1 << 18

_STARTS: dict[bytes, Kind] = {b"\x1f\x8b": "tar.gz", b"PK\x03\x04": "zip"}


@contextmanager
def open_bytes(path: str) -> Iterator[IO[bytes]]:
    """The bytes of an archive, a path or a URL, seekable. Raises ArchiveError."""
    try:
        is_url = storage.is_url(path)
        file = storage.open_stream(path) if is_url else open(path, "rb", _BUFFER)  # noqa: SIM115
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ArchiveError(f"cannot be opened: {reason}") from error
    with file:
        yield file


def members(path: str, stream: IO[bytes], choice: Choice, mtime_ns: int = 0) -> Iterator[Member]:
    """The members of the archive at `path`, whose bytes are `stream`, in order.

    mtime_ns: of the archive, for members that have no time of their own.
    Raises ArchiveError once damage is reached, and what `parquet.members` does.
    """
    kind = kind_of(path)
    _check_content(kind, stream)
    if kind in ("tar", "tar.gz"):
        from gpuseg.archives.tar import TarReader

        return iter(TarReader(stream, choice, zipped=kind == "tar.gz"))
    if kind == "zip":
        from gpuseg.archives.zip import ZipReader

        return iter(ZipReader(stream, choice))
    if kind == "parquet":
        return parquet.members(stream, choice, mtime_ns)
    raise damaged("its name is that of no archive")


def _check_content(kind: Kind | None, stream: IO[bytes]) -> None:
    """Tell of an archive that is named as one of another kind. Raises ArchiveError."""
    start = told(lambda: stream.read(4))
    told(lambda: stream.seek(0))
    for magic, found in _STARTS.items():
        if start.startswith(magic) and found != kind:
            raise ArchiveError(f"is .{found} by its content; rename it, so that it is read as that")


def writer(target: str, source: str | None = None, choice: Choice | None = None) -> ArchiveWriter:
    """Who writes an archive of this name. Raises OutputError, and what `parquet.writer` does.

    source, choice: the archive whose members it gets, and which; a table keeps its columns.
    """
    kind = kind_of(target)
    if kind == "zip":
        from gpuseg.archives.zip import ZipWriter

        return ZipWriter(target)
    if kind == "parquet":
        return _table(target, source, choice)
    if kind is None:
        raise OutputError(f"{target} cannot be written: its name is that of no archive")
    from gpuseg.archives.tar import TarWriter

    return TarWriter(target)


def read_mark(path: str) -> Mark | None:
    """The mark of an archive of ours, None for another. Raises ArchiveError where there is none."""
    kind = kind_of(path)
    with open_bytes(path) as stream:
        try:
            if kind == "zip":
                from gpuseg.archives import zip as home

                return home.read_mark(stream)
            if kind == "parquet":
                return parquet.read_mark(stream)
            from gpuseg.archives import tar

            return tar.read_mark(stream, zipped=kind == "tar.gz")
        except OSError as error:
            raise ArchiveError(f"cannot be read: {error.strerror or error}") from error


def check_table(src: str, pattern: str | None, column: str | None) -> None:
    """Refuse a Parquet file whose masks' column cannot be told; of several, the first.

    Raises UsageError. What is damaged is not told here.
    """
    if pattern is not None:
        raise UsageError(
            "rows of a Parquet file have no names that a pattern could choose by, got "
            f"{pattern!r}; leave out --pattern; --column names the masks' column"
        )
    first = first_of(src) if has_braces(src) else src
    try:
        with open_bytes(first) as stream:
            parquet.check_column(stream, column)
    except ArchiveError:  # its row will tell
        return
    except UsageError as error:
        raise UsageError(f"{first} {error}") from error


def _table(target: str, source: str | None, choice: Choice | None) -> ArchiveWriter:
    column = choice.column if choice is not None else None
    if source is None or choice is None or kind_of(source) != "parquet":
        return parquet.writer(target, None, column)
    with ExitStack() as opened:
        stream = opened.enter_context(open_bytes(source))
        found = parquet.writer(target, parquet.Like(stream, column, choice.keep_others))
        found.held.push(opened.pop_all())
    return found
