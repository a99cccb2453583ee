"""Settings that are one for the whole process, and changed while runs go on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Setting(Generic[Value]):
    """A setting. read, write: how to get and set it."""

    def __init__(self, read: Callable[[], Value], write: Callable[[Value], None]) -> None:
        self._read, self._write = read, write
        self._lock = threading.Lock()
        self._before: list[Value] = []  # one entry a run that is under way

    @contextmanager
    def changed(self, change: Callable[[Value], Value]) -> Iterator[None]:
        """Change it meanwhile; the last of several runs at once gives back what was."""
        with self._lock:
            now = self._read()
            self._before.append(self._before[0] if self._before else now)
            self._write(change(now))
        try:
            yield
        finally:
            with self._lock:
                before = self._before.pop()
                if not self._before:
                    self._write(before)
