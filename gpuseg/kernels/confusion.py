"""Which label the prediction has where the truth has which: the cells of a confusion matrix.

Label maps are runs, so pixels are counted by stretches in which neither image changes: 64 at a
time are looked at for a change, and only there a cell is counted. Cells that were hit are
noted, so nobody has to search a matrix of 65,536 for the few dozen of an image, nor clear it.
Labels of other types are compared one by one.
"""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import Labels
from gpuseg.kernels.jit import U64, njit, part
from gpuseg.kernels.vectors import STEP, trailing_zeros, unequal_bits

_CELLS = 1 << 16
_ONE = U64(1)


class _Memory(threading.local):
    """Counts of all cells of 8-bit labels, uint64 (65536,), zeros; and room for those hit.

    None while a call uses them: one that is interrupted never gives back what it has counted.
    """

    arrays: tuple[NDArray[np.uint64], NDArray[np.uint32]] | None = None


_memory = _Memory()


def count_cells(truth: Labels, prediction: Labels) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """The cells of a confusion matrix that hold a pixel, and how many each holds.

    truth, prediction: uint8 or uint16, of one shape, C-contiguous, in the byte order of the
    machine. Returns keys, uint32 (K,), ascending, `truth << 16 | prediction`, and pixels,
    int64 (K,).
    """
    one, other = truth.reshape(-1), prediction.reshape(-1)
    if one.itemsize == other.itemsize == 1:
        counts, hit = _memory.arrays or (np.zeros(_CELLS, np.uint64), np.empty(_CELLS, np.uint32))
        _memory.arrays = None
        cells = hit[: _count_bytes(one, other, counts, hit)]
        cells.sort()
        pixels: NDArray[np.int64] = counts[cells].view(np.int64)
        keys: NDArray[np.uint32] = (cells & np.uint32(0xFF00)) << np.uint32(8)
        keys |= cells & np.uint32(0xFF)
        counts[cells] = 0
        _memory.arrays = counts, hit
        return keys, pixels
    starts, lengths = _runs(one, other)
    found, place = np.unique(starts, return_inverse=True)
    sums = np.zeros(len(found), np.int64)
    np.add.at(sums, place, lengths)
    return found, sums


def sum_cells(
    keys: NDArray[np.uint32], pixels: NDArray[np.int64], ignore_index: int
) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """Pixels of each label in the cells of a pair.

    keys, pixels: as `count_cells` gives them. Returns the labels, uint16 (L,), ascending, and
    int64 (L, 3): pixels that are the label in the truth; that are predicted as it, where the truth
    is not the ignore index; and that are both, there.
    """
    labels, sums = _sum_cells(keys, pixels.view(np.uint64), U64(ignore_index))
    return labels, sums.view(np.int64)


def confuse(
    truth: NDArray[np.integer[Any]],
    prediction: NDArray[np.integer[Any]],
    offsets: NDArray[np.int64],
    slots: NDArray[np.uint16],
    counts: NDArray[np.int64],
) -> None:
    """Add the pixels of a ragged batch to the confusion matrices of its images.

    truth, prediction: integers of any dtypes, (P,), contiguous, in the byte order of the machine,
        the images one after the other.
    offsets: int64 (N + 1,), where each image starts.
    slots: uint16 (K,), which row and column of a matrix an index has. One that is below 0, or K
        and more, has the last.
    counts: int64 (N, S, S), contiguous, added to; rows are those of the truth.
    """
    if truth.dtype == prediction.dtype == np.uint8:
        for matrix, begin, end in zip(counts, offsets, offsets[1:], strict=False):
            _add_cells(truth[begin:end], prediction[begin:end], slots, matrix)
        return
    bins = counts.shape[-1]
    cells = counts.reshape(len(counts), bins * bins).view(np.uint64)
    _confuse(truth, prediction, offsets.view(np.uint64), slots, U64(bins), cells)


