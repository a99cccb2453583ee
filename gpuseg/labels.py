"""Saving and loading one label map."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from gpuseg.batch import Labels
from gpuseg.codecs import label_png
from gpuseg.foreign import check_label_map, take
from gpuseg.narrowing import Allowed, narrowed
from gpuseg.options import DEFAULT_MAX_PIXELS, Depth
from gpuseg.output import write_atomically
from gpuseg.palette import Palette

StrPath = str | os.PathLike[str]


def save_label(
    path: StrPath,
    labels: Any,
    palette: Palette | StrPath,
    *,
    depth: Depth = 8,
    ignore_index: int | None = None,
) -> None:
    """Write a label map: 8-bit palette PNG with all 256 entries, or 16-bit greyscale PNG.

    path: the file; it is written whole or not at all, and replaced if it exists.
    labels: integers of any dtype, shape (H, W): class indices or the ignore index. NumPy and
        CuPy arrays, torch tensors, and whatever speaks DLPack or an array interface. From a CUDA
        device one byte a pixel (2 at depth 16) is copied to the host, and nothing else.
    palette: a Palette, the name of a preset, or a palette file.
    depth: 8, or 16 for indices above 255 (the palette's colours are not stored then).
    ignore_index: None takes the palette's own, else 255 (65535 at depth 16).

    Raises LabelError for another shape or dtype and for an index that is no class of the
    palette, PaletteSizeError, OutputError, BackendError for a CUDA array that CuPy cannot use.
    """
    from gpuseg.palettes.load import load_palette

    table = load_palette(palette)
    table.check_depth(depth, ignore_index)
    ignored = table.ignore_for(depth, ignore_index)
    if isinstance(labels, list | tuple):
        labels = np.asarray(labels)
    given = take(labels, "", check_label_map)
    narrow = narrowed(given, Allowed.of(table, ignored, depth))
    data = label_png.write_label(narrow, table.plte(ignored) if depth == 8 else None)
    write_atomically(os.fspath(path), data)


def load_label(path: StrPath, *, max_pixels: int = DEFAULT_MAX_PIXELS) -> Labels:
    """Read a label map: the indices as they stand in the file, uint8 or uint16 of shape (H, W).

    Takes palette PNGs of any depth and 8- or 16-bit greyscale; colours are never looked at.
    max_pixels: larger images are refused from their header, before memory is taken.

    Raises FileNotFoundError, UnreadableMaskError, BrokenMaskError, MaskSizeError, or
    UnsupportedMaskError for a colour image.
    """
    return label_png.read_label(os.fspath(path), max_pixels)[0]
