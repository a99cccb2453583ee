"""The specification of outlines: regions, their runs down the columns, and what a ring covers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]


def regions(values: NDArray[np.unsignedinteger], *, eight: bool) -> list[tuple[int, Mask]]:
    """The connected regions of equal pixels, by their first pixels, row by row.

    values: (H, W); pixels of 0 are of no region. eight: whether pixels that touch at a corner are
    connected. Returns the value and the pixels of each, bool (H, W).
    """
    left = values != 0
    found = []
    for y, x in np.argwhere(left).tolist():
        if left[y, x]:
            mask = _grown((y, x), values == values[y, x], eight)
            left &= ~mask
            found.append((int(values[y, x]), mask))
    return found


def _grown(start: tuple[int, int], equal: Mask, eight: bool) -> Mask:
    """All that is connected to a pixel."""
    around = np.zeros(tuple(side + 2 for side in equal.shape), np.bool_)
    mask = around[1:-1, 1:-1]
    mask[start] = True
    while True:
        near = around[:-2, 1:-1] | around[2:, 1:-1] | around[1:-1, :-2] | around[1:-1, 2:]
        if eight:
            near |= around[:-2, :-2] | around[:-2, 2:] | around[2:, :-2] | around[2:, 2:]
        more = near & equal & ~mask
        if not more.any():
            return mask.copy()
        mask |= more


def covered(ring: NDArray[np.int32], shape: tuple[int, int]) -> Mask:
    """What a ring along the edges of pixels covers, by the even-odd rule: bool `shape`.

    ring: (N, 2), x and y of its corners. Each edge along a row changes all that lies below it.
    """
    changes = np.zeros((shape[0] + 1, shape[1]), np.bool_)
    for (x, y), (other, below) in zip(ring.tolist(), np.roll(ring, -1, 0).tolist(), strict=True):
        assert x == other or y == below  # noqa: S101  # along the edges of pixels
        changes[y, min(x, other) : max(x, other)] ^= True
    return np.logical_xor.accumulate(changes, 0)[:-1]


def column_runs(mask: Mask) -> NDArray[np.int64]:
    """Lengths of the runs of other pixels and of these by turns, down the columns: int64 (K,)."""
    pixels = np.concatenate([[False], mask.T.reshape(-1)])
    changes = np.flatnonzero(pixels[1:] != pixels[:-1])
    return np.diff(np.concatenate([[0], changes, [mask.size]])).astype(np.int64)
