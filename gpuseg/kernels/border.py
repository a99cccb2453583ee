"""Antialiased borders: which neighbour an unknown pixel between two classes belongs to.

A kernel over the unknown pixels only. The rule, and why it is so, is in `reference_border`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.jit import U64, inlined, njit, part

_ACROSS = 5
_LARGEST = _ACROSS * _ACROSS
_TOLERANCE = np.int64(3)
_COUNT, _FIRST = U64(0), U64(1)  # rows of what is held of each colour


def border_sources(
    pixels: NDArray[np.uint8], places: NDArray[np.int64], table: NDArray[np.unsignedinteger]
) -> NDArray[np.int64]:
    """The pixel whose class each unknown pixel takes, int64 (U,); -1 where there is none.

    pixels: uint8 (H, W, 3), contiguous. places: int64 (U,), the unknown pixels: row * W + column,
    which is how pixels are named here. table: uint16 or uint32 (2**24,), see `lut`.
    """
    height, width = pixels.shape[:2]
    sources = np.empty(len(places), np.int64)
    _sources(pixels.reshape(-1), places, table, (np.uint64(height), np.uint64(width)), sources)
    return sources


@njit
def _sources(pixels: Any, places: Any, table: Any, shape: Any, sources: Any) -> Any:
    keys = np.empty(_LARGEST, np.uint32)  # the colours around a pixel,
    held = np.empty((2, _LARGEST), np.int64)  # how many pixels have each, and the first of those
    for i in range(U64(places.size)):
        place = U64(places[i])
        found = np.int64(-1)
        for reach in range(U64(1), U64(3)):
            if found < 0:
                size = _around(pixels, place, reach, table, shape, keys, held)
                found = _choose(_key(pixels, place), table, size, keys, held)
        sources[i] = found


@inlined
def _key(pixels: Any, place: Any) -> Any:
    at = U64(3) * place
    return np.uint32(
        U64(pixels[at]) | U64(pixels[at + U64(1)]) << U64(8) | U64(pixels[at + U64(2)]) << U64(16)
    )


@part
def _around(
    pixels: Any, place: Any, reach: Any, table: Any, shape: Any, keys: Any, held: Any
) -> Any:
    """Fills in the known colours within reach of a pixel; returns how many there are."""
    depth = U64(4 * table.itemsize)
    height, width = shape
    y, x = place // width, place % width
    size = U64(0)
    top, left = y - min(y, reach), x - min(x, reach)
    for row in range(top, min(y + reach + U64(1), height)):
        for column in range(left, min(x + reach + U64(1), width)):
            pixel = row * width + column
            key = _key(pixels, pixel)
            if U64(table[key]) >> depth:
                continue
            k = U64(0)
            while k < size and keys[k] != key:
                k += U64(1)
            if k == size:
                keys[k], held[_COUNT, k], held[_FIRST, k] = key, 0, pixel
                size += U64(1)
            held[_COUNT, k] += 1
    return size


@part
def _choose(colour: Any, table: Any, size: Any, keys: Any, held: Any) -> Any:
    """The first pixel of the colour that wins, -1 where no two explain the unknown one."""
    chosen = np.int64(-1)
    best: Any = U64(0)
    longest, least = np.int64(0), np.int64(0)
    for i in range(size):
        for j in range(i + U64(1), size):
            length, along, off = _between(colour, keys[i], keys[j])
            if along <= 0 or along >= length or off > _TOLERANCE * length:
                continue
            near: Any = i
            if 2 * along > length or (
                2 * along == length and _comes_first(j, i, table, keys, held)
            ):
                near = j
            better = chosen < 0 or length > longest
            if chosen >= 0 and length == longest:
                better = off < least or (
                    off == least and _comes_first(near, best, table, keys, held)
                )
            if better:
                chosen, best, longest, least = held[_FIRST, near], near, length, off
    return chosen


@part
def _comes_first(i: Any, j: Any, table: Any, keys: Any, held: Any) -> Any:
    """Whether colour i wins a tie with j: more pixels, then the lower index, then the key."""
    if held[_COUNT, i] != held[_COUNT, j]:
        return held[_COUNT, i] > held[_COUNT, j]
    if table[keys[i]] != table[keys[j]]:
        return table[keys[i]] < table[keys[j]]
    return keys[i] < keys[j]


@part
def _between(colour: Any, start: Any, end: Any) -> Any:
    """The squared distance of two colours; how far another lies along, and squared, off it.

    All are products of integers: `along / length` is 0 at the start and 1 at the end, and
    `off / length` is the squared distance from the line.
    """
    length = along = square = np.int64(0)
    for shift in (0, 8, 16):
        low = np.int64(start >> np.uint32(shift) & np.uint32(255))
        step = np.int64(end >> np.uint32(shift) & np.uint32(255)) - low
        way = np.int64(colour >> np.uint32(shift) & np.uint32(255)) - low
        length += step * step
        along += step * way
        square += way * way
    return length, along, square * length - along * along
