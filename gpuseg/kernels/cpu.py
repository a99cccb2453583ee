"""The CPU kernels: pixels and a table in, labels out."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.jit import U64, inlined, njit


@inlined
def _key(pixels: Any, pixel: Any) -> Any:
    at = np.uint64(3) * pixel
    return (
        np.uint64(pixels[at])
        | np.uint64(pixels[at + np.uint64(1)]) << np.uint64(8)
        | np.uint64(pixels[at + np.uint64(2)]) << np.uint64(16)
    )


def index_pixels(
    pixels: NDArray[np.uint8],
    offsets: NDArray[np.int64],
    table: NDArray[np.unsignedinteger],
    labels: NDArray[np.unsignedinteger],
    unknown: NDArray[np.int64],
) -> None:
    """Look up the label of each pixel.

    pixels: uint8 (3 * P,), the images one after the other.
    offsets: int64 (N + 1,), where each image starts, in pixels.
    table: uint16 or uint32 (2**24,), see `lut`.
    labels: uint8 or uint16 (P,), written.
    unknown: int64 (N,), written: pixels of each image whose entry is flagged unknown.
    """
    words, out = _words(pixels, labels)
    unknown[:] = _index(pixels, words, table, labels, out)
    if len(unknown) > 1 and unknown[0]:  # labels need no image borders, counts do
        _count_unknown(pixels, offsets, table, unknown)


def index_words(
    words: NDArray[np.uint32],
    table: NDArray[np.unsignedinteger],
    labels: NDArray[np.unsignedinteger],
) -> int:
    """Look up the labels of an image of 4 bytes a pixel; returns how many are unknown.

    words: uint32 (P,), a colour's key in the low 24 bits. table, labels: as in `index_pixels`.
    """
    return int(_index_words(words, table, labels))


def index_positions(
    positions: NDArray[np.uint8],
    entries: NDArray[np.unsignedinteger],
    labels: NDArray[np.unsignedinteger],
) -> int:
    """Look up the label of each pixel of a palette image; returns how many are unknown.

    positions: uint8 (P,). entries: uint16 or uint32 (256,), table entries of the image's own
    palette. labels: uint8 or uint16 (P,), written.
    """
    return int(_positions(positions, entries, labels))


def flagged_runs(
    pixels: NDArray[np.uint8], table: NDArray[np.unsignedinteger]
) -> tuple[NDArray[np.uint32], NDArray[np.int64], NDArray[np.int64]]:
    """Runs of one colour whose entry has a flag, in the order of the pixels.

    pixels: uint8 (3 * P,). table: as in `index_pixels`. Returns keys uint32 (R,), and first
    pixels and lengths, int64 (R,).
    """
    count = int(_flagged(pixels, table, _no_keys, _no_places, _no_places))
    keys = np.empty(count, np.uint32)
    starts, lengths = np.empty(count, np.int64), np.empty(count, np.int64)
    if count:
        _flagged(pixels, table, keys, starts, lengths)
    return keys, starts, lengths


_no_keys, _no_places = np.empty(0, np.uint32), np.empty(0, np.int64)


def colour_labels(
    labels: NDArray[np.unsignedinteger],
    colours: NDArray[np.uint32],
    pixels: NDArray[np.uint8],
) -> int:
    """Paint labels; returns how many have no colour.

    labels: uint8 or uint16 (P,). colours: uint32 (256,) or (65536,), `r | g << 8 | b << 16`,
    bit 24 set where there is no colour. pixels: uint8 (3 * P,), written.
    """
    return int(_colour(labels, colours, pixels))


def nearest_table(
    colours: NDArray[np.uint8],
    indices: NDArray[np.unsignedinteger],
    limit: int,
    unknown: np.unsignedinteger,
    refused: np.unsignedinteger,
) -> Any:
    """Entry of all 2**24 colours under `nearest`: the nearest colour's index, flagged.

    colours: uint8 (K, 3). indices: (K,), of the table's dtype. limit: largest squared
    distance that is replaced. unknown, refused: the flags. Returns (2**24,).
    """
    table = np.empty(1 << 24, indices.dtype)
    _nearest(colours.astype(np.int32), indices, limit, unknown, refused, table)
    return table


def _words(
    pixels: NDArray[np.uint8], labels: NDArray[np.unsignedinteger]
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]:
    """Both buffers as 64-bit words: 3 words are 8 pixels. Empty where memory is not aligned."""
    groups = labels.size // 8
    if pixels.ctypes.data % 8 or labels.ctypes.data % 8:
        groups = 0
    words = pixels[: 24 * groups].view(np.uint64)
    out = labels[: 8 * groups].view(np.uint64)  # 1 word (uint8) or 2 (uint16) a group
    return words, out


@njit
def _index(pixels: Any, words: Any, table: Any, labels: Any, out: Any) -> Any:
    depth = U64(4 * table.itemsize)
    width = U64(labels.itemsize)  # 64-bit words that the labels of 8 pixels fill
    unknown = unknown_here = U64(0)
    seen0 = seen1 = seen2 = U64(0)
    groups = U64(words.size // 3)
    for group in range(groups):
        word = U64(3) * group
        word0, word1, word2 = words[word], words[word + U64(1)], words[word + U64(2)]
        if group > U64(0) and word0 == seen0 and word1 == seen1 and word2 == seen2:
            # masks are long runs: 8 pixels equal to the 8 before them take their labels
            for k in range(width * group, width * (group + U64(1))):
                out[k] = out[k - width]
        else:
            seen0, seen1, seen2 = word0, word1, word2
            unknown_here = U64(0)
            for pixel in range(U64(8) * group, U64(8) * (group + U64(1))):
                entry = U64(table[_key(pixels, pixel)])
                labels[pixel] = entry
                unknown_here += entry >> depth & U64(1)
        unknown += unknown_here
    for pixel in range(U64(8) * groups, U64(labels.size)):
        entry = U64(table[_key(pixels, pixel)])
        labels[pixel] = entry
        unknown += entry >> depth & U64(1)
    return unknown


@njit
def _index_words(words: Any, table: Any, labels: Any) -> Any:
    depth = U64(4 * table.itemsize)
    unknown = U64(0)
    for pixel in range(U64(words.size)):
        entry = U64(table[words[pixel] & np.uint32(0xFFFFFF)])
        labels[pixel] = entry
        unknown += entry >> depth & U64(1)
    return unknown


@njit
def _count_unknown(pixels: Any, offsets: Any, table: Any, unknown: Any) -> Any:
    depth = U64(4 * table.itemsize)
    for image in range(offsets.size - 1):
        count = U64(0)
        for pixel in range(U64(offsets[image]), U64(offsets[image + 1])):
            count += U64(table[_key(pixels, pixel)]) >> depth & U64(1)
        unknown[image] = count


@njit
def _positions(positions: Any, entries: Any, labels: Any) -> Any:
    depth = U64(4 * entries.itemsize)
    unknown = U64(0)
    for pixel in range(U64(positions.size)):
        entry = U64(entries[positions[pixel]])
        labels[pixel] = entry
        unknown += entry >> depth & U64(1)
    return unknown


@njit
def _flagged(pixels: Any, table: Any, keys: Any, starts: Any, lengths: Any) -> Any:
    """Number of runs; they are written as far as there is room."""
    depth = U64(4 * table.itemsize)
    runs = start = U64(0)
    count = U64(pixels.size) // U64(3)
    while start < count:
        key, end = _key(pixels, start), start + U64(1)
        while end < count and _key(pixels, end) == key:
            end += U64(1)
        if U64(table[key]) >> depth:
            if runs < U64(keys.size):
                keys[runs], starts[runs], lengths[runs] = key, start, end - start
            runs += U64(1)
        start = end
    return runs


@njit
def _colour(labels: Any, colours: Any, pixels: Any) -> Any:
    outside = U64(0)
    for pixel in range(U64(labels.size)):
        colour = U64(colours[labels[pixel]])
        at = U64(3) * pixel
        pixels[at] = colour & U64(255)
        pixels[at + U64(1)] = colour >> U64(8) & U64(255)
        pixels[at + U64(2)] = colour >> U64(16) & U64(255)
        outside += colour >> U64(24) & U64(1)
    return outside


@njit
def _nearest(colours: Any, indices: Any, limit: Any, unknown: Any, refused: Any, table: Any) -> Any:
    best = np.empty(256, np.int32)
    chosen = np.empty(256, np.int32)
    for c2 in range(256):
        for c1 in range(256):
            best[:] = 1 << 30
            for k in range(colours.shape[0]):
                far = (c2 - colours[k, 2]) ** 2 + (c1 - colours[k, 1]) ** 2
                red = colours[k, 0]
                for c0 in range(256):  # the inner loop that vectorises
                    distance = np.int32(far + (c0 - red) ** 2)
                    nearer = distance < best[c0]
                    best[c0] = distance if nearer else best[c0]
                    chosen[c0] = np.int32(k) if nearer else chosen[c0]
            row = (c2 << 16) | (c1 << 8)
            for c0 in range(256):
                entry = indices[chosen[c0]] | unknown
                table[row | c0] = entry if best[c0] <= limit else refused | unknown
