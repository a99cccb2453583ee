"""One pass over label maps: which classes there are, and which few files show them best."""

from __future__ import annotations

import hashlib
import heapq
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, cast

import numpy as np

from gpuseg.discover import Source
from gpuseg.label_maps import read_label_map
from gpuseg.options import ReadOptions
from gpuseg.results import FileResult


class Holding(Protocol):
    """What a file's row says of the classes in it: index -> pixels."""

    @property
    def pixels(self) -> Mapping[int, int]:
        """Of each index that is present."""


@dataclass(frozen=True, slots=True)
class Present:
    """The indices of one label map, and how many pixels have each."""

    pixels: dict[int, int]

    def row(self) -> Mapping[str, Any]:
        """For JSON."""
        return {"indices": {str(index): count for index, count in self.pixels.items()}}


@dataclass(frozen=True, slots=True)
class Counting:
    """The task of counting the indices of label maps."""

    options: ReadOptions

    def run(self, source: Source) -> FileResult:
        """Count one file's."""
        if source.error is not None:
            return FileResult.failure(source.relative, source.error)
        try:
            found = read_label_map(source.path, self.options.max_pixels)
        except Exception as error:  # a file that fails never stops another
            return FileResult.failure(source.relative, error)
        counts = np.bincount(found.labels.reshape(-1))
        present = np.flatnonzero(counts)
        pixels = dict(zip(present.tolist(), counts[present].tolist(), strict=True))
        return FileResult(
            source=source.relative,
            status="read",
            width=found.width,
            height=found.height,
            format=found.format,
            codec=found.codec,
            details=Present(pixels),
        )


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
    """Counts what `look` finds; memory follows from the number of classes, not of files.

    pixels, images: of each index. gallery: how many label maps are to be shown.
    """

    gallery: int
    pixels: Counter[int] = field(default_factory=Counter)
    images: Counter[int] = field(default_factory=Counter)
    _best: dict[int, Candidate] = field(default_factory=dict)
    _spread: list[tuple[int, Candidate]] = field(default_factory=list)

    def add(self, result: FileResult) -> None:
        """Take one file's result."""
        if result.details is None:
            return
        held = cast("Holding", result.details).pixels
        spread = hashlib.blake2b(
            result.source.encode("utf-8", "surrogatepass"), digest_size=8
        ).digest()
        indices = frozenset(held)
        total = max(1, result.width * result.height)
        for index, count in held.items():
            self.pixels[index] += count
            self.images[index] += 1
            mine = Candidate(-count / total, spread, result.source, indices)
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
        for index in sorted(self._best, key=lambda i: (self.images[i], i)):
            if len(chosen) >= room:
                break
            if index != ignore_index and not any(index in c.indices for c in chosen.values()):
                chosen.setdefault(self._best[index].name, self._best[index])
        for _, candidate in sorted(self._spread, reverse=True):
            if len(chosen) >= self.gallery:
                break
            chosen.setdefault(candidate.name, candidate)
        return sorted(chosen)
