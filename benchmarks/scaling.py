"""What more workers gain on long runs: threads alone, and worker processes as gpuseg has them."""

from __future__ import annotations

import argparse
import filecmp
import math
import shutil
import statistics
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any, get_args
from unittest import mock

from PIL import Image

from benchmarks.common import Contender, Script, Table, Times, interleaved, positive, stopwatch
from benchmarks.conversions import convert, convert_once
from benchmarks.measured import Entry, add_bar
from benchmarks.samples import (
    MaskSet,
    add_set_arguments,
    draw_large,
    draw_small,
    parse_set,
    repeat_files,
)
from gpuseg import processes
from gpuseg.options import Codec, Shard

BAR = "≥ 1.85"
"""One worker by two, as gpuseg runs them."""

OURS, THREADS = "gpuseg", "gpuseg, threads alone"
APART = "runs apart, a shard each"

GPUSEG = (
    "Whole runs, from the call to the finished report. gpuseg begins on threads and starts a "
    f"process a worker after {processes.PATIENCE} s, if {processes.ENOUGH:,} files are left then "
    f"and {processes.TIMES_DONE} times those done; starting them counts."
)

SHARDS = (
    f"{APART}: so many processes that know nothing of each other, started before; what the "
    "machine can give."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The script's own flags."""
    add_set_arguments(parser)
    parser.add_argument(
        "--workers", type=positive, nargs="+", default=[1, 2], metavar="N", help="default: 1 2"
    )
    parser.add_argument("--codec", choices=get_args(Codec), default="auto")
    parser.add_argument(
        "--files", type=positive, default=30_000, help="of the small drawn set (default: 30,000)"
    )
    parser.add_argument(
        "--seconds",
        type=float,
        default=12.0,
        help="how long one worker shall take for any other set, whose files are repeated for "
        "that (default: 12)",
    )
    parser.add_argument("--no-apart", action="store_true", help=f"leave out: {APART}")
    parser.set_defaults(repeats=3)  # for each run takes many seconds


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """Times, then bars, of each set."""
    if args.tiny:
        args.files, args.seconds = 40, 0.01
    for masks in _sets(args, work):
        starts: list[float] = []
        room = work / f"{masks.name}-written"
        room.mkdir()
        with ExitStack() as stack:
            contenders = _contenders(masks, args, room, starts, stack)
            times = interleaved(
                {str(entry): contender for entry, contender in contenders.items()},
                args.repeats,
                slow=math.inf,
            )
        by_entry = {entry: times[str(entry)] for entry in contenders}
        same = {
            entry: _same(masks, room / str(Entry(OURS, 1)), room / str(entry))
            for entry in contenders
        }
        shutil.rmtree(room)
        yield _times_table(masks, by_entry, same, starts)
        yield _bars_table(masks, by_entry)


def _sets(args: argparse.Namespace, work: Path) -> Iterator[MaskSet]:
    given = [parse_set(text) for text in args.set]
    if not args.no_default_sets:
        small = draw_small(work, tiny=args.tiny)
        yield _repeated(small, math.ceil(args.files / len(small.paths())), work)
        given.insert(0, draw_large(work, tiny=args.tiny))
    for masks in given:
        once = min(convert_once(masks, work, workers=1, codec=args.codec).wall for _ in range(3))
        yield _repeated(masks, math.ceil(args.seconds / once), work)


def _repeated(masks: MaskSet, copies: int, work: Path) -> MaskSet:
    folder = repeat_files(masks.paths(), copies, work / f"{masks.name}-repeated")
    return MaskSet(masks.name, folder, masks.palette, masks.options, masks.real)


def _contenders(
    masks: MaskSet, args: argparse.Namespace, room: Path, starts: list[float], stack: ExitStack
) -> dict[Entry, Contender]:
    """One worker, and for each number of workers the ways to have so many."""
    ways: dict[Entry, Callable[[Path], object]] = {}
    for count in sorted({1, *args.workers}):
        options = {"workers": count, "codec": args.codec}
        ways[Entry(OURS, count)] = partial(_as_it_is, masks, starts, options)
        if count > 1:
            ways[Entry(THREADS, count)] = partial(_threads_alone, masks, options)
        if count > 1 and not args.no_apart:
            pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"))
            stack.enter_context(pool)
            ways[Entry(APART, count)] = partial(_apart, masks, pool, options)
    return {entry: _into(room / str(entry), way) for entry, way in ways.items()}


def _into(target: Path, way: Callable[[Path], object]) -> Contender:
    """A contender whose last results stay; those of the run before are removed untimed."""

    def run() -> float:
        shutil.rmtree(target, ignore_errors=True)
        return stopwatch(lambda: way(target))()

    return run


def _as_it_is(
    masks: MaskSet, starts: list[float], options: Mapping[str, Any], target: Path
) -> None:
    start_worker = processes.Worker

    def timed(*arguments: Any, **options: Any) -> processes.Worker:
        start = perf_counter()
        worker = start_worker(*arguments, **options)
        starts.append(perf_counter() - start)
        return worker

    with mock.patch.object(processes, "Worker", timed):
        convert(masks, target, **options)


def _threads_alone(masks: MaskSet, options: Mapping[str, Any], target: Path) -> None:
    with mock.patch.object(processes, "PATIENCE", math.inf):
        convert(masks, target, **options)


def _apart(
    masks: MaskSet, pool: ProcessPoolExecutor, options: Mapping[str, Any], target: Path
) -> None:
    count = options["workers"]
    shards = [
        pool.submit(convert, masks, target, **{**options, "workers": 1, "shard": Shard(k, count)})
        for k in range(1, count + 1)
    ]
    for shard in shards:
        shard.result()


def _same(masks: MaskSet, expected: Path, target: Path) -> bool:
    """Whether two folders hold the same label maps."""
    for path in masks.paths():
        pair = masks.target(path, expected), masks.target(path, target)
        if not filecmp.cmp(*pair, shallow=False):
            with Image.open(pair[0]) as one, Image.open(pair[1]) as other:
                if one.size != other.size or one.tobytes() != other.tobytes():
                    return False
    return True


def _times_table(
    masks: MaskSet,
    times: Mapping[Entry, Times],
    same: Mapping[Entry, bool],
    starts: Sequence[float],
) -> Table:
    files, pixels = len(masks.paths()), masks.pixels()
    table = Table(f"Long runs: {masks.name}")
    for entry, taken in times.items():
        table.add(
            contender=entry.name,
            workers=entry.workers,
            best__s=taken.best,
            median__s=taken.median,
            speed__files_per_s=files / taken.best,
            speed__Mpx_per_s=pixels / taken.best / 1e6,
            runs=taken.runs,
            same_labels=same[entry],
        )
    started = "No worker process was started."
    if starts:
        started = (
            f"{len(starts)} worker processes were started in all runs (the first, uncounted one "
            f"of each contender included), ready after {statistics.median(starts):.2f} s (median; "
            f"{min(starts):.2f} to {max(starts):.2f})."
        )
    table.notes += [masks.describe(), GPUSEG, SHARDS, started]
    return table


def _bars_table(masks: MaskSet, times: Mapping[Entry, Times]) -> Table:
    table = Table(f"Bars of long runs: {masks.name}")
    one = Entry(OURS, 1)
    for entry, taken in times.items():
        if entry.workers > 1:
            bar = BAR if entry == Entry(OURS, 2) else None
            ratio = f"1 worker / {entry.workers} workers: {entry.name}"
            add_bar(table, ratio, (times[one], taken), bar)
    table.notes.append("Ratios of times taken in this one run, of the best and of the medians.")
    return table


SCRIPT = Script("scaling", str(__doc__), run, add_arguments)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
