"""Where the files of a run are put: a folder of this machine, a storage, or back to the caller."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO, Protocol

from gpuseg import storage
from gpuseg.codecs.fingerprint import HEAD, Fingerprint, find_fingerprint, read_fingerprint
from gpuseg.discover import Source
from gpuseg.errors import OutputError, UsageError
from gpuseg.finding import is_archive
from gpuseg.folders import Folders
from gpuseg.output import open_atomically, write_atomically

_BLOCK = 1 << 18

Check = Callable[[str | bytes], None]
"""Looks at what was written, a path or bytes, before it counts as written. Raises OutputError."""


@dataclass(frozen=True, slots=True)
class Found:
    """A file that lies where a target goes. fingerprint: None where gpuseg did not write it."""

    fingerprint: Fingerprint | None


class Destination(Protocol):
    """Takes the targets of a run. Sent to worker processes by pickle; used by many threads."""

    def path(self, relative: str) -> str:
        """Where a target goes: a path, a URL, or its name in an archive."""

    def look(self, target: str) -> Found | None:
        """What lies there, None for nothing. Raises OutputError for what must not be replaced."""

    def is_input(self, target: str, source: Source) -> bool:
        """Whether the target is the source itself, by whatever name."""

    def write(self, target: str, data: bytes, check: Check | None = None) -> bytes | None:
        """Put a target there, whole or not at all. Raises OutputError.

        Returns what the row must carry back to the run, None where it is written.
        """

    def copy(self, target: str, file: IO[bytes]) -> None:
        """Put a file there as it is, from where it stands, a block at a time. As `write`."""


@dataclass(frozen=True, slots=True, eq=False)
class LocalFolder:
    """A folder of this machine."""

    dst: str
    folders: Folders = field(repr=False)

    def path(self, relative: str) -> str:
        """Its path."""
        return os.path.join(self.dst, relative)

    def write(self, target: str, data: bytes, check: Check | None = None) -> None:
        """By a temp file and a rename."""
        self.folders.prepare(os.path.dirname(target))
        write_atomically(target, data, check)

    def copy(self, target: str, file: IO[bytes]) -> None:
        """See Destination."""
        self.folders.prepare(os.path.dirname(target))
        with open_atomically(target) as copy:
            shutil.copyfileobj(file, copy, _BLOCK)

    def look(self, target: str) -> Found | None:
        """See Destination."""
        try:
            os.lstat(target)
        except FileNotFoundError:  # the usual case, at the least cost
            return None
        except OSError:  # told below
            pass
        try:
            regular = stat.S_ISREG(os.stat(target).st_mode)  # a pipe could wait for ever
            found = read_fingerprint(target) if regular else None
        except FileNotFoundError:
            if not os.path.islink(target):
                return None
            raise OutputError(
                f"the target {target} exists and was not written by gpuseg: it is a link to "
                "nowhere; remove it, or choose another DST"
            ) from None
        except OSError as error:
            raise OutputError(
                f"the target {target} cannot be read: {error.strerror}; remove what is in the "
                "way, or choose another DST"
            ) from error
        if not regular:
            raise OutputError(
                f"the target {target} is a folder, a pipe or a device; remove it, or choose "
                "another DST"
            )
        return Found(found)

    def is_input(self, target: str, source: Source) -> bool:
        """See Destination."""
        try:
            return os.path.samefile(source.path, target)
        except OSError:  # one of them is gone: decoding will tell
            return False


@dataclass(frozen=True, slots=True)
class StoredFolder:
    """A place in a storage, named by its URL; a target is written by one PUT.

    was_empty: nothing lay there when the run began, so that no target needs to be looked for.
    """

    dst: str
    was_empty: bool = False

    def path(self, relative: str) -> str:
        """Its URL."""
        return storage.join(self.dst, relative)

    def look(self, target: str) -> Found | None:
        """See Destination. Asks for the first bytes only: a PUT is whole or not at all."""
        if self.was_empty:
            return None
        try:
            head = storage.read_start(target, HEAD)
        except OSError as error:
            raise OutputError(
                f"the target {target} cannot be read: {error.strerror}; mend that, or choose "
                "another DST"
            ) from error
        return None if head is None else Found(find_fingerprint(head, whole=True))

    def is_input(self, target: str, source: Source) -> bool:
        """See Destination."""
        return target == source.path

    def write(self, target: str, data: bytes, check: Check | None = None) -> None:
        """By one PUT. With a check it is read back, too, and removed if it differs."""
        if check is not None:
            check(data)  # nothing is seen under its name until then
        try:
            storage.write(target, data)
            if check is not None and storage.read(target) != data:
                storage.remove(target)
                raise OSError(errno.EIO, "other bytes were read back, so it was removed again")
        except OSError as error:
            raise OutputError(
                f"{target} cannot be written: {error.strerror or error}; mend that, or choose "
                "another DST"
            ) from error

    def copy(self, target: str, file: IO[bytes]) -> None:
        """See Destination. By a temp file."""
        with open_atomically(target) as copy:
            shutil.copyfileobj(file, copy, _BLOCK)


@dataclass(frozen=True, slots=True)
class Returned:
    """Back to the run, which puts the targets into an archive."""

    def path(self, relative: str) -> str:
        """Its name in the archive."""
        return relative

    def look(self, target: str) -> None:
        """Nothing: an archive is made anew."""

    def is_input(self, target: str, source: Source) -> bool:
        """Never."""
        return False

    def write(self, target: str, data: bytes, check: Check | None = None) -> bytes:
        """The bytes themselves."""
        if check is not None:
            check(data)
        return data

    def copy(self, target: str, file: IO[bytes]) -> None:
        """Never: an archive takes its members itself."""
        raise NotImplementedError


def destination(dst: str) -> Destination:
    """Where the targets of a run to DST go, a folder or a URL; those of archives come back.

    Raises UsageError for a storage that cannot be asked.
    """
    if is_archive(dst, target=True):
        return Returned()
    if not storage.is_url(dst):
        return LocalFolder(dst, Folders(dst))
    try:
        return StoredFolder(dst, was_empty=next(storage.entries(dst, 1), None) is None)
    except FileNotFoundError:  # told file by file, where it cannot be made either
        return StoredFolder(dst, was_empty=True)
    except OSError as error:
        raise UsageError(
            f"DST {dst} cannot be looked at: {error.strerror or error}; mend that, or name another"
        ) from error