def _add_cells(
    truth: NDArray[Any], prediction: NDArray[Any], slots: NDArray[np.uint16], matrix: NDArray[Any]
) -> None:
    """Add the cells of one image of uint8 to its matrix, int64 (S, S)."""
    keys, pixels = count_cells(truth, prediction)
    table = np.full(256, len(matrix) - 1, np.uint16)
    table[: len(slots)] = slots[:256]
    np.add.at(matrix, (table[keys >> 16], table[keys & 255]), pixels)


def _runs(one: Labels, other: Labels) -> tuple[NDArray[np.uint32], NDArray[np.int64]]:
    """Stretches in which neither changes: the cell of each, uint32, and its pixels, int64."""
    changes = np.flatnonzero((one[1:] != one[:-1]) | (other[1:] != other[:-1])) + 1
    starts = np.concatenate([[0], changes]) if one.size else changes
    keys = one[starts].astype(np.uint32) << 16 | other[starts]
    return keys, np.diff(starts, append=one.size)


@njit
def _count_bytes(one: Any, other: Any, counts: Any, hit: Any) -> Any:
    """Add the pixels of each cell; returns how many cells were hit. See `count_cells`.

    The end of the images is a change, too. All is one loop, for a call with arrays in it costs
    more than what it would do.
    """
    size, begun, cells, at = U64(one.size), U64(0), U64(0), _ONE
    while at <= size:
        if at + STEP <= size:
            bits = unequal_bits(one, at, one, at - _ONE) | unequal_bits(other, at, other, at - _ONE)
        else:
            bits = _last_bits(one, other, at, size)
        while bits:
            here = at + trailing_zeros(bits)
            bits &= bits - _ONE
            cell = U64(one[begun]) << U64(8) | U64(other[begun])
            before = counts[cell]
            if before == U64(0):
                hit[cells] = cell
                cells += _ONE
            counts[cell] = before + here - begun
            begun = here
        at += STEP
    return cells


@part
def _last_bits(one: Any, other: Any, start: Any, end: Any) -> Any:
    """Where either image changes, of fewer than 64 pixels from `start` on; they change at `end`."""
    bits = _ONE << end - start
    for at in range(start, end):
        if one[at] != one[at - _ONE] or other[at] != other[at - _ONE]:
            bits |= _ONE << at - start
    return bits


@njit
def _sum_cells(keys: Any, pixels: Any, ignored: Any) -> Any:
    """See `sum_cells`; pixels and sums are uint64."""
    top = U64(0)
    for key in keys:
        top = max(top, U64(key) >> U64(16), U64(key) & U64(0xFFFF))
    table = np.zeros((top + _ONE, U64(3)), np.uint64)
    there = np.zeros(top + _ONE, np.uint8)
    for place in range(U64(keys.size)):
        truth, prediction = U64(keys[place]) >> U64(16), U64(keys[place]) & U64(0xFFFF)
        there[truth] = there[prediction] = 1
        table[truth, 0] += pixels[place]
        if truth != ignored:
            table[prediction, 1] += pixels[place]
            if truth == prediction:
                table[truth, 2] += pixels[place]
    labels = np.flatnonzero(there)
    return labels.astype(np.uint16), table[labels]


@njit
def _confuse(truth: Any, prediction: Any, offsets: Any, slots: Any, bins: Any, cells: Any) -> Any:
    """See `confuse`, for labels of any types. cells: uint64 (N, bins * bins)."""
    for image in range(U64(cells.shape[0])):
        begun, end = offsets[image], offsets[image + _ONE]
        for at in range(begun, end):
            here = U64(at) + _ONE
            if here == end or truth[here] != truth[begun] or prediction[here] != prediction[begun]:
                row, column = U64(truth[begun]), U64(prediction[begun])  # below 0: huge
                row = U64(slots[row]) if row < U64(slots.size) else bins - _ONE
                column = U64(slots[column]) if column < U64(slots.size) else bins - _ONE
                cells[image, row * bins + column] += here - begun
                begun = here
