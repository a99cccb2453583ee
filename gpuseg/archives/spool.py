"""Large members that wait for their turn, in temp files: many in each, for files open are few."""

from __future__ import annotations

import io
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, cast

from gpuseg.errors import MemberError

SEGMENT = 1 << 26
"""Bytes of a temp file from which on another is begun (64 MiB)."""

_BLOCK = 1 << 18


class Spool:
    """Keeps copies of files. One thread copies; any may read the copies and close them."""

    def __init__(self) -> None:
        self._segment: _Segment | None = None

    def copy(self, file: IO[bytes], most: int) -> tuple[IO[bytes], int]:
        """A copy of what is left of a file, up to a block more than `most` bytes; and its bytes.

        Raises MemberError where there is no room for it, and whatever the file raises.
        """
        if self._segment is None or self._segment.size >= SEGMENT:
            self.close()
            with _no_room_told():
                self._segment = _Segment()
        try:
            return self._segment.copy(file, most)
        except MemberError:
            self.close()  # so that it goes once its copies do, and there is room again
            raise

    def close(self) -> None:
        """Copy nothing more. What was copied lives on until it is closed."""
        if self._segment is not None:
            self._segment.release()
            self._segment = None


class _Segment:
    """A temp file without a name. users: copies in it that are open, and the spool itself."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115  # `release` closes it
        self._lock = threading.Lock()
        self._users = 1
        self.size = 0

    def copy(self, file: IO[bytes], most: int) -> tuple[IO[bytes], int]:
        start = end = self.size
        while end - start <= most and (block := file.read(_BLOCK)):
            with _no_room_told(), self._lock:
                self._file.seek(end)
                view = memoryview(block)
                while view:
                    view = view[self._file.write(view) :]
            end += len(block)
        self.size = end
        with self._lock:
            self._users += 1
        return cast("IO[bytes]", _Copy(self, start, end)), end - start

    def read_into(self, buffer: memoryview, at: int) -> int:
        with self._lock:
            self._file.seek(at)
            return self._file.readinto(buffer)

    def release(self) -> None:
        with self._lock:
            self._users -= 1
            if not self._users:
                self._file.close()


class _Copy(io.RawIOBase):
    def __init__(self, segment: _Segment, start: int, end: int) -> None:
        self._segment, self._start, self._end, self._at = segment, start, end, start

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        base = {io.SEEK_SET: self._start, io.SEEK_CUR: self._at, io.SEEK_END: self._end}
        self._at = min(max(base[whence] + offset, self._start), self._end)
        return self._at - self._start

    def readinto(self, buffer: Any) -> int:
        view = memoryview(buffer)[: self._end - self._at]
        count = self._segment.read_into(view, self._at) if view else 0
        self._at += count
        return count

    def close(self) -> None:
        if not self.closed:
            self._segment.release()
        super().close()


@contextmanager
def _no_room_told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise MemberError(
            f"waits for its turn in a temp file, and that cannot be written ({error.strerror}); "
            f"make room in {tempfile.gettempdir()}, or name another folder by TMPDIR"
        ) from error
