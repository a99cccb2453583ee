"""The lookup alone: from a decoded mask in memory to its label map in memory, on one thread."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from benchmarks.common import Script, Table, Times, interleaved, stopwatch
from benchmarks.lookups import (
    GPUSEG,
    Mask,
    inexact_pixels,
    unknown_becomes,
    usable_ways,
)
from benchmarks.samples import blobs, noise, paint, voc_palette
from benchmarks.tables import layouts

SIZES = ((512, 512), (1024, 2048), (8192, 8192))
TINY_SIZES = ((16, 24), (33, 47))
CLASSES = (2, 21, 64, 256)
COMPARED_CLASSES = (21, 256)

ONCE = 2.0
"""A way that takes longer than this, in seconds, is run once."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The script's own flags."""
    parser.add_argument(
        "--tables", action="store_true", help="only: direct table against perfect hash"
    )
    parser.add_argument(
        "--limit",
        type=float,
        default=60.0,
        metavar="SECONDS",
        help="skip a way whose run would take longer, judged by the size before (default: 60)",
    )


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """The tables of this benchmark."""
    if args.tables:
        yield from layouts(args.repeats, tiny=args.tiny)
        return
    expected: dict[tuple[str, int], float] = {}  # seconds a pixel, from the size before
    for shape in TINY_SIZES if args.tiny else SIZES:
        for classes in COMPARED_CLASSES:
            yield compare(shape, classes, args, expected)
    yield growth(TINY_SIZES[-1] if args.tiny else SIZES[1], args)
    yield exactness((16, 24) if args.tiny else (512, 512))


def compare(
    shape: tuple[int, int],
    classes: int,
    args: argparse.Namespace,
    expected: dict[tuple[str, int], float],
) -> Table:
    """All ways on one mask of blobs."""
    palette = voc_palette(classes)
    labels = blobs(*shape, classes, seed=classes)
    mask = paint(labels, palette)
    skipped = {
        name: cost * labels.size
        for name in usable_ways()
        if (cost := expected.get((name, classes), 0.0)) * labels.size > args.limit
    }
    ways = {n: way(palette, mask) for n, way in usable_ways().items() if n not in skipped}
    results: dict[str, Mask] = {}

    def once(name: str) -> None:
        results[name] = ways[name](mask)

    contenders = {name: stopwatch(partial(once, name)) for name in ways}
    times = interleaved(contenders, args.repeats, ONCE)
    table = Table(f"Lookup of {shape[0]}×{shape[1]} px, K = {classes} (blobs, one thread)")
    for name, taken in times.items():
        expected[name, classes] = taken.best / labels.size
        equal = bool(np.array_equal(results[name], labels))
        _add_row(table, name, taken, times[GPUSEG], labels.size, equal=equal)
    for name, seconds in skipped.items():
        table.notes.append(f"{name}: skipped, one run would take about {seconds:.0f} s")
    table.notes.append("Lookup only: decoding and encoding PNG is in none of these times.")
    if len(usable_ways()) < 7:
        table.notes.append("OpenCV inRange loop: skipped, cv2 is not installed")
    return table


def _add_row(
    table: Table, name: str, taken: Times, ours: Times, pixels: int, *, equal: bool
) -> None:
    table.add(
        way=name,
        best__ms=1e3 * taken.best,
        median__ms=1e3 * taken.median,
        speed__Mpx_per_s=pixels / taken.best / 1e6,
        times_gpuseg=taken.best / ours.best,
        runs=taken.runs,
        equal=equal,
    )


def growth(shape: tuple[int, int], args: argparse.Namespace) -> Table:
    """Gpuseg's time against the number of classes, on easy and on the hardest content."""
    masks = {
        (kind, classes): paint(make(*shape, classes, seed=1), voc_palette(classes))
        for classes in CLASSES
        for kind, make in (("blobs", blobs), ("noise", noise))
    }
    contenders = {}
    for (kind, classes), mask in masks.items():
        lookup = usable_ways()[GPUSEG](voc_palette(classes), mask)
        contenders[f"{kind} {classes}"] = stopwatch(partial(lookup, mask))
    times = interleaved(contenders, args.repeats)
    table = Table(f"gpuseg's lookup of {shape[0]}×{shape[1]} px against the number of classes K")
    for classes in CLASSES:
        table.add(
            K=classes,
            blobs__ms=1e3 * times[f"blobs {classes}"].best,
            noise__ms=1e3 * times[f"noise {classes}"].best,
        )
    table.notes.append(
        "The same steps run whatever K is. Blobs: 120 ellipses, long runs of one colour. "
        "Noise: a random class at each pixel, no runs."
    )
    return table


def exactness(shape: tuple[int, int]) -> Table:
    """What each way gets wrong: palette colours, and colours that are no class."""
    table = Table("Exactness")
    palette = voc_palette(256)
    close = np.stack([np.arange(256)] * 3, axis=-1)  # 256 greys, each one step from the next
    greys = type(palette).from_colours(close, name="greys")
    labels = noise(*shape, 256, seed=3)
    for name, way in usable_ways().items():
        table.add(
            way=name,
            wrong_pixels_VOC_256=inexact_pixels(way, palette, labels),
            wrong_pixels_256_greys=inexact_pixels(way, greys, labels),
            of=labels.size,
            a_colour_that_is_no_class_becomes=unknown_becomes(way, voc_palette(21)),
        )
    table.notes.append(
        "Noise in which every class occurs; the greys are 256 classes one step apart. For a "
        "colour that is no class, gpuseg writes an error, the ignore index or the nearest class, "
        "as --unknown says, and counts the pixels; here: error."
    )
    return table


SCRIPT = Script("kernel", str(__doc__), run, add_arguments)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
