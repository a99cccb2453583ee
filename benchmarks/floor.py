"""The least that a conversion from PNG to PNG must do, each part alone, without any of gpuseg.

Reading the file, inflating, one copy of the scanlines, deflating the scanlines of the label
map, and writing it so that it is whole or not there. No part knows a colour.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from zlib_ng import zlib_ng

from benchmarks.common import Contender, in_fresh_folder, stopwatch
from benchmarks.samples import MaskSet
from gpuseg.codecs.chunks import SIGNATURE, read_chunks

PARTS = ("read", "inflate", "copy", "deflate", "write")

BLOCK = 1 << 19
"""Bytes inflated or copied at once. In one piece it takes several times as long, for then the
system must find fresh memory for each image."""

PAGE = 4096


@dataclass(frozen=True, slots=True)
class FloorFile:
    """What the parts need of one file. size: its bytes. pixels: the deflated scanlines."""

    path: str
    size: int
    pixels: bytes
    inflated: int
    label_rows: bytes
    label_png: bytes


def floor_files(masks: MaskSet, label_maps: Path) -> list[FloorFile] | None:
    """What the parts need, ready in memory; None unless all masks are PNGs.

    label_maps: the folder of the set's label maps as gpuseg wrote them.
    """
    files = []
    for path in masks.paths():
        png = Path(path).read_bytes()
        if not png.startswith(SIGNATURE):
            return None
        pixels = _pixels(png)
        label_png = masks.target(path, label_maps).read_bytes()
        rows = zlib_ng.decompress(_pixels(label_png))
        inflated = len(zlib_ng.decompress(pixels))
        files.append(FloorFile(path, len(png), pixels, inflated, rows, label_png))
    return files


def _pixels(png: bytes) -> bytes:
    return b"".join(data for name, data in read_chunks(png) if name == b"IDAT")


def floor_parts(files: Sequence[FloorFile], work: Path) -> dict[str, Contender]:
    """The parts as contenders, each a loop of its own over all files; none without files."""
    if not files:
        return {}
    return {
        "read": stopwatch(partial(_each, _read, files)),
        "inflate": stopwatch(partial(_each, _inflate, files)),
        "copy": stopwatch(partial(_copy, files)),
        "deflate": stopwatch(partial(_each, _deflate, files)),
        "write": in_fresh_folder(work, partial(_write, files)),
    }


def _each(part: Callable[[FloorFile], None], files: Sequence[FloorFile]) -> None:
    for file in files:
        part(file)


def _read(file: FloorFile) -> None:
    handle = os.open(file.path, os.O_RDONLY)
    try:
        os.read(handle, file.size + 1)
    finally:
        os.close(handle)


def _inflate(file: FloorFile) -> None:
    inflater = zlib_ng.decompressobj()
    rest = file.pixels
    while not inflater.eof:
        inflater.decompress(rest, BLOCK)
        rest = inflater.unconsumed_tail


def _copy(files: Sequence[FloorFile]) -> None:
    # within the cache, where the block lies that was inflated last; half a page apart, for some
    # processors copy ten times slower between addresses that differ by whole pages and a little
    room = np.zeros(2 * BLOCK + 2 * PAGE, np.uint8)
    first = -room.ctypes.data % PAGE
    block, copy = room[first:][:BLOCK], room[first + BLOCK + PAGE // 2 :][:BLOCK]
    for file in files:
        for start in range(0, file.inflated, BLOCK):
            size = min(BLOCK, file.inflated - start)
            copy[:size] = block[:size]


def _deflate(file: FloorFile) -> None:
    deflater = zlib_ng.compressobj(1, zlib_ng.DEFLATED, 15, 9, zlib_ng.Z_RLE)
    deflater.compress(file.label_rows)
    deflater.flush()


def _write(files: Sequence[FloorFile], folder: Path) -> None:
    for i, file in enumerate(files):
        target = f"{folder}/{i:07d}.png"
        temp = f"{folder}/.{i:07d}.tmp"
        handle = os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            os.write(handle, file.label_png)
        finally:
            os.close(handle)
        os.replace(temp, target)
