"""Which few label maps show best what there is: chosen while all of them are counted."""

from __future__ import annotations

import hashlib
import heapq
from array import array
from collections import Counter
from dataclasses import dataclass, field

from gpuseg.frequencies.counts import LabelCounts
from gpuseg.results import FileResult


@dataclass(frozen=True, slots=True, order=True)
class Candidate:
    """A label map that may be shown. Ordered: the one to be preferred first.

    share: of the class that it was chosen for, negative. spread: a hash of the name, which
    picks files from all over the folder, the same in every run. indices: that it holds, uint16
    each, for one candidate may stand for each of 65,536 indices.
    """

    share: float
    spread: bytes
    name: str
    indices: array[int] = field(compare=False)


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
        indices = array("H", counts.indices)
        total = result.width * result.height
        for index, pixels in zip(counts.indices, counts.pixels, strict=True):
            self._images[index] += 1
            share, best = -pixels / total, self._best.get(index)
            if best is None or share <= best.share:
                mine = Candidate(share, spread, result.source, indices)
                if best is None or mine < best:
                    self._best[index] = mine
        self._keep(Candidate(0.0, spread, result.source, indices))

    def _keep(self, candidate: Candidate) -> None:
        """Hold on to the files with the least hashes."""
        rank = -int.from_bytes(candidate.spread, "big")  # the largest hash leaves the heap first
        if len(self._spread) < self.gallery:
            heapq.heappush(self._spread, (rank, candidate))
        elif self._spread and rank > self._spread[0][0]:
            heapq.heapreplace(self._spread, (rank, candidate))

    def chosen(self, ignore_index: int) -> list[str]:
        """The label maps to show, by name: first those that cover rare classes, then any.

        Two thirds at most are chosen for a class, the file with the largest share of it; the
        others by their hash, for a look at what is usual.
        """
        chosen: set[str] = set()
        covered = {ignore_index}
        room = self.gallery - self.gallery // 3
        for index in sorted(self._best, key=lambda i: (self._images[i], i)):
            if len(chosen) >= room:
                break
            if index not in covered:
                chosen.add(self._best[index].name)
                covered.update(self._best[index].indices)
        for _, candidate in sorted(self._spread, reverse=True):
            if len(chosen) >= self.gallery:
                break
            chosen.add(candidate.name)
        return sorted(chosen)
