"""Palette files that lie with a dump: its own table of classes is often there."""

from __future__ import annotations

import heapq
import os
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gpuseg import storage
from gpuseg.census.choosing import ENOUGH
from gpuseg.census.tally import Tally
from gpuseg.errors import GpusegError
from gpuseg.kernels.lut import colour_keys
from gpuseg.palette import Palette
from gpuseg.palettes.load import load_palette

MOST_FILES = 32
"""Files of a folder that are read, by name."""

MOST_BYTES = 1 << 18
"""Larger files are annotations, and no table of classes."""

_SUFFIXES = (".csv", ".json", ".txt", ".gpl")


@dataclass(frozen=True, slots=True)
class Table:
    """A palette file. path: as a command names it. pixels: those whose colours it holds."""

    path: str
    palette: Palette
    pixels: int


def find_table(src: str, tally: Tally) -> Table | None:
    """The palette file in SRC, or beside it, that holds most pixels, if it holds enough.

    Of several the smallest. What cannot be read as a palette is none and is passed over.
    """
    keys, pixels, _ = tally.colours()
    best = None
    for path in _paths(src):
        try:
            palette = load_palette(os.path.join(os.curdir, path))  # never a preset of this name
        except GpusegError:
            continue
        held = int(pixels[np.isin(keys, colour_keys(palette.colours).astype(np.int64))].sum())
        table = Table(path, palette, held)
        if best is None or (-held, len(palette)) < (-best.pixels, len(best.palette)):
            best = table
    return best if best is not None and best.pixels > ENOUGH * tally.coloured_pixels else None


def _paths(src: str) -> Iterator[str]:
    """What may be a palette file: in the folder SRC (or that of the file SRC), and around it."""
    if storage.is_url(src):  # whose other files are not looked at: --palette takes a URL
        return
    if not os.path.isdir(src):
        folders = [os.path.dirname(src)]
    else:
        folders = [src, os.path.dirname(src.rstrip(os.sep) or src)]
        if os.path.basename(src.rstrip(os.sep)) in ("", os.curdir, os.pardir):
            del folders[1]  # only the folder tree knows what is around these
    for folder in folders:
        try:
            with os.scandir(folder or os.curdir) as entries:
                names = heapq.nsmallest(MOST_FILES, (e.name for e in entries if _may_be(e)))
        except OSError:
            continue
        yield from (os.path.join(folder, name) for name in names)


def _may_be(entry: os.DirEntry[str]) -> bool:
    """Whether a file is small and has the suffix of a palette file."""
    if not entry.name.lower().endswith(_SUFFIXES):
        return False
    try:
        return entry.is_file() and entry.stat().st_size <= MOST_BYTES
    except OSError:
        return False
