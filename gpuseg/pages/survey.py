"""Which few label maps show best what there is: chosen while all of them are counted."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from dataclasses import dataclass, field

from gpuseg.frequencies.counts import LabelCounts
from gpuseg.results import FileResult


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    """A label map that may be shown. Ordered: the one to be preferred first.

    share: of the class that it was chosen for, negative. spread: a hash of the name, which
    picks files from all over the folder, the same in every run.
    """

    share: float
    spread: bytes
    name: str
    indices: frozenset[int] = field(compare=False)


@dataclass(slots=True)
class Survey:
    """Chooses from what `look` finds; memory follows from the number of classes, not of files.

    gallery: how many label maps are to be shown.
    """

    gallery: int
    _images: Counter[int] = field(default_factory=Counter)
    _best: dict[int, Candidate] = field(default_factory=dict)
    _spread: list[tuple[int, Candidate]] = field(default_factory=list)

    def add(self, result: FileResult) -> None:
        """Take one file's result."""
        counts = result.details
        if not isinstance(counts, LabelCounts):
            return
        name = result.source.encode("utf-8", "surrogatepass")
        spread = hashlib.blake2b(name, digest_size=8).digest()
        indices = frozenset(counts.indices)
        total = result.width * result.height
        for index, pixels in zip(counts.indices, counts.pixels, strict=True):
            self._images[index] += 1
            mine = Candidate(-pixels / total, spread, result.source, indices)
            if index not in self._best or mine < self._best[index]:
                self._best[index] = mine
        self._keep(Candidate(0.0, spread, result.source, indices))

    def _keep(self, candidate: Candidate) -> None:
        """Hold on to the files with the least hashes."""
        rank = -int.from_bytes(candidate.spread, "big")  # the largest hash leaves the heap first
        if len(self._spread) < self.gallery:
            heapq.heappush(self._spread, (rank, candidate))
        elif self._spread and rank > self._spread[0][0]:
            heapq.heapreplace(self._spread, (rank, candidate))

    def chosen(self, ignore_index: int | None) -> list[str]:
        """The label maps to show, by name: first those that cover rare classes, then any.

        Two thirds at most are chosen for a class, the file with the largest share of it; the
        others by their hash, for a look at what is usual.
        """
        chosen: dict[str, Candidate] = {}
        room = self.gallery - self.gallery // 3
        for index in sorted(self._best, key=lambda i: (self._images[i], i)):
            if len(chosen) >= room:
                break
            if index != ignore_index and not any(index in c.indices for c in chosen.values()):
                chosen.setdefault(self._best[index].name, self._best[index])
        for _, candidate in sorted(self._spread, reverse=True):
            if len(chosen) >= self.gallery:
                break
            chosen.setdefault(candidate.name, candidate)
        return sorted(chosen)
