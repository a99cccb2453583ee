"""Scanlines of a colour mask to how often each label comes, without a label map in between.

The same walk as in `scanlines` and `rows`: what equals the row above is not looked at. The counts
of a row are those of the row above, but for the pixels that changed, so a row costs its changes
and the addition of 256 counts.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels.jit import U64, njit, part
from gpuseg.kernels.rows import (
    AVERAGE,
    BAD_FILTER,
    DONE,
    LEFT,
    NONE,
    PAETH,
    SUB,
    UP,
    fill_pixels,
    next_difference,
    next_residual,
    predict,
    put_pixel,
    read_pixel,
    undo_filter,
    verdict_of,
    whole_pixels,
)
from gpuseg.kernels.vectors import load_word
from gpuseg.kernels.words import add_bytes

LABELS = 256


class _Row(NamedTuple):
    """One scanline and the counts of its row; the other fields as in `rows.Row`."""

    data: Any
    at: Any
    width: Any
    channels: Any
    mask: Any
    colour: Any
    above: Any
    table: Any
    counts: Any


def count_scanlines(
    data: NDArray[np.uint8],
    first: int,
    shape: tuple[int, int],
    row: NDArray[np.uint8],
    table: NDArray[np.uint16],
    counts: NDArray[np.int64],
) -> int:
    """Count the labels of some whole scanlines; returns how it ended, as `index_scanlines` does.

    counts: int64 (2, 256), zeros before the first row, carried from call to call: of the row
    above, and of all rows so far. All else as in `scanlines.index_scanlines`.
    """
    return int(_count(data, first, shape, row, table, counts[0], counts[1]))


@njit
def _count(
    data: Any, first: Any, shape: Any, above: Any, table: Any, counts: Any, total: Any
) -> Any:
    first, width, channels = U64(first), U64(shape[0]), U64(shape[1])
    mask = (U64(1) << U64(8) * channels) - U64(1)
    colour = U64(0xFFFFFF)
    step = U64(1) + width * channels
    rows = U64(data.size) // step
    for y in range(rows):
        start = y * step
        kind = data[start]
        row = _Row(data, start + U64(1), width, channels, mask, colour, above, table, counts)
        if kind > PAETH:
            return BAD_FILTER
        if first + y == U64(0) or kind == AVERAGE:
            verdict = _plain_row(row, kind)
        elif kind == SUB:
            keep = y + U64(1) == rows or data[start + step] != SUB
            if not keep:  # nothing is built on this row: it goes to the total at once
                verdict = _sub_row(row, keep, total)
                if verdict != DONE:
                    return verdict
                continue
            counts[:] = 0
            verdict = _sub_row(row, keep, counts)
        else:
            verdict = _changed_row(row, kind)
        if verdict != DONE:
            return verdict
        for label in range(U64(LABELS)):
            total[label] += counts[label]
    return DONE


@part
def _changed_row(row: Any, kind: Any) -> Any:
    """A row of filter None, Up or Paeth: the counts above, but for stretches that changed."""
    end, shift = row.at + row.width * row.channels, U64(LEFT) - row.at
    at = row.at
    while True:
        at = next_difference(row, at) if kind == NONE else next_residual(row, at)
        if at >= end:
            return DONE
        at = row.at + whole_pixels(at - row.at, row.channels) * row.channels
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
            label = U64(row.table[pixel & row.colour])
            verdict = verdict_of(pixel, label, row.channels)
            if verdict != DONE:
                return verdict
            row.counts[row.table[above & row.colour]] -= 1
            row.counts[label] += 1
            put_pixel(row.above, at + shift, pixel, row.channels)
            left, corner = pixel, above
            at += row.channels


@part
def _sub_row(row: Any, keep: Any, counts: Any) -> Any:
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
        counts[label] += end - x
        if keep:
            start, stop = U64(LEFT) + x * row.channels, U64(LEFT) + end * row.channels
            fill_pixels(row.above, start, stop, pixel, row.channels)
        x = end
    return DONE


@part
def _plain_row(row: Any, kind: Any) -> Any:
    """A row of any filter, byte by byte: the first of an image, and those of filter Average."""
    undo_filter(row, kind)
    row.counts[:] = 0
    looked_up, label = ~U64(0), U64(0)
    for x in range(row.width):
        pixel = load_word(row.above, U64(LEFT) + x * row.channels) & row.mask
        if pixel != looked_up:
            looked_up, label = pixel, U64(row.table[pixel & row.colour])
            verdict = verdict_of(pixel, label, row.channels)
            if verdict != DONE:
                return verdict
        row.counts[label] += 1
    return DONE
