"""What each label map of a dump holds: the task of counting labels."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg import direct
from gpuseg.codecs import png
from gpuseg.codecs.opening import ImageFile
from gpuseg.discover import Source
from gpuseg.frequencies.counts import LabelCounts
from gpuseg.label_maps import read_label_map
from gpuseg.options import ReadOptions
from gpuseg.results import FileResult
from gpuseg.task import row_of


@dataclass(frozen=True, slots=True)
class Counting:
    """Counts the labels of each file; the `details` of its results are LabelCounts."""

    options: ReadOptions

    def run(self, source: Source) -> FileResult:
        """Count those of one label map; whatever happens becomes its row."""
        return row_of(source, self._count, self.options.max_pixels)

    def _count(self, source: Source) -> FileResult:
        start = perf_counter()
        details, fields = count_label_map(source.image, self.options.max_pixels)
        return FileResult(
            source=source.relative,
            status="read",
            details=details,
            seconds={"count": perf_counter() - start},
            **fields,
        )


def count_label_map(path: ImageFile, max_pixels: int) -> tuple[LabelCounts, dict[str, Any]]:
    """What a label map holds, and the fields of its FileResult. Raises as `read_label_map`."""
    with suppress(png.NotDirectError):
        mask = png.read_scanlines(path, max_pixels, grey=True)
        if mask.colours is not None and mask.bits == 8:  # usual, and counted as it is inflated
            counts = direct.count_labels(mask)
            fields = _fields(mask)
            return _summed(counts, 8, None if mask.grey else mask.colours), fields
    from gpuseg.kernels.counting import count_labels  # numba loads with the first file

    found = read_label_map(path, max_pixels)
    colours = None
    if found.plte is not None:
        colours = np.frombuffer(found.plte, np.uint8).reshape(-1, 3)
    return _summed(count_labels(found.labels), found.bits, colours), _fields(found)


def _fields(found: Any) -> dict[str, Any]:
    return {
        name: getattr(found, name) for name in ("width", "height", "format", "codec", "warnings")
    }


def _summed(counts: NDArray[np.int64], bits: int, colours: NDArray[np.uint8] | None) -> LabelCounts:
    """counts: int64 (256,) or (65536,). colours: the file's palette, uint8 (K, 3), or None."""
    indices = counts.nonzero()[0]
    pixels = tuple(counts[indices].tolist())
    listed = b""
    if colours is not None:
        listed = colours[indices[: indices.searchsorted(len(colours))]].tobytes()
    return LabelCounts(bits, tuple(indices.tolist()), pixels, listed)
