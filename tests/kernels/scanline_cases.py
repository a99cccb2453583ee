"""Images as scanlines, and what the specification makes of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.kernels import reference, scanlines
from gpuseg.kernels.jit import CHECKED
from tests.pngs import filtered

CONTENTS = ("runs", "few", "identical", "gradient", "noise", "residuals")
STRANGE = (1, 2, 3)
"""The colour that no table knows; position 1 in a palette."""

CANARY = 0xA5
GUARD = 64
"""Bytes on each side of a buffer that must stay as they are."""


@dataclass(frozen=True)
class Case:
    """An image: uint8 (H, W, channels), and its scanlines (rows, 1 + W * channels)."""

    pixels: NDArray[np.uint8]
    lines: NDArray[np.uint8]

    @property
    def shape(self) -> tuple[int, int]:
        """Width and channels, as the kernels take them."""
        return self.pixels.shape[1], self.pixels.shape[2]


@cache
def colour_table() -> NDArray[np.uint16]:
    """A label for every colour, at random: neighbours differ, so one wrong bit shows."""
    table = np.random.default_rng(0).integers(0, 256, 1 << 24, np.uint16)
    table[STRANGE[0] | STRANGE[1] << 8 | STRANGE[2] << 16] = 0x300
    table.flags.writeable = False  # as in production: kernels are compiled for that
    return table


@cache
def position_table() -> NDArray[np.uint16]:
    table = np.random.default_rng(1).permutation(256).astype(np.uint16)
    table[STRANGE[0]] = 0x300
    table.flags.writeable = not CHECKED  # as in production, but compiled once where that is slow
    return table


def table_of(channels: int) -> NDArray[np.uint16]:
    return position_table() if channels == 1 else colour_table()


def make_pixels(
    rng: np.random.Generator, content: str, height: int, width: int, channels: int
) -> NDArray[np.uint8]:
    """An image of that content, without the strange colour."""
    shape = (height, width, channels)
    if content in ("noise", "gradient"):
        pixels = rng.integers(0, 256, shape, np.uint8)
        if content == "gradient":
            slope = rng.integers(0, 3, (3, channels))
            y, x, _ = np.indices(shape)
            pixels = (slope[0] * x + slope[1] * y + slope[2]).astype(np.uint8)
    elif content == "residuals":  # any bytes are scanlines; zeros are common in masks
        numbers = rng.integers(0, 5, (height, 1))
        left = rng.integers(0, 256, (height, width * channels), np.uint8)
        left[rng.random(left.shape) < rng.choice([0.0, 0.5, 0.95])] = 0
        stored = np.column_stack([numbers.astype(np.uint8), left]).tobytes()
        pixels = reference.unfilter(stored, height, width * channels, channels).reshape(shape)
    else:
        colours = rng.integers(0, 256, (3 if content == "few" else 40, channels), np.uint8)
        run = rng.choice([1, 2, 9, 50]) if content != "few" else 1
        count = height * width
        labels = rng.integers(0, len(colours), count // run + 1).repeat(run)[:count]
        labels = labels.reshape(height, width)
        if content == "identical":
            labels[1:] = labels[0]
        pixels = colours[labels]
    if channels == 1:
        pixels[pixels == STRANGE[0]] = 77
    else:
        pixels[(pixels[..., :3] == STRANGE).all(axis=2)] = 77
    if channels == 4:
        pixels[..., 3] = 255
    return pixels


def encode(pixels: NDArray[np.uint8], numbers: NDArray[np.integer[Any]]) -> NDArray[np.uint8]:
    """Scanlines of an image, uint8 (H, 1 + bytes), read-only as those of a file."""
    height, channels = len(pixels), pixels.shape[2]
    data = filtered(pixels.reshape(height, -1), channels, numbers.tolist())
    return np.frombuffer(data, np.uint8).reshape(height, -1)


def guarded(size: int, value: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A buffer of `size` bytes of `value`, and the whole memory it lies in."""
    memory = np.full(size + 2 * GUARD, CANARY, np.uint8)
    buffer = memory[GUARD : GUARD + size]
    buffer[:] = value
    return buffer, memory


def is_untouched(memory: NDArray[np.uint8]) -> bool:
    return bool((memory[:GUARD] == CANARY).all() and (memory[-GUARD:] == CANARY).all())


def run(case: Case, cuts: list[int], *, pixels: bool = False) -> tuple[int, NDArray[np.uint8]]:
    """How a kernel ended on the blocks of a case, and labels or pixels, (H, W) or (H, W, C).

    cuts: the rows at which a new block begins. Asserts that nothing else was written.
    """
    width, channels = case.shape
    height = len(case.lines)
    kept = min(channels, 3)
    size = height * width * (kept if pixels else 1)
    out, around = guarded(size + (0 if pixels else scanlines.MARGIN), CANARY)
    row, around_row = guarded(scanlines.row_buffer(width, channels).size, 0)
    places = sorted({0, *(cut for cut in cuts if cut < height), height})
    verdict = scanlines.DONE
    for first, end in pairwise(places):
        data = case.lines[first:end].reshape(-1)
        if pixels:
            verdict = scanlines.unfilter(data, first, case.shape, row, out)
        else:
            verdict = scanlines.index_scanlines(
                data, first, case.shape, row, table_of(channels), out
            )
        if verdict != scanlines.DONE:
            break
    assert is_untouched(around)
    assert is_untouched(around_row)
    assert not row[: scanlines.LEFT].any(), "the zeros left of the image"
    shape = (height, width, kept) if pixels else (height, width)
    return verdict, out[:size].reshape(shape)


def expected(case: Case) -> tuple[int, NDArray[np.uint8]]:
    """Verdict and labels by the specification: row by row, pixel by pixel."""
    width, channels = case.shape
    height = len(case.lines)
    bad = np.flatnonzero(case.lines[:, 0] > 4)
    good = int(bad[0]) if len(bad) else height
    data = case.lines[:good].tobytes()
    values = reference.unfilter(data, good, width * channels, channels)
    values = values.reshape(good, width, channels)
    keys = values[..., 0].astype(np.int64)
    if channels > 1:
        keys = keys | values[..., 1].astype(np.int64) << 8 | values[..., 2].astype(np.int64) << 16
    entries = table_of(channels)[keys]
    for entry, pixel in zip(entries.reshape(-1), values.reshape(-1, channels), strict=True):
        if entry > 255:
            return scanlines.UNKNOWN, entries
        if channels == 4 and pixel[3] != 255:
            return scanlines.TRANSPARENT, entries
    return (scanlines.DONE if good == height else scanlines.BAD_FILTER), entries
