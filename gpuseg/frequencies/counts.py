"""What label maps hold: the counts of each, small to send, and their sums in constant memory."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpuseg.results import FileResult

MOST_SIZES = 4096
"""Sizes of images that are told apart; what has another is one of the others."""

MOST_COLOURS = 16
"""Colours of one index that are told apart: more say no more than that it has no meaning."""

TOGETHER = 1024
"""Indices below this are counted by which others they occur with (8 MiB at most)."""

_MOST_HELD = 1 << 16


class LabelCounts(NamedTuple):
    """What one label map holds (a tuple, for it is sent by the hundred thousand).

    bits: of a label. indices: those that occur, ascending. pixels: of each. colours: of each by
    the file's own palette, 3 bytes RGB; fewer where its palette ends before, none for greyscale.
    """

    bits: int
    indices: tuple[int, ...]
    pixels: tuple[int, ...]
    colours: bytes

    def row(self) -> Mapping[str, Any]:
        """Its part of the row: bits, and the pixels of each index."""
        return {"bits": self.bits, "indices": dict(zip(self.indices, self.pixels, strict=True))}


class Tally:
    """Sums over label maps; `add` takes their results one at a time, in any order.

    images: how many. pixels: of each index. area: pixels of the images that hold it, without
    those of the ignore index. sizes: images by (width, height). other_sizes: images of sizes
    that are not told apart. formats: images by format and bits of a label.
    """

    def __init__(self, ignore_index: int) -> None:
        self.ignore_index = ignore_index
        self.images = self.other_sizes = 0
        self.pixels: defaultdict[int, int] = defaultdict(int)
        self.area: defaultdict[int, int] = defaultdict(int)
        self.sizes: Counter[tuple[int, int]] = Counter()
        self.formats: Counter[tuple[str, int]] = Counter()
        # many images hold the same indices in the same colours: one entry for all of them
        self._kinds: Counter[tuple[tuple[int, ...], bytes]] = Counter()
        self._held = 0
        self._images_of: Counter[int] = Counter()
        self._colours: defaultdict[int, Counter[bytes]] = defaultdict(Counter)
        self._together: NDArray[np.int64] = np.zeros((0, 0), np.int64)

    def add(self, result: FileResult) -> None:
        """Add what a label map holds; a result without `LabelCounts` adds nothing."""
        counts = result.details
        if not isinstance(counts, LabelCounts):
            return
        self.images += 1
        self.formats[result.format, counts.bits] += 1
        size = (result.width, result.height)
        if size in self.sizes or len(self.sizes) < MOST_SIZES:
            self.sizes[size] += 1
        else:
            self.other_sizes += 1
        area = result.width * result.height
        if self.ignore_index in counts.indices:
            area -= counts.pixels[counts.indices.index(self.ignore_index)]
        for index, pixels in zip(counts.indices, counts.pixels, strict=True):
            self.pixels[index] += pixels
            self.area[index] += area
        self._kinds[counts.indices, counts.colours] += 1
        self._held += len(counts.indices)
        if self._held > _MOST_HELD:
            self._settle()

    def images_of(self) -> Counter[int]:
        """Images that hold each index."""
        self._settle()
        return self._images_of

    def colours(self) -> Mapping[int, Counter[bytes]]:
        """The colours that files give each index, 3 bytes RGB, and how many files do."""
        self._settle()
        return self._colours

    def together(self, indices: list[int]) -> NDArray[np.int64]:
        """Images that hold both of two indices, int64 (M, M); the diagonal: that hold one.

        indices: below TOGETHER, M of them.
        """
        self._settle()
        if indices:
            self._reach(max(indices))
        return self._together[np.ix_(indices, indices)]

    def _settle(self) -> None:
        """Count what the kinds of images say, and forget them."""
        for (indices, colours), images in self._kinds.items():
            for index in indices:
                self._images_of[index] += images
            for index, at in zip(indices, range(0, len(colours), 3), strict=False):
                found, colour = self._colours[index], colours[at : at + 3]
                if colour in found or len(found) < MOST_COLOURS:
                    found[colour] += images
            few = [index for index in indices if index < TOGETHER]
            if few:
                self._reach(few[-1])
                self._together[np.ix_(few, few)] += images
        self._kinds.clear()
        self._held = 0

    def _reach(self, index: int) -> None:
        """Make room for an index."""
        missing = index + 1 - len(self._together)
        if missing > 0:
            self._together = np.pad(self._together, ((0, missing), (0, missing)))
