"""How far an archive is read, to tell about how much is left."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO

from gpuseg.archives.member import Member


@dataclass(slots=True)
class Watch:
    """Looks on while members are read. size: bytes of the archive; members: that came."""

    stream: IO[bytes] | None = None
    size: int = 0
    members: int = 0

    def over(self, members: Iterable[Member], stream: IO[bytes], size: int) -> Iterator[Member]:
        """These members, watched. stream: the bytes that they come from."""
        self.stream, self.size, self.members = stream, size, 0
        try:
            for member in members:
                self.members += 1
                yield member
        finally:
            self.stream = None

    def left(self) -> tuple[float, float]:
        """About how many members this archive has left, and how many a whole one has."""
        if self.stream is None or not self.members:
            return 0.0, 0.0
        share = min(1.0, max(1, self.stream.tell()) / max(1, self.size))
        return self.members * (1 - share) / share, self.members / share
