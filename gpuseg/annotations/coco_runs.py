"""Bitmaps as runs down the columns, as COCO and Scalabel have them: compressed, or a list."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gpuseg.annotations.fields import ShapeFaultError, shown
from gpuseg.shapes import Runs


def runs_of(value: object, size: tuple[int, int]) -> Runs:
    """The bitmap of a whole image, from `counts` and `size`. Raises ShapeFaultError.

    size: width and height of the image, in pixels.
    """
    width, height = size
    if not isinstance(value, dict):
        raise ShapeFaultError(f"needs an object for its runs, got {shown(value)}")
    if value.get("size") != [height, width]:
        raise ShapeFaultError(
            f"has runs of the size {shown(value.get('size'))}, and its image needs "
            f"{[height, width]}, height and width"
        )
    counts = value.get("counts")
    if isinstance(counts, str):
        found = _unpacked(counts, width * height)
    else:
        found = _plain(counts, width * height)
    return Runs(found, 0, 0, width, height, by_column=True)


def _unpacked(counts: str, pixels: int) -> NDArray[np.int64]:
    """Compressed counts, int64 (K,)."""
    from gpuseg.kernels.coco_runs import counts_of

    try:
        return counts_of(counts.encode("utf-8", "surrogatepass"), pixels)
    except ValueError as error:
        raise ShapeFaultError(f"is damaged: {error}") from error


def _plain(counts: object, pixels: int) -> NDArray[np.int64]:
    """Uncompressed counts, int64 (K,)."""
    if not isinstance(counts, list):
        raise ShapeFaultError(f"needs a list or a text for its counts, got {shown(counts)}")
    try:
        found = np.asarray(counts or [0])
    except ValueError:
        raise ShapeFaultError(f"has counts that are not all integers: {shown(counts)}") from None
    if found.ndim != 1 or found.dtype.kind != "i":
        raise ShapeFaultError(f"has counts that are not all integers: {shown(counts)}")
    if found.min() < 0:
        raise ShapeFaultError(f"has a count below 0: {found.min():,}")
    total = sum(counts)  # of any size, and sums of int64 may wrap round
    if total != pixels:
        raise ShapeFaultError(f"has runs of {total:,} pixels, and {pixels:,} were expected")
    return found.astype(np.int64)
