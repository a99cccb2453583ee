"""Saving and loading one label map."""

from __future__ import annotations

import os
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import Labels
from gpuseg.codecs import label_png
from gpuseg.errors import LabelError
from gpuseg.options import DEFAULT_MAX_PIXELS, Depth
from gpuseg.output import write_atomically
from gpuseg.palette import Palette

StrPath = str | os.PathLike[str]


def save_label(
    path: StrPath,
    labels: NDArray[np.integer[Any]],
    palette: Palette | StrPath,
    *,
    depth: Depth = 8,
    ignore_index: int | None = None,
) -> None:
    """Write a label map: 8-bit palette PNG with all 256 entries, or 16-bit greyscale PNG.

    path: the file; it is written whole or not at all, and replaced if it exists.
    labels: integers of any dtype, shape (H, W): class indices or the ignore index.
    palette: a Palette, the name of a preset, or a palette file.
    depth: 8, or 16 for indices above 255 (the palette's colours are not stored then).
    ignore_index: None takes the palette's own, else 255 (65535 at depth 16).

    Raises LabelError for another shape or dtype and for an index that is no class of the
    palette, PaletteSizeError, OutputError.
    """
    from gpuseg.palettes.load import load_palette

    table = load_palette(palette)
    table.check_depth(depth, ignore_index)
    ignored = table.ignore_for(depth, ignore_index)
    checked = _check(np.asarray(labels), table, ignored)
    narrow = checked.astype(np.uint8 if depth == 8 else np.uint16)
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


def _check(labels: NDArray[Any], palette: Palette, ignore_index: int) -> NDArray[np.integer[Any]]:
    if labels.ndim != 2 or not np.issubdtype(labels.dtype, np.integer):
        raise LabelError(
            f"labels must be integers of shape (H, W), got {labels.dtype} of shape {labels.shape}"
        )
    present, counts = np.unique(labels, return_counts=True)
    allowed = {*palette.indices.tolist(), ignore_index}
    strange = [
        f"{index} ({count:,} px)"
        for index, count in zip(present.tolist(), counts.tolist(), strict=True)
        if index not in allowed
    ]
    if strange:
        raise LabelError(
            f"labels must be indices of palette {palette.name!r} or the ignore index "
            f"{ignore_index}, got {', '.join(strange[:8])}; use the palette they belong to"
        )
    return labels
