"""What the verbs besides `convert` cost, against the least that any way of doing it must cost."""

from __future__ import annotations

import argparse
import math
import shutil
import subprocess
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from itertools import chain
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

import gpuseg
from benchmarks.common import (
    Contender,
    Script,
    Table,
    Times,
    in_fresh_folder,
    interleaved,
    positive,
    stopwatch,
)
from benchmarks.conversions import convert
from benchmarks.measured import Entry, add_bar
from benchmarks.real_sets import real_sets
from benchmarks.samples import MaskSet, add_set_arguments, mask_sets, repeat_files
from gpuseg import direct
from gpuseg.codecs.png import read_scanlines
from gpuseg.discover import Walk
from gpuseg.kernels.lut import build_lookup
from gpuseg.options import DEFAULT_MAX_PIXELS, ConvertOptions
from gpuseg.pool import Feed, run_threads

RECOLOR, COPY = "recolor", "cp -r"
VERIFY, DECODE = "verify", "decoding both sides once"
STATS, INSPECT, SCAN, CHECK = "stats", "inspect", "scan (colour masks)", "check"
LOOP, LOOP_APART = "Pillow and np.bincount, threads", "Pillow and np.bincount, processes"

BAR_COPY = "≥ 0.8"
"""Speed of recolor by that of cp -r: the time of the copy by ours."""

BAR_DECODE = "≤ 1.3"
"""Time of verify by that of decoding both sides once."""

BAR_LOOP = "≥ 5"
"""Time of a loop of Pillow and np.bincount, threads or processes, by that of stats and inspect."""

BAR_SCAN = "≤ 2"
"""Time of scan over colour masks by that of stats over their label maps."""

MOST_PIXELS = 600_000_000
"""Pixels of a set, with which runs are long enough whatever the number of files."""

REAL = "camvid12_train"
"""The set of small real masks: hundreds of files, of which bars speak."""

