"""One scanline: its row filter undone and its colours looked up, the rows above known.

What a row says of its pixels is left as zeros wherever they equal a neighbour, so each of
these functions looks for what is not zero and takes the rest from the row or label before.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from gpuseg.kernels.jit import U64, inlined, part
from gpuseg.kernels.vectors import (
    STEP,
    fill_bytes,
    load_word,
    nonzero_bits,
    store_word,
    trailing_zeros,
    unequal_bits,
)
from gpuseg.kernels.words import EACH_BYTE, add_bytes

DONE, UNKNOWN, TRANSPARENT, BAD_FILTER = 0, 1, 2, 3
"""How a kernel ended: all done, or at the first pixel or row of that kind."""

LEFT = 8
"""Bytes of zeros before the first pixel in the row buffer: PNG's pixel left of a row."""

MARGIN = 64
"""Bytes that row buffer and labels must have behind their end: vectors are written whole."""

NONE, SUB, UP, AVERAGE, PAETH = range(5)


class Row(NamedTuple):
    """One scanline and where its pixels and labels go. Offsets and sizes are uint64."""

    data: Any  # the scanlines
    at: Any  # where its first residual is in data
    width: Any  # pixels
    channels: Any  # bytes a pixel
    mask: Any  # the bits of a pixel in a word
    colour: Any  # the bits of a pixel that the table sees
    above: Any  # the row buffer
    table: Any
    labels: Any
    out: Any  # where its first label goes


@inlined
def read_pixel(row: Any, at: Any) -> Any:
    """The bytes of data of one pixel, as a uint64."""
    if at + U64(8) <= U64(row.data.size):
        return load_word(row.data, at) & row.mask
    pixel = U64(0)
    for k in range(row.channels):
        pixel |= U64(row.data[at + k]) << U64(8) * k
    return pixel


@inlined
def put_pixel(memory: Any, at: Any, pixel: Any, channels: Any) -> None:
    """Write the bytes of one pixel."""
    memory[at] = pixel & U64(255)
    if channels > U64(1):
        memory[at + U64(1)] = pixel >> U64(8) & U64(255)
        memory[at + U64(2)] = pixel >> U64(16) & U64(255)
    if channels == U64(4):
        memory[at + U64(3)] = pixel >> U64(24)


@inlined
def whole_pixels(size: Any, channels: Any) -> Any:
    """How many whole pixels `size` bytes are. Division by a constant is a multiplication."""
    if channels == U64(3):
        return size // U64(3)
    return size >> U64(2) if channels == U64(4) else size


@inlined
def verdict_of(pixel: Any, entry: Any, channels: Any) -> Any:
    """How a pixel of this table entry ends the kernel: DONE where it does not."""
    if entry > U64(255):
        return UNKNOWN
    if channels == U64(4) and pixel >> U64(24) != U64(255):
        return TRANSPARENT
    return DONE


@inlined
def next_residual(row: Any, at: Any) -> Any:
    """Where the next byte of the scanline is that is not zero, or its end."""
    return next_nonzero(row.data, at, row.at + row.width * row.channels)


@inlined
def next_nonzero(data: Any, at: Any, end: Any) -> Any:
    """Where the next byte is that is not zero, or the end."""
    while at < end and at + STEP <= U64(data.size):
        bits = nonzero_bits(data, at)
        if bits:
            return min(at + trailing_zeros(bits), end)
        at += STEP
    while at < end and data[at] == 0:
        at += U64(1)
    return min(at, end)


@inlined
def next_difference(row: Any, at: Any) -> Any:
    """Where the next byte of the scanline is that differs from the row above, or its end."""
    data, above = row.data, row.above
    end, shift = row.at + row.width * row.channels, U64(LEFT) - row.at
    while at < end and at + STEP <= U64(data.size):
        bits = unequal_bits(data, at, above, at + shift)
        if bits:
            return min(at + trailing_zeros(bits), end)
        at += STEP
    while at < end and data[at] == above[at + shift]:
        at += U64(1)
    return min(at, end)


