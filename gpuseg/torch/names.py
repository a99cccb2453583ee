"""Many names in little memory, and none that a worker process copies by looking at it."""

from __future__ import annotations

import os
from array import array
from collections.abc import Iterable, Sequence
from typing import overload

import numpy as np


class Names(Sequence[str]):
    """Paths, as one string of bytes and where each begins.

    A list of strings is memory that a forked worker shares with its parent until it counts a
    reference to each string, which writes to it: then every worker has a copy of its own. Here
    a name is made when it is asked for.
    """

    __slots__ = ("_starts", "_text")

    def __init__(self, names: Iterable[str]) -> None:
        text, starts = bytearray(), array("q", [0])
        for name in names:
            text += os.fsencode(name)
            starts.append(len(text))
        self._text = bytes(text)
        self._starts = np.frombuffer(starts, np.int64)

    def __len__(self) -> int:
        """How many."""
        return len(self._starts) - 1

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> list[str]: ...
    def __getitem__(self, index: int | slice) -> str | list[str]:
        """One of them, also counted from the end. Raises IndexError."""
        numbers = range(len(self))[index]
        return self._name(numbers) if isinstance(numbers, int) else [*map(self._name, numbers)]

    def _name(self, number: int) -> str:
        return os.fsdecode(self._text[self._starts[number] : self._starts[number + 1]])