ABOUT = (
    "Whole runs from the call to the finished report; files lie in the page cache, kernels are "
    f"loaded. {COPY}: the command, its start included. {DECODE}: a bare loop on so many threads "
    "that reads, inflates, unfilters and looks up each colour mask and each label map and does "
    "nothing with them. The loops open each label map with Pillow and count its indices with "
    "np.bincount; the processes are started before the clock."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The script's own flags."""
    add_set_arguments(parser)
    parser.add_argument("--shared", type=Path, metavar="DIR", help="real masks, see real_sets.py")
    parser.add_argument(
        "--files",
        type=positive,
        help="how many files each set has at least, by repeating them, or else 600 Mpx (default: "
        "2,000)",
    )
    parser.add_argument(
        "--workers", type=positive, nargs="+", default=[1, 2], metavar="N", help="default: 1 2"
    )


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """Times, then bars, of each set."""
    for masks in _sets(args, work):
        labels = work / f"{masks.name}-labels"
        convert(masks, labels)
        pools = {n: ProcessPoolExecutor(n, get_context("spawn")) for n in args.workers}
        try:
            contenders = dict(_contenders(masks, labels, pools, work))
            times = interleaved({str(e): c for e, c in contenders.items()}, args.repeats)
        finally:
            for pool in pools.values():
                pool.shutdown()
        by_entry = {entry: times[str(entry)] for entry in contenders}
        yield _times_table(masks, by_entry)
        yield _bars_table(masks, by_entry, args.workers)
        shutil.rmtree(labels)


def _sets(args: argparse.Namespace, work: Path) -> Iterator[MaskSet]:
    """The sets that were asked for, repeated; of the real ones those that bars are for."""
    files, most = args.files or 2_000, math.inf if args.files else MOST_PIXELS
    if args.tiny:
        files = 8
    found: Iterator[MaskSet] = mask_sets(args, work)
    if args.shared is not None:
        found = chain(found, real_sets(args.shared, work, tiny=True))
    for masks in found:
        if not masks.aside and (masks.name == REAL or not masks.real or args.set):
            paths = masks.paths()
            copies = math.ceil(min(files / len(paths), most / masks.pixels()))
            folder = repeat_files(paths, copies, work / f"{masks.name}-all")
            yield replace(masks, folder=folder)
            shutil.rmtree(folder)


def _contenders(
    masks: MaskSet, labels: Path, pools: dict[int, ProcessPoolExecutor], work: Path
) -> Iterator[tuple[Entry, Contender]]:
    files = [source.path for source in Walk(str(labels))]
    colours = replace(masks.palette, name="others")
    if shutil.which("cp"):
        yield Entry(COPY, 1), in_fresh_folder(work, partial(_copy, labels))
    for n, pool in pools.items():
        verbs: dict[str, Callable[[], Any]] = {
            VERIFY: partial(gpuseg.verify, masks.folder, labels, workers=n),
            CHECK: partial(gpuseg.check, labels, masks.palette, workers=n),
            STATS: partial(gpuseg.stats, labels, workers=n),
            INSPECT: partial(gpuseg.inspect, labels, workers=n),
            SCAN: partial(gpuseg.scan, masks.folder, workers=n),
        }
        for name, verb in verbs.items():
            yield Entry(name, n), stopwatch(partial(_well, verb))
        recolor = partial(gpuseg.recolor, labels, palette=colours, workers=n)
        yield Entry(RECOLOR, n), in_fresh_folder(work, partial(_recolored, recolor))
        yield Entry(DECODE, n), stopwatch(partial(_decode, masks, labels, n))
        yield Entry(LOOP, n), stopwatch(partial(_loop, files, ThreadPoolExecutor(n), n))
        yield Entry(LOOP_APART, n), stopwatch(partial(_loop, files, pool, n))


def _well(verb: Callable[[], Any]) -> None:
    """Run a verb; a figure counts only if all went well."""
    found = verb()
    report = getattr(found, "report", found)
    if report.failed:
        raise SystemExit(f"{report.summary()}: {report.failures[0].message}")


def _copy(labels: Path, folder: Path) -> None:
    subprocess.run(["cp", "-r", labels, folder / "copy"], check=True)


def _recolored(recolor: Callable[..., Any], folder: Path) -> None:
    _well(partial(recolor, dst=folder / "copy"))


def _decode(masks: MaskSet, labels: Path, workers: int) -> None:
    """Read both sides of all pairs, to labels."""
    options = ConvertOptions(**masks.options)
    lookup = build_lookup(masks.palette, options)
    feed = Feed((path, str(masks.target(path, labels))) for path in masks.paths())

    def work() -> None:
        while (pair := feed.draw()) is not None:
            mask = read_scanlines(pair[0], DEFAULT_MAX_PIXELS)
            direct.index_scanlines(mask, lookup, masks.palette, options, lambda stage: None)
            direct.read_labels(read_scanlines(pair[1], DEFAULT_MAX_PIXELS))

    run_threads(work, workers, feed.close, lambda: None)


def _loop(files: Sequence[str], pool: Any, workers: int) -> None:
    parts = [files[i :: 4 * workers] for i in range(4 * workers)]
    total = sum(pool.map(count_all, parts))
    assert total.sum() > 0


def count_all(files: Sequence[str]) -> Any:
    """Pixels of each index in some label maps, int64 (256,), as a script counts them."""
    total = np.zeros(256, np.int64)
    for path in files:
        with Image.open(path) as image:
            total += np.bincount(np.asarray(image).ravel(), minlength=256)
    return total


def _times_table(masks: MaskSet, times: dict[Entry, Times]) -> Table:
    files = len(masks.paths())
    table = Table(f"Verbs: {masks.name}", notes=[masks.describe(), ABOUT])
    for entry, taken in times.items():
        table.add(
            verb=entry.name,
            workers=entry.workers,
            best__ms_a_file=1e3 * taken.best / files,
            median__ms_a_file=1e3 * taken.median / files,
            runs=taken.runs,
        )
    return table


def _bars_table(masks: MaskSet, times: dict[Entry, Times], workers: Sequence[int]) -> Table:
    table = Table(f"Bars of the verbs: {masks.name}")
    for n in workers:

        def pair(above: str, below: str, n: int = n) -> tuple[Times | None, Times | None]:
            return times.get(Entry(above, n)), times.get(Entry(below, n))

        copy = times.get(Entry(COPY, 1))
        ours = times.get(Entry(RECOLOR, n))
        add_bar(table, f"{COPY} / {RECOLOR}, workers: {n}", (copy, ours), BAR_COPY)
        add_bar(table, f"{VERIFY} / {DECODE}, workers: {n}", pair(VERIFY, DECODE), BAR_DECODE)
        faster = min((LOOP, LOOP_APART), key=lambda name, n=n: times[Entry(name, n)].median)
        for name in (STATS, INSPECT):
            add_bar(table, f"{faster} / {name}, workers: {n}", pair(faster, name), BAR_LOOP)
        add_bar(table, f"{SCAN} / {STATS}, workers: {n}", pair(SCAN, STATS), BAR_SCAN)
    table.notes.append("Ratios of times taken in this one run, of the best and of the medians.")
    return table


SCRIPT = Script("tools", __doc__ or "", run, add_arguments)

if __name__ == "__main__":
    raise SystemExit(SCRIPT.main())
