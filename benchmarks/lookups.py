"""Ways to turn a colour mask into class indices: gpuseg's kernel and what people use instead.

Each way is prepared once for a palette (tables, sorted keys; not timed) and gives a function
from a mask, uint8 (H, W, 3), to a label map of shape (H, W). All of them run on one thread.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gpuseg.kernels import cpu
from gpuseg.kernels.lut import build_lookup, colour_keys
from gpuseg.options import IndexOptions
from gpuseg.palette import Palette

Mask = NDArray[np.uint8]
Lookup = Callable[[Mask], NDArray[Any]]
Prepare = Callable[[Palette, Mask], Lookup]

GPUSEG = "gpuseg"


def gpuseg_kernel(palette: Palette, mask: Mask) -> Lookup:
    """Gpuseg's CPU kernel; the only one here that also counts unknown pixels."""
    table = build_lookup(palette, IndexOptions()).table
    unknown = np.zeros(1, np.int64)

    def lookup(mask: Mask) -> NDArray[Any]:
        labels = np.empty(mask.shape[:2], np.uint8)
        offsets = np.array([0, labels.size])
        cpu.index_pixels(mask.reshape(-1), offsets, table, labels.reshape(-1), unknown)
        if unknown[0]:
            raise ValueError(f"{unknown[0]} pixels of unknown colour")
        return labels

    return lookup


def colour_loop(palette: Palette, mask: Mask) -> Lookup:
    """The usual script: the whole image is compared once for each colour."""

    def lookup(mask: Mask) -> NDArray[Any]:
        labels = np.zeros(mask.shape[:2], np.uint8)
        for index, colour in enumerate(palette.colours):
            labels[np.all(mask == colour, axis=2)] = index
        return labels

    return lookup


def unique_colours(palette: Palette, mask: Mask) -> Lookup:
    """np.unique on packed colours, then one step per colour that is there."""
    index_of = dict(zip(colour_keys(palette.colours).tolist(), range(len(palette)), strict=True))

    def lookup(mask: Mask) -> NDArray[Any]:
        found, inverse = np.unique(colour_keys(mask), return_inverse=True)
        indices = np.array([index_of[key] for key in found.tolist()], np.uint8)
        return indices[inverse].reshape(mask.shape[:2])

    return lookup


def searched(palette: Palette, mask: Mask) -> Lookup:
    """np.searchsorted in the palette's sorted keys."""
    keys = colour_keys(palette.colours)
    order = np.argsort(keys)
    keys, indices = keys[order], order.astype(np.uint8)

    def lookup(mask: Mask) -> NDArray[Any]:
        return indices[np.searchsorted(keys[:-1], colour_keys(mask))]

    return lookup


def numpy_table(palette: Palette, mask: Mask) -> Lookup:
    """np.take from a table of 2**24 bytes, by packed colours."""
    table = np.zeros(1 << 24, np.uint8)
    table[colour_keys(palette.colours)] = np.arange(len(palette))

    def lookup(mask: Mask) -> NDArray[Any]:
        return np.take(table, colour_keys(mask))

    return lookup


def pillow_quantize(palette: Palette, mask: Mask) -> Lookup:
    """Pillow's quantize(palette, dither=NONE); the mask is a Pillow image already."""
    colours = Image.new("P", (1, 1))
    colours.putpalette(palette.colours.tobytes())
    image = Image.fromarray(mask)

    def lookup(mask: Mask) -> NDArray[Any]:
        return np.asarray(image.quantize(palette=colours, dither=Image.Dither.NONE))

    return lookup


def opencv_ranges(palette: Palette, mask: Mask) -> Lookup:
    """cv2.inRange once for each colour."""
    import cv2

    cv2.setNumThreads(1)
    bounds = [tuple(float(c) for c in colour) for colour in palette.colours]

    def lookup(mask: Mask) -> NDArray[Any]:
        labels = np.zeros(mask.shape[:2], np.uint8)
        for index, colour in enumerate(bounds):
            labels[cv2.inRange(mask, colour, colour) > 0] = index
        return labels

    return lookup


WAYS: dict[str, Prepare] = {
    GPUSEG: gpuseg_kernel,
    "colour loop (np.all)": colour_loop,
    "np.unique": unique_colours,
    "np.searchsorted": searched,
    "2**24 table, np.take": numpy_table,
    "Pillow quantize": pillow_quantize,
    "OpenCV inRange loop": opencv_ranges,
}


def usable_ways() -> dict[str, Prepare]:
    """The ways that can run here: OpenCV is optional."""
    missing = {"OpenCV inRange loop"} if find_spec("cv2") is None else set()
    return {name: way for name, way in WAYS.items() if name not in missing}


def inexact_pixels(prepare: Prepare, palette: Palette, labels: NDArray[np.uint8]) -> int:
    """How many pixels of a painted label map a way gets wrong."""
    mask = palette.colours[labels]
    return int((prepare(palette, mask)(mask) != labels).sum())


def unknown_becomes(prepare: Prepare, palette: Palette) -> str:
    """What a way makes of a pixel whose colour is no class: the error, or the class it writes."""
    mask = np.tile(palette.colours[0], (4, 4, 1))
    mask[1, 1] = (1, 2, 3)
    if (palette.colours == mask[1, 1]).all(axis=1).any():
        raise ValueError("the probe colour must not be in the palette")
    try:
        label = prepare(palette, mask)(mask)[1, 1]
    except Exception as error:
        return f"an error ({type(error).__name__})"
    return f"class {label}, in silence"
