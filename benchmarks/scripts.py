"""What `gpuseg convert` is compared with end to end: the usual scripts, and the PNG codec alone."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from PIL import Image

from benchmarks.lookups import colour_loop
from benchmarks.samples import MaskSet
from gpuseg.kernels.lut import colour_keys

Z_RLE = 3
"""zlib's strategy for runs: what gpuseg writes with."""

OneFile = Callable[[str, Path], None]


def usual_script(masks: MaskSet) -> OneFile:
    """The whole image compared once for each colour; a palette PNG saved by Pillow's defaults."""
    palette = masks.palette
    lookup = colour_loop(palette, np.zeros((1, 1, 3), np.uint8))
    colours = palette.colours.tobytes()

    def convert(path: str, target: Path) -> None:
        with Image.open(path) as image:
            mask = np.array(image.convert("RGB"))
        labels = Image.fromarray(lookup(mask))
        labels.putpalette(colours)
        labels.save(masks.target(path, target))

    return convert


def table_script(masks: MaskSet) -> OneFile:
    """The same by one who knows: a table of 2**24 bytes, 256 palette entries, Z_RLE."""
    palette = masks.palette
    table = np.full(1 << 24, palette.ignore_for(8), np.uint8)
    table[colour_keys(palette.colours)] = palette.indices
    plte = palette.plte(palette.ignore_for(8))

    def convert(path: str, target: Path) -> None:
        with Image.open(path) as image:
            mask = np.asarray(image if image.mode == "RGB" else image.convert("RGB"))
        labels = Image.fromarray(table[colour_keys(mask)])
        labels.putpalette(plte)
        labels.save(masks.target(path, target), compress_type=Z_RLE)

    return convert


def codec_alone(masks: MaskSet, labels: dict[str, Image.Image], *, write: bool) -> OneFile:
    """Pillow's decoding of the mask and its encoding of the finished label map: nothing between.

    labels: the finished palette images, by path. write: also put the bytes into a file.
    """

    def convert(path: str, target: Path) -> None:
        with Image.open(path) as image:
            image.load()
        buffer = io.BytesIO()
        labels[path].save(buffer, "PNG", compress_type=Z_RLE)
        if write:
            masks.target(path, target).write_bytes(buffer.getbuffer())

    return convert


def label_images(masks: MaskSet, folder: Path) -> dict[str, Image.Image]:
    """The label maps of a set, converted into a folder, loaded; by the paths of the masks."""
    images = {}
    for path in masks.paths():
        with Image.open(masks.target(path, folder)) as image:
            image.load()
            plain = Image.frombytes("P", image.size, image.tobytes())
            plain.putpalette(image.getpalette("RGB") or [])
            images[path] = plain
    return images


def run_all(masks: MaskSet, one_file: OneFile, target: Path, workers: int) -> None:
    """Convert all files of a set: in a plain loop, or on a pool of threads."""
    paths = masks.paths()
    for folder in {masks.target(path, target).parent for path in paths}:
        folder.mkdir(parents=True, exist_ok=True)
    if workers == 1:
        for path in paths:
            one_file(path, target)
        return
    with ThreadPoolExecutor(workers) as pool:
        for _ in pool.map(lambda path: one_file(path, target), paths):
            pass
