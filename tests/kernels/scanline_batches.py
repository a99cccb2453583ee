"""Ragged batches of scanlines for the kernels of a device, and what must come out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import BAD_FILTER, TRANSPARENT, LabelLines, ScanlineBatch
from gpuseg.kernels import reference
from gpuseg.kernels.filters import filter_rows
from gpuseg.kernels.lut import Lookup, colour_keys
from gpuseg.options import Depth
from tests.kernels.scanline_cases import CONTENTS, colour_table, encode, make_pixels, position_table


@cache
def lookup_of(depth: Depth) -> Lookup:
    """A random label for every colour, one colour unknown; at depth 16 in the high byte too."""
    return Lookup(_at_depth(colour_table(), depth), depth, "rgb")


@cache
def _position_tables(depth: Depth) -> NDArray[Any]:
    """Two tables for palette images, (2, 256)."""
    table = position_table()
    return _at_depth(np.stack([table, np.roll(table, 100)]), depth)


def _at_depth(table: NDArray[np.uint16], depth: Depth) -> NDArray[Any]:
    if depth == 8:
        return table
    labels = table.astype(np.uint32) & 255
    wide: NDArray[Any] = labels << 8 | (labels * 7 & 255) | (table > 255) * np.uint32(3 << 16)
    wide.flags.writeable = False
    return wide


@dataclass(frozen=True)
class Image:
    """An image and its scanlines: uint8 (H, W, channels) and (H, 1 + W * channels)."""

    pixels: NDArray[np.uint8]
    lines: NDArray[np.uint8]
    table: int = 0
    flags: int = 0

    @property
    def shape(self) -> tuple[int, int]:
        return self.pixels.shape[0], self.pixels.shape[1]


def make_image(
    rng: np.random.Generator, shape: tuple[int, int], channels: int, filters: Any = None
) -> Image:
    """An image of random content. filters: a number for all rows; None: any, row by row."""
    height, width = shape
    pixels = make_pixels(rng, rng.choice(CONTENTS), height, width, channels)
    if filters is None:
        # as encoders choose, None and Sub are rare, so that many rows depend on each other
        filters = rng.choice(5, height, p=[0.05, 0.1, 0.3, 0.15, 0.4])
    lines = encode(pixels, np.broadcast_to(filters, height))
    return Image(pixels, lines, int(rng.integers(2)))


def spoil(image: Image, rng: np.random.Generator) -> Image:
    """The image with an unknown colour, with alpha, or with a filter that PNG does not know."""
    pixels, lines = image.pixels.copy(), image.lines.copy()
    y, x = (int(rng.integers(n)) for n in image.shape)
    flags, channels = 0, pixels.shape[2]
    if rng.random() < 0.5:
        pixels[y, x, :3] = (1, 2, 3)[:channels]
    elif channels == 4:
        pixels[y, x, 3], flags = 254, TRANSPARENT
    lines = encode(pixels, lines[:, 0])
    if rng.random() < 0.2:
        lines = lines.copy()
        lines[y, 0], flags = 5 + rng.integers(251), BAD_FILTER
    return Image(pixels, lines, image.table, flags)


def make_batch(images: list[Image], depth: Depth, gap: int = 0) -> ScanlineBatch:
    """A batch of images, `gap` bytes between them."""
    sizes = np.array([image.lines.size + gap for image in images])
    starts = np.cumsum(sizes) - sizes
    data = np.full(int(sizes.sum()), 0x5A, np.uint8)
    for start, image in zip(starts, images, strict=True):
        data[start : start + image.lines.size] = image.lines.reshape(-1)
    shapes = np.array([(*image.shape, image.pixels.shape[2]) for image in images])
    tables = np.array([image.table for image in images])
    entries = _position_tables(depth)
    return ScanlineBatch(data, starts, shapes[:, 1], shapes[:, 0], shapes[:, 2], entries, tables)


def entries_of(image: Image, depth: Depth) -> Any:
    """What the table says of each pixel of an image, (H, W)."""
    if image.pixels.shape[2] == 1:
        return _position_tables(depth)[image.table][image.pixels[..., 0]]
    return lookup_of(depth).table[colour_keys(image.pixels[..., :3])]


def check_lines(images: list[Image], depth: Depth, lines: LabelLines) -> None:
    """Compare what a device made of a batch with what must come out."""
    for i, image in enumerate(images):
        if image.flags & BAD_FILTER:  # its pixels are anything
            assert lines.flags[i] & BAD_FILTER, f"image {i}"
            continue
        assert lines.flags[i] == image.flags, f"image {i}, {image.pixels.shape}"
        entries = entries_of(image, depth)
        assert lines.unknown[i] == np.count_nonzero(entries >> depth), f"image {i}"
        labels = (entries & ((1 << depth) - 1)).astype(lookup_of(depth).label_dtype)
        if depth == 16:
            np.testing.assert_array_equal(lines.labels(i, image.shape), labels, f"image {i}")
            continue
        found = lines.scanlines(i, image.shape)
        unfiltered = reference.unfilter(found.tobytes(), *image.shape, 1)
        np.testing.assert_array_equal(unfiltered, labels, f"image {i}, {image.pixels.shape}")
        wanted = np.empty(found.size, np.uint8)
        filter_rows(labels.reshape(-1), image.shape[1], 0, wanted)
        np.testing.assert_array_equal(found.reshape(-1), wanted, f"filters of image {i}")
