"""Bytes of the fuzzer as decisions: which width, which filter, what to break.

atheris has a reader of its own; this one also works where atheris is not installed, and one
changed byte of the input changes one decision.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

Item = TypeVar("Item")


class Supply:
    """Decisions from the front of `data`; where it has ended, all of them are 0."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def __len__(self) -> int:
        return max(0, len(self._data) - self._at)

    def byte(self) -> int:
        self._at += 1
        return self._data[self._at - 1] if self._at <= len(self._data) else 0

    def number(self, low: int, top: int) -> int:
        """A number from low to top, both included."""
        value = self.byte()
        if top - low > 255:
            value |= self.byte() << 8
        return low + value % (top - low + 1)

    def pick(self, items: Sequence[Item]) -> Item:
        return items[self.byte() % len(items)]

    def rarely(self, often: int = 8) -> bool:
        """True once in `often` times, and never once the bytes have ended."""
        return self.byte() % often == 1

    def take(self, count: int) -> bytes:
        """The next bytes, with zeros where they have ended."""
        found = self._data[self._at : self._at + count]
        self._at += count
        return found.ljust(count, b"\0")

    def rest(self) -> bytes:
        return self.take(len(self))
