"""An archive in the making: a temp file beside it, or on its way to a URL, and then the whole."""

from __future__ import annotations

import contextlib
import os
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO

from gpuseg import output, storage
from gpuseg.archives.mark import Mark
from gpuseg.errors import GpusegError, OutputError


class ArchiveWriter(ABC):
    """Takes the members of an archive in order; `finish` gives it its name.

    target: path or URL. What fails removes what there is of it. Raises OutputError.
    """

    def __init__(self, target: str) -> None:
        self.target = target
        self.held = ExitStack()  # what is to be closed with it
        folder = tempfile.gettempdir() if storage.is_url(target) else os.path.dirname(target) or "."
        self.path = output.temp_path(folder)
        with self._written():
            _make_ready(folder, output.token())
            self._begin()

    def add(self, name: str, data: bytes | IO[bytes], mtime_ns: int) -> None:
        """Append a member. data: its bytes, or a file from where it stands. Raises OutputError."""
        with self._written():
            self._append(name, data, mtime_ns)

    def leave_out(self, name: str) -> None:  # noqa: B027  # only tables keep a place for it
        """Go on without a member of the source. Raises OutputError."""

    def finish(self, mark: Mark) -> None:
        """Write the end, and give the archive its name. Raises OutputError."""
        with self._written():
            self._end(mark)
            if storage.is_url(self.target):
                storage.upload(self.path, self.target)
                output.remove(Path(self.path))
            else:
                os.replace(self.path, self.target)

    def discard(self) -> None:
        """Leave nothing behind. To be called after `finish`, too, which leaves nothing."""
        with contextlib.suppress(Exception):  # what failed is told already
            self._close()
        self.held.close()
        output.remove(Path(self.path))

    @contextmanager
    def _written(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            self.discard()
            # libraries raise what they like of names, times and sizes that they cannot write
            if isinstance(error, Exception) and not isinstance(error, GpusegError):
                reason = getattr(error, "strerror", None) or error
                raise OutputError(
                    f"{self.target} cannot be written: {reason}; what was there before is "
                    "untouched; mend that, or choose another DST"
                ) from error
            raise

    @abstractmethod
    def _begin(self) -> None:
        """Make the file at `path`."""

    @abstractmethod
    def _append(self, name: str, data: bytes | IO[bytes], mtime_ns: int) -> None:
        """Write a member."""

    @abstractmethod
    def _end(self, mark: Mark) -> None:
        """Write the end and the mark, and close the file."""

    @abstractmethod
    def _close(self) -> None:
        """Close the file if it is open."""


@lru_cache(maxsize=4096)
def _make_ready(folder: str, token: str) -> None:
    """Make a folder and sweep it, once in a run. Raises OSError."""
    os.makedirs(folder, exist_ok=True)
    output.sweep(folder)
