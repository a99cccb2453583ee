"""What the drivers of storages answer, in our words: facts of files, errors, and streams."""

from __future__ import annotations

import errno
import io
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

Result = TypeVar("Result")

_TIMES = ("LastModified", "last_modified", "updated", "mtime", "modified", "created")
_TAGS = ("ETag", "etag", "md5Hash", "content_md5")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file in a storage.

    path: its URL. relative: its key below the place that was listed. size: bytes. mtime_ns: time
    of last change, ns, 0 where it is not known. tag: what the storage says of its content (an
    ETag), "" where it says nothing.
    """

    path: str
    relative: str
    size: int
    mtime_ns: int
    tag: str


def entry_of(url: str, relative: str, facts: Mapping[str, Any]) -> Entry:
    """The file at a URL. facts: as `info` and `ls` of a driver tell them."""
    time = next((facts[key] for key in _TIMES if facts.get(key)), None)
    tag = next((str(facts[key]) for key in _TAGS if facts.get(key)), "")
    return Entry(url, relative, int(facts.get("size") or 0), _nanoseconds(time), tag.strip('"'))


def _nanoseconds(time: object) -> int:
    """A time as drivers tell it: a datetime, its ISO text, or seconds; 0 for none of them."""
    if isinstance(time, str):
        try:
            time = datetime.fromisoformat(time)
        except ValueError:
            return 0
    if isinstance(time, datetime):
        return int(time.timestamp() * 1_000_000) * 1_000
    return int(time * 1e9) if isinstance(time, (int, float)) else 0


def told(url: str, do: Callable[[], Result]) -> Result:
    """Do what a driver does; whatever it raises is an OSError with its reason in `strerror`."""
    try:
        return do()
    except FileNotFoundError as error:
        if error.strerror:
            raise
        reason = str(error) or os.strerror(errno.ENOENT)
        raise FileNotFoundError(errno.ENOENT, reason, url) from error
    except OSError as error:
        if error.strerror:
            raise
        code = errno.EACCES if isinstance(error, PermissionError) else errno.EIO
        raise OSError(error.errno or code, str(error) or type(error).__name__, url) from error
    except Exception as error:  # timeouts, credentials, HTTP: each driver has its own
        raise OSError(errno.EIO, f"{type(error).__name__}: {error}", url) from error


class Stream(io.RawIOBase):
    """A driver's file, whose faults are OSErrors."""

    def __init__(self, url: str, file: Any) -> None:
        self._url, self._file = url, file

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """See io.RawIOBase. Raises OSError."""
        data = told(self._url, lambda: self._file.read(len(buffer)))
        buffer[: len(data)] = data
        return len(data)

    def seek(self, offset: int, whence: int = 0) -> int:
        """See io.IOBase. Raises OSError."""
        return int(told(self._url, lambda: self._file.seek(offset, whence)))

    def tell(self) -> int:
        """The next byte, from 0."""
        return int(self._file.tell())

    def close(self) -> None:
        """Let go of it."""
        if not self.closed:
            self._file.close()
        super().close()
