"""The kernels of the direct PNG path alone, scanlines in memory, against one copy of them."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import Script, Table, interleaved, stopwatch
from benchmarks.real_sets import real_sets
from benchmarks.samples import MaskSet, add_set_arguments, mask_sets
from gpuseg.codecs.png import NotDirectError, read_scanlines
from gpuseg.kernels import scanlines
from gpuseg.kernels.filters import filter_rows
from gpuseg.kernels.lut import Lookup, build_lookup
from gpuseg.options import DEFAULT_MAX_PIXELS, IndexOptions

SAMPLE = 40
"""Files of a set that are looked at, spread over it: one file alone would be learned by heart."""

Bytes = NDArray[np.uint8]

NOTE = (
    "Best of all rounds, ms an image. copy: of the scanlines, NumPy's; index: scanlines to "
    "labels; unfilter: scanlines to RGB; filter: labels to scanlines of the label map."
)

LEFT_OUT = "Left out: what the direct path leaves to Pillow, palette files, unknown colours."


@dataclass(frozen=True, slots=True)
class Item:
    """One image and its memory. data: its scanlines; labels, pixels, out: to be written."""

    data: Bytes
    shape: tuple[int, int]
    labels: Bytes
    pixels: Bytes
    out: Bytes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The script's own flags."""
    add_set_arguments(parser)
    parser.add_argument("--shared", type=Path, metavar="DIR", help="real masks (real_sets.py)")


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """One table: a row a set."""
    table = Table("Kernels of the direct path, one thread")
    sets = list(mask_sets(args, work))
    if args.shared is not None:
        sets += [s for s in real_sets(args.shared, work / "shared", tiny=True) if not s.aside]
    for masks in sets:
        _add(table, masks, args.repeats)
    table.notes += [NOTE, LEFT_OUT]
    yield table


def _add(table: Table, masks: MaskSet, repeats: int) -> None:
    lookup = build_lookup(masks.palette, IndexOptions())
    items = _items(masks, lookup)
    if not items:
        return
    kernels: dict[str, Callable[[Item], object]] = {
        "copy": lambda item: item.data.copy(),
        "index": partial(_index, lookup),
        "unfilter": _unfilter,
        "filter": _filter,
    }
    each = {name: stopwatch(partial(_each, work, items)) for name, work in kernels.items()}
    times = interleaved(each, repeats)
    ms = {name: 1e3 * taken.best / len(items) for name, taken in times.items()}
    pixels = sum(item.out.size - item.out.size // (item.shape[0] + 1) for item in items)
    table.add(
        set=masks.name,
        images=len(items),
        Mpx=pixels / len(items) / 1e6,
        **ms,
        index__times_copy=ms["index"] / ms["copy"],
    )


def _each(work: Callable[[Item], object], items: Sequence[Item]) -> None:
    for item in items:
        work(item)


def _items(masks: MaskSet, lookup: Lookup) -> list[Item]:
    paths, found = masks.paths(), []
    for path in paths[:: max(1, len(paths) // SAMPLE)][:SAMPLE]:
        try:
            mask = read_scanlines(path, DEFAULT_MAX_PIXELS)
        except NotDirectError:
            continue
        if mask.colours is not None:
            continue
        data = np.frombuffer(b"".join(mask.inflate()), np.uint8)
        size = mask.width * mask.height
        item = Item(
            data,
            (mask.width, mask.channels),
            np.empty(size + scanlines.MARGIN, np.uint8),
            np.empty(3 * size, np.uint8),
            np.empty(size + mask.height, np.uint8),
        )
        if _index(lookup, item) == scanlines.DONE:
            found.append(item)
    return found


def _index(lookup: Lookup, item: Item) -> int:
    above = scanlines.row_buffer(*item.shape)
    table = lookup.table
    return scanlines.index_scanlines(item.data, 0, item.shape, above, table, item.labels)


def _unfilter(item: Item) -> int:
    above = scanlines.row_buffer(*item.shape)
    return scanlines.unfilter(item.data, 0, item.shape, above, item.pixels)


def _filter(item: Item) -> None:
    filter_rows(item.labels, item.shape[0], 0, item.out)


SCRIPT = Script("scanlines", str(__doc__), run, add_arguments)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
