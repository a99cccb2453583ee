"""How much of the boundaries of a prediction lies near those of the truth, and the reverse.

What is counted, and why it is so, is in `reference_boundary`. Label maps are runs, so boundaries
are found 64 bytes at a time by where an image differs from itself, shifted. Their pixels are
marked by a byte made from their label. For each, the rows around are looked through from near to
far, up to 64 pixels at once, for its mark in the other image: most find it soon, and the cost
follows the length of boundaries more than the size of images.
"""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import Labels
from gpuseg.kernels.jit import U64, inlined, njit
from gpuseg.kernels.vectors import STEP, equal_bits, nonzero_bits, trailing_zeros, unequal_bits

_ZERO, _ONE = U64(0), U64(1)
_PREDICTED, _TRUE = U64(0), U64(2)
"""Columns of counts: boundary pixels of an image; behind each, those that are matched."""


class _Marks(threading.local):
    """Marks of the pixels of two images, and 64 more, for vectors may read past the end."""

    def __init__(self) -> None:
        self.memory = np.empty((2, 0), np.uint8)

    def cleared(self, pixels: int) -> NDArray[np.uint8]:
        """Zeros, uint8 (2, pixels + 64), in memory that is kept from call to call."""
        size = pixels + int(STEP)
        if self.memory.shape[1] < size:
            self.memory = np.empty((2, size), np.uint8)
        marks = self.memory[:, :size]
        marks[...] = 0
        return marks


_marks = _Marks()


def boundary_matches(
    truth: Labels, prediction: Labels, radius: float, ignore_index: int | None
) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """Pixels on boundaries, and of them those that are matched, of each label that has any.

    truth, prediction: uint8 or uint16 (H, W), of one shape, C-contiguous, in the byte order of
    the machine. radius: in pixels, from 0. Returns labels, uint16 (K,), ascending, and counts,
    int64 (K, 4): predicted boundary, of it matched, true boundary, of it matched.
    """
    dtype = np.promote_types(truth.dtype, prediction.dtype)
    height, width = truth.shape
    shape, reach = (U64(height), U64(width)), _reach(radius, height, width)
    marks = _marks.cleared(truth.size)
    true, predicted = (
        (labels.astype(dtype, copy=False).reshape(-1), mark)
        for labels, mark in zip((truth, prediction), marks, strict=True)
    )
    counts = np.zeros((1 << 8 * dtype.itemsize, 4), np.int64)
    ignored = np.int64(-1 if ignore_index is None else ignore_index)
    for (labels, edge), column in ((predicted, _PREDICTED), (true, _TRUE)):
        for back in (U64(1), shape[1]):
            data, steps = labels.view(np.uint8), (back, shape[1])
            _mark(labels, data, steps, true[0], ignored, edge)
        _count(labels, edge, counts, column)
    _match(predicted, true, shape, reach, counts, _PREDICTED)
    _match(true, predicted, shape, reach, counts, _TRUE)
    present = np.flatnonzero(counts.any(axis=1))
    return present.astype(np.uint16), counts[present]


def _reach(radius: float, height: int, width: int) -> NDArray[np.uint64]:
    """How far pixels within a radius lie to either side, by rows from there: uint64 (1 + rows,).

    Distances are roots of integers, so all is decided by the largest whose root is not above it.
    """
    radius = min(radius, math.hypot(height, width))
    square = int(radius * radius) + 1
    while math.sqrt(square) > radius:
        square -= 1
    rows = range(min(math.isqrt(square), max(height - 1, 0)) + 1)
    return np.array([math.isqrt(square - row * row) for row in rows], np.uint64)


@inlined
def _mark_of(label: Any) -> Any:
    """A byte that is never 0; labels that share one are told apart where it is found."""
    return np.uint8(U64(label) << _ONE | _ONE)


@njit
def _mark(labels: Any, data: Any, steps: Any, truth: Any, ignored: Any, marks: Any) -> None:
    """Mark pixels of different labels, one `back` pixels before the other, if both count.

    labels, truth: (P,). data: the bytes of labels, uint8. steps: back, which is 1 or the width,
    and the width, in pixels.
    """
    back, width = steps
    depth = U64(labels.itemsize)
    end, shift = U64(data.size), back * depth
    for start in range(shift, end, STEP):
        bits = _ZERO
        if start + STEP <= end:
            bits = unequal_bits(data, start, data, start - shift)
        else:
            for at in range(start, end):
                if data[at] != data[at - shift]:
                    bits |= _ONE << at - start
        while bits:
            here = (start + trailing_zeros(bits)) // depth
            bits &= bits - _ONE
            if back != width and here % width == _ZERO:
                continue  # the pixel before is the last of the row above
            there = here - back
            if np.int64(truth[here]) != ignored and np.int64(truth[there]) != ignored:
                marks[here], marks[there] = _mark_of(labels[here]), _mark_of(labels[there])


@njit
def _count(labels: Any, marks: Any, counts: Any, column: Any) -> None:
    """Add the marked pixels of each label to a column of counts."""
    for start in range(_ZERO, U64(labels.size), STEP):
        bits = nonzero_bits(marks, start)
        while bits:
            counts[U64(labels[start + trailing_zeros(bits)]), column] += 1
            bits &= bits - _ONE


@njit
def _match(own: Any, other: Any, shape: Any, reach: Any, counts: Any, column: Any) -> None:
    """Count, behind a column, its marked pixels that have one of their label in reach.

    own, other: labels and marks of an image, (P,) and (P + 64,). All is one loop, for a call
    with arrays in it costs more than what it would do.
    """
    labels, marks = own
    other_labels, other_marks = other
    height, width = shape
    for start in range(_ZERO, U64(labels.size), STEP):
        bits = nonzero_bits(marks, start)
        while bits:
            here = start + trailing_zeros(bits)
            bits &= bits - _ONE
            label = labels[here]
            if counts[U64(label), _TRUE - column] == 0:
                continue
            mark = marks[here]
            found = other_marks[here] == mark and other_labels[here] == label
            y, x, step = here // width, here % width, _ZERO
            while not found and step < U64(2) * U64(reach.size) - _ONE:
                away = step + _ONE >> _ONE  # rows of the image: 0, 1 below, 1 above, 2 below …
                row = y + away if step & _ONE else y - away
                step += _ONE
                if row >= height:  # above the image, too: less than 0 is a large number
                    continue
                first = row * width + x - min(x, reach[away])
                end = row * width + min(x + reach[away], width - _ONE) + _ONE
                while first < end:
                    near = equal_bits(other_marks, first, mark)
                    if end - first < STEP:
                        near &= (_ONE << end - first) - _ONE
                    while near and not found:
                        found = other_labels[first + trailing_zeros(near)] == label
                        near &= near - _ONE
                    first = end if found else first + STEP
            if found:
                counts[U64(label), column + _ONE] += 1
