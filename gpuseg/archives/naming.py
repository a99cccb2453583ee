"""How the members of archives are called, and which name came before."""

from __future__ import annotations

import re

import numpy as np
from numpy.typing import NDArray

_RECENT = 1 << 16
_LEADING = re.compile(r"(\./)+(?=[^/])")


def base_name(path: str) -> str:
    """The last part of a path or URL."""
    return re.split(r"[/\\]", path.rstrip("/\\"))[-1]


def normal(name: str) -> str:
    """A member's name without the `./` that `tar -C folder .` puts before it."""
    return _LEADING.sub("", name, count=1) if name.startswith("./") else name


class Seen:
    """Names that came before, in 8 bytes each (hashes, of which Python draws a key a process)."""

    def __init__(self) -> None:
        self._recent: set[int] = set()
        self._older: NDArray[np.int64] = np.empty(0, np.int64)

    def add(self, name: str) -> bool:
        """Note a name; whether it is new."""
        if name in self:
            return False
        self._recent.add(hash(name))
        if len(self._recent) == _RECENT:
            recent = np.fromiter(self._recent, np.int64, _RECENT)
            self._older = np.sort(np.concatenate([self._older, recent]))
            self._recent.clear()
        return True

    def __contains__(self, name: str) -> bool:
        """Whether it came before."""
        key = hash(name)
        return key in self._recent or self._is_older(key)

    def _is_older(self, key: int) -> bool:
        if not len(self._older):
            return False
        at = int(np.searchsorted(self._older, key))
        return at < len(self._older) and int(self._older[at]) == key


class Names:
    """The names of one archive's members, each told from those that came before."""

    def __init__(self) -> None:
        self._seen = Seen()

    def row(self, name: str) -> str:
        """A name of its own for the row of the next member: the second of a name is `name#2`."""
        if self._seen.add(name):
            return name
        number = 2
        while not self._seen.add(f"{name}#{number}"):
            number += 1
        return f"{name}#{number}"
