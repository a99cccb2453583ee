"""A folder whose files become archives: a stretch of its listing each."""

from __future__ import annotations

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from gpuseg.discover import Source
from gpuseg.errors import ArchiveError
from gpuseg.finding import find

_MODULUS = 1 << 128


@dataclass(slots=True)
class Listing:
    """What a listing holds: how many files, and a digest that their order does not change.

    digest: the sum of those of the files, modulo 2^128.
    """

    files: int = 0
    digest: int = 0

    def add(self, source: Source) -> None:
        """Count a file with its name and state."""
        text = f"{source.relative}\0{source.state}\0{source.error or ''}"
        digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        self.digest = (self.digest + int.from_bytes(digest, "big")) % _MODULUS
        self.files += 1


@dataclass(slots=True)
class Parts:
    """The files of a folder, or of a place in a storage, in stretches of its listing.

    src, pattern, left_alone: as in Walk.
    It is listed once to be counted, and once more as the stretches are asked for, one after the
    other; what was asked for before is listed anew. Elsewhere (it is sent by pickle) a stretch
    takes a listing up to there.
    """

    src: str
    pattern: str | None
    left_alone: Counter[str] = field(default_factory=Counter)
    _found: Iterator[Source] = field(default_factory=lambda: iter(()))
    _again: Listing = field(default_factory=Listing)
    _begun: bool = False

    def count(self) -> Listing:
        """List all files, and count those that are left alone."""
        counted, found = Listing(), find(self.src, self.pattern)
        self.left_alone.clear()
        found.left_alone = self.left_alone
        for source in found:
            counted.add(source)
        return counted

    def __reduce__(self) -> tuple[type[Parts], tuple[str, str | None]]:
        return Parts, (self.src, self.pattern)

    def files(self, start: int, stop: int, counted: Listing) -> Iterator[Source]:
        """The files from `start` up to `stop` of the listing, as it was counted.

        Raises ArchiveError where the folder has changed since it was counted, as far as that
        shows up to there.
        """
        if not self._begun or self._again.files > start:
            found = find(self.src, self.pattern)
            self._found, self._again, self._begun = iter(found), Listing(), True
        for _ in self._next(start - self._again.files):
            pass
        yield from self._next(stop - self._again.files)
        last = stop == counted.files
        if last:
            for _ in self._next(None):
                pass
        if self._again.files != stop or (last and self._again.digest != counted.digest):
            raise ArchiveError(
                f"{self.src} has changed while it was read: {counted.files:,} files when it "
                "was counted, others now; run again once it is at rest"
            )

    def _next(self, count: int | None) -> Iterable[Source]:
        for source in itertools.islice(self._found, count):
            self._again.add(source)
            yield source