@part
def changed_row(row: Any, kind: Any) -> Any:
    """A row of filter None, Up or Paeth: the labels above, but for stretches that changed."""
    for k in range(row.width):
        row.labels[row.out + k] = row.labels[row.out + k - row.width]
    end, shift = row.at + row.width * row.channels, U64(LEFT) - row.at
    at = row.at
    looked_up, label = ~U64(0), U64(0)
    while True:
        at = next_difference(row, at) if kind == NONE else next_residual(row, at)
        if at >= end:
            return DONE
        x = whole_pixels(at - row.at, row.channels)
        at = row.at + x * row.channels
        # so far this row equals the one above, so its left pixel is the one left above
        left = corner = load_word(row.above, at + shift - row.channels) & row.mask
        while at < end:
            residual = read_pixel(row, at)
            above = load_word(row.above, at + shift) & row.mask
            if kind == NONE:
                pixel, same = residual, residual == above
            elif kind == UP:
                pixel, same = add_bytes(residual, above), residual == U64(0)
            else:
                pixel = add_bytes(residual, predict(left, above, corner))
                same = left == corner and residual == U64(0)
            if same:
                break
            if pixel != looked_up:
                looked_up, label = pixel, U64(row.table[pixel & row.colour])
                verdict = verdict_of(pixel, label, row.channels)
                if verdict != DONE:
                    return verdict
            put_pixel(row.above, at + shift, pixel, row.channels)
            row.labels[row.out + x] = label
            left, corner = pixel, above
            x += U64(1)
            at += row.channels


@part
def sub_row(row: Any, keep: Any) -> Any:
    """A row of filter Sub: one lookup a run. keep: the row below needs the pixels."""
    x = pixel = U64(0)
    while x < row.width:
        at = row.at + x * row.channels
        pixel = add_bytes(pixel, read_pixel(row, at))
        label = U64(row.table[pixel & row.colour])
        verdict = verdict_of(pixel, label, row.channels)
        if verdict != DONE:
            return verdict
        end = whole_pixels(next_residual(row, at + row.channels) - row.at, row.channels)
        for place in range(row.out + x, row.out + end, STEP):
            fill_bytes(row.labels, place, label)
        if keep:
            start, stop = U64(LEFT) + x * row.channels, U64(LEFT) + end * row.channels
            fill_pixels(row.above, start, stop, pixel, row.channels)
        x = end
    return DONE


@inlined
def fill_pixels(memory: Any, start: Any, stop: Any, pixel: Any, channels: Any) -> None:
    """Repeat a pixel; up to 23 bytes too many are written."""
    if channels == U64(3):  # 8 pixels are 3 words
        word0 = pixel | pixel << U64(24) | pixel << U64(48)
        word1 = pixel >> U64(16) | pixel << U64(8) | pixel << U64(32) | pixel << U64(56)
        word2 = pixel >> U64(8) | pixel << U64(16) | pixel << U64(40)
    else:
        word0 = pixel | pixel << U64(32) if channels == U64(4) else pixel * U64(EACH_BYTE)
        word1 = word2 = word0
    for at in range(start, stop, U64(24)):
        store_word(memory, at, word0)
        store_word(memory, at + U64(8), word1)
        store_word(memory, at + U64(16), word2)


@part
def predict(left: Any, above: Any, corner: Any) -> Any:
    """Paeth predictor of each byte of three pixels (PNG specification, 9.4)."""
    if above == corner or left == above:  # two of three equal: as nearly always in masks
        return left
    if left == corner:
        return above
    predictor = U64(0)
    for k in range(4):
        shift = U64(8 * k)
        byte = _paeth(
            left >> shift & U64(255), above >> shift & U64(255), corner >> shift & U64(255)
        )
        predictor |= byte << shift
    return predictor


@inlined
def _paeth(left: Any, above: Any, corner: Any) -> Any:
    a, b, c = np.int64(left), np.int64(above), np.int64(corner)
    to_left, to_above, to_corner = abs(b - c), abs(a - c), abs(a + b - c - c)
    if to_left <= to_above and to_left <= to_corner:
        return left
    return above if to_above <= to_corner else corner


@part
def undo_filter(row: Any, kind: Any) -> None:
    """Undo any filter byte by byte, in the row buffer."""
    memory = row.above
    for first in range(row.channels):
        left = corner = U64(0)
        for k in range(first, row.width * row.channels, row.channels):
            above = U64(memory[U64(LEFT) + k])
            predictor = left if kind == SUB else U64(0)
            if kind == UP:
                predictor = above
            elif kind == AVERAGE:
                predictor = (left + above) >> U64(1)
            elif kind == PAETH:
                predictor = _paeth(left, above, corner)
            corner = above  # kept, for it is written over now
            left = U64(row.data[row.at + k]) + predictor & U64(255)
            memory[U64(LEFT) + k] = left


@part
def plain_row(row: Any, kind: Any) -> Any:
    """A row of any filter, byte by byte: the first of an image, and those of filter Average."""
    undo_filter(row, kind)
    looked_up, label = ~U64(0), U64(0)
    for x in range(row.width):
        pixel = load_word(row.above, U64(LEFT) + x * row.channels) & row.mask
        if pixel != looked_up:
            looked_up, label = pixel, U64(row.table[pixel & row.colour])
            verdict = verdict_of(pixel, label, row.channels)
            if verdict != DONE:
                return verdict
        row.labels[row.out + x] = label
    return DONE
