"""A bundle on its way to an archive: made in a temp file, resumed as a whole."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import IO

from gpuseg import storage
from gpuseg.archives.mark import Mark
from gpuseg.archives.opening import read_mark
from gpuseg.archives.writing import ArchiveWriter
from gpuseg.bundles.packing import Packing
from gpuseg.discover import Source
from gpuseg.errors import ArchiveError, GpusegError, MemberError, OutputError
from gpuseg.names import kind_of
from gpuseg.results import FileResult


@dataclass(slots=True, eq=False)
class PackingArchive(Packing):
    """A bundle on its way to an archive, which is whole or not there.

    digest: 16 bytes, of all that the archive depends on. make_writer: begins the archive.
    """

    digest: bytes = b""
    make_writer: Callable[[], ArchiveWriter] | None = None
    _writer: ArchiveWriter | None = None
    _files: int = 0
    _failures: int = 0
    _unknown: int = 0

    def begin(self) -> bool:
        """Whether it is to be made; if not it has its row."""
        try:
            mark = self._up_to_date() if self.bundle.error is None else None
        except GpusegError as error:
            self.add(FileResult.failure(self.bundle.relative, error), None)
            return False
        if mark is None:
            return Packing.begin(self)
        self.add(
            FileResult(
                source=self.bundle.relative,
                target=self.bundle.goes_to,
                status="unchanged",
                unknown_pixels=mark.unknown,
            ),
            None,
        )
        return False

    def _up_to_date(self) -> Mark | None:
        """The mark of a target that need not be made. Raises OutputError where it must not be."""
        target = self.bundle.into
        size = _size_of(target)
        if size is None:
            return None
        if not storage.is_url(target) and _is_same(self.bundle.path, target):
            raise OutputError(f"the target {target} is the input itself; choose another DST")
        try:
            mark = read_mark(target) if size else Mark(b"")
        except ArchiveError as error:
            raise OutputError(f"the target {target} {error}; choose another DST") from error
        resumes = self.options.resume and mark is not None and not mark.failed
        if mark is not None and resumes and mark.digest == self.digest:
            return mark
        if mark is None and not self.options.overwrite:
            raise OutputError(
                f"the target {target} exists and was not written by gpuseg; remove it, choose "
                "another DST, or use --overwrite"
            )
        return None

    def finish(self) -> None:
        """Give the archive its name, or leave none and say why."""
        if self.error is None and self._writer is not None:
            mark = Mark(self.digest, self._files, self._failures, self._unknown)
            try:
                self._writer.finish(mark)
            except GpusegError as error:
                self.error = error
        self.discard()

    def discard(self) -> None:
        """Leave nothing behind of an archive that is not finished."""
        if self._writer is not None:
            self._writer.discard()
            self._writer = None

    def _why_not(self, source: Source, name: str) -> Exception | None:
        if kind_of(self.bundle.into) == "zip" and not _is_unicode(name):
            return MemberError(
                "has a name that is no UTF-8, which a zip archive cannot hold; rename it, or make "
                "a tar archive"
            )
        return Packing._why_not(self, source, name)

    def _take(self, result: FileResult, line: bytes | None, name: str, mtime_ns: int) -> None:
        """Put a label map into its place; a failed one leaves its place out."""
        content = result.content
        try:
            if not result.is_wrong and self.error is not None:
                raise self.error
            if content is not None:
                self._pass(name, content, mtime_ns)
            elif result.is_wrong and self.error is None and not self.options.dry_run:
                self._open().leave_out(name)
        except GpusegError as error:
            self.error = error
            result, line = FileResult.failure(result.source, error), None
        self._files += not result.is_wrong
        self._failures += result.is_wrong
        self._unknown += 0 if result.is_wrong else result.unknown_pixels
        self.add(result, line)

    def _failed(self, source: Source, error: Exception) -> None:
        self._failures += 1
        if source.error is None:
            self.error = error
        Packing._failed(self, source, error)

    def _pass(self, name: str, data: bytes | IO[bytes], mtime_ns: int) -> None:
        self._open().add(name, data, mtime_ns)

    def _open(self) -> ArchiveWriter:
        if self._writer is None:
            assert self.make_writer is not None  # noqa: S101  # for mypy
            self._writer = self.make_writer()
        return self._writer


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeError:  # bytes of another encoding, which came as surrogates
        return False
    return True


def _is_same(path: str, target: str) -> bool:
    try:
        return os.path.samefile(path, target)
    except (OSError, ValueError):  # a URL, or gone: reading will tell
        return False


def _size_of(target: str) -> int | None:
    """Bytes of a file where an archive is to go, None for nothing. Raises OutputError."""
    try:
        if storage.is_url(target):
            entry = storage.info(target)
            return None if entry is None else entry.size
        if not os.path.lexists(target):
            return None
        if os.path.isfile(target):
            return os.path.getsize(target)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise OutputError(
            f"the target {target} cannot be looked at: {reason}; choose another DST"
        ) from error
    raise OutputError(
        f"the target {target} is a folder, a pipe, a device or a link to nowhere; remove it, or "
        "choose another DST"
    )
