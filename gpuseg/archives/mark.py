"""What an archive of ours carries to tell what it was made from, for resume by archive."""

from __future__ import annotations

import re
from dataclasses import dataclass

_TEXT = re.compile(
    rb"gpuseg archive 1 ([0-9a-f]{32}) (\d{20}) (\d{20}) (\d{20}) (\d{20})\.", re.ASCII
)

LENGTH = 17 + 32 + 4 * 21 + 1
"""Bytes of a mark, always."""

_LIMIT = 10**20


@dataclass(frozen=True, slots=True)
class Mark:
    """digest: 16 bytes. files: masks that became label maps. failed: members that did not.

    unknown: pixels of unknown colour. size: bytes of the whole archive, where that can be told
    in it, else 0.
    """

    digest: bytes
    files: int = 0
    failed: int = 0
    unknown: int = 0
    size: int = 0

    def encode(self) -> bytes:
        """The mark as ASCII of a fixed length."""
        numbers = (self.files, self.failed, self.unknown, self.size)
        if len(self.digest) != 16 or not all(0 <= number < _LIMIT for number in numbers):
            raise ValueError(f"a mark has 16 bytes and counts below 10^20, got {self}")
        counts = " ".join(f"{number:020d}" for number in numbers)
        return f"gpuseg archive 1 {self.digest.hex()} {counts}.".encode()

    @classmethod
    def find(cls, data: bytes) -> Mark | None:
        """The mark that lies somewhere in `data`, None where there is none."""
        found = _TEXT.search(data)
        if found is None:
            return None
        digest, *numbers = found.groups()
        return cls(bytes.fromhex(digest.decode()), *map(int, numbers))


EMPTY = Mark(bytes(16))
"""Holds the place of a mark until all is known."""
