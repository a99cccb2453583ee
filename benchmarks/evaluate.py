"""What `evaluate` costs: against decoding both sides, against a loop of Pillow and np.bincount."""

from __future__ import annotations

import argparse
import json
import math
import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import gpuseg
from benchmarks.common import Contender, Script, Table, Times, interleaved, positive, stopwatch
from benchmarks.evaluate_memory import memory_table
from benchmarks.evaluate_pairs import (
    CLASSES,
    DRAWN,
    ERRORS,
    REAL,
    Decoding,
    PairSet,
    count_all,
    pair_sets,
)
from benchmarks.measured import Entry, add_bar
from benchmarks.samples import voc_palette
from gpuseg.evaluation.evaluating import Sides
from gpuseg.evaluation.options import EvaluateOptions
from gpuseg.evaluation.pairing import Pairs
from gpuseg.evaluation.reading import Indices, Reader
from gpuseg.runs import look

EVALUATE, DECODE = "evaluate", "decoding both sides, the same run"
LOOP, LOOP_APART = "Pillow and np.bincount, threads", "Pillow and np.bincount, processes"

BAR_DECODE = "≤ 1.3"
"""Time of evaluate by that of decoding both sides."""

BAR_LOOP = "≥ 4"
"""Time of the loop, by threads or processes, by that of evaluate."""

ABOUT = (
    "Whole runs from the call to the scores; files lie in the page cache, kernels are loaded. "
    f"{DECODE}: the pairs found and both images read by the same flow, a row for each, nothing "
    "counted. The loop opens both images with Pillow, leaves out the pixels whose truth is 255 and "
    "counts pairs of indices with np.bincount; its processes are started before the clock."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The script's own flags."""
    parser.add_argument("--shared", type=Path, metavar="DIR", help="real label maps, see REAL")
    parser.add_argument("--only", choices=[DRAWN, *REAL], help="leave out all other sets")
    parser.add_argument("--pairs", type=positive, default=1_000, help="of each set")
    parser.add_argument(
        "--many", type=positive, default=20_000, help="pairs whose memory is compared; and thrice"
    )
    parser.add_argument("--no-memory", action="store_true", help="leave out the table of memory")
    parser.add_argument(
        "--workers", type=positive, nargs="+", default=[1, 2], metavar="N", help="default: 1 2"
    )


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """Times, bars and stages of each set; then memory."""
    if args.tiny:
        args.pairs, args.many = 8, 24
    for pairs in pair_sets(args, work):
        pools = {n: ProcessPoolExecutor(n, get_context("spawn")) for n in args.workers}
        try:
            contenders = dict(_contenders(pairs, pools))
            times = interleaved({str(e): c for e, c in contenders.items()}, args.repeats)
        finally:
            for pool in pools.values():
                pool.shutdown()
        by_entry = {entry: times[str(entry)] for entry in contenders}
        yield _times_table(pairs, by_entry)
        yield _bars_table(pairs, by_entry, args.workers)
        yield _stages_table(pairs, work)
        shutil.rmtree(pairs.truth.parent)
    if not args.no_memory:
        yield memory_table((min(args.pairs, args.many), args.many, 3 * args.many), work)


def _contenders(
    pairs: PairSet, pools: dict[int, ProcessPoolExecutor]
) -> Iterator[tuple[Entry, Contender]]:
    files = [(str(pairs.truth / name), str(pairs.pred / name)) for name in pairs.names()]
    for n, pool in pools.items():
        yield Entry(EVALUATE, n), stopwatch(partial(_evaluate, pairs, n))
        yield Entry(DECODE, n), stopwatch(partial(_decode, pairs, n))
        yield Entry(LOOP, n), stopwatch(partial(_loop, files, ThreadPoolExecutor(n), n))
        yield Entry(LOOP_APART, n), stopwatch(partial(_loop, files, pool, n))


def _evaluate(pairs: PairSet, workers: int, **more: Any) -> gpuseg.Evaluation:
    found = gpuseg.evaluate(
        pairs.pred, pairs.truth, palette=voc_palette(CLASSES), ignore_index=255, workers=workers,
        **more,
    )  # fmt: skip
    if found.report.failed:
        raise SystemExit(f"{found.report.summary()}: {found.report.failures[0].message}")
    return found


def _decode(pairs: PairSet, workers: int) -> None:
    options = EvaluateOptions(workers=workers)
    reader = Reader(None, Indices(), options.max_pixels)
    sides = Sides(str(pairs.pred), reader, reader, 255, None)
    walk = Pairs(str(pairs.truth), predictions=str(pairs.pred))
    done = look(walk, Decoding(sides, options), verb="evaluate")
    if done.failed or done.files["read"] != len(pairs.names()):
        raise SystemExit(f"{DECODE}: {done.summary()}")


def _loop(files: Sequence[tuple[str, str]], pool: Any, workers: int) -> None:
    parts = [files[i :: 4 * workers] for i in range(4 * workers)]
    total = sum(pool.map(count_all, parts))
    assert total.sum() > 0


def _times_table(pairs: PairSet, times: dict[Entry, Times]) -> Table:
    count = len(pairs.names())
    title = f"Evaluating: {pairs.name}"
    size = pairs.pixels / count / 1e6
    table = Table(title, notes=[f"{count:,} pairs of {size:.2f} Mpx.", ERRORS, ABOUT])
    for entry, taken in times.items():
        table.add(
            what=entry.name,
            workers=entry.workers,
            best__ms_a_pair=1e3 * taken.best / count,
            median__ms_a_pair=1e3 * taken.median / count,
            runs=taken.runs,
        )
    return table


def _bars_table(pairs: PairSet, times: dict[Entry, Times], workers: Sequence[int]) -> Table:
    table = Table(f"Bars of evaluate: {pairs.name}")
    for n in workers:
        ours = times[Entry(EVALUATE, n)]
        decode = times[Entry(DECODE, n)]
        bar = BAR_DECODE if pairs.real else None
        add_bar(table, f"{EVALUATE} / {DECODE}, workers: {n}", (ours, decode), bar)
        faster = min((LOOP, LOOP_APART), key=lambda name, n=n: times[Entry(name, n)].median)
        pair = times[Entry(faster, n)], ours
        bar = BAR_LOOP if pairs.real else None
        add_bar(table, f"{faster} / {EVALUATE}, workers: {n}", pair, bar)
    table.notes.append(
        "Ratios of times taken in this one run, of the best and of the medians; bars are for real "
        "label maps."
    )
    return table


def _stages_table(pairs: PairSet, work: Path) -> Table:
    """What the rows of one worker say: their seconds, and the rest of the run's."""
    place = work / "evaluate.jsonl"
    found = _evaluate(pairs, 1, report=place)
    sums: dict[str, float] = {}
    for line in place.read_text("ascii").splitlines()[1:-1]:
        for stage, seconds in json.loads(line)["seconds"].items():
            sums[stage] = sums.get(stage, 0.0) + seconds
    sums["rest: pairing, rows, sums"] = found.report.seconds - math.fsum(sums.values())
    table = Table(f"Stages of evaluate, one worker, with a report: {pairs.name}")
    for stage, seconds in sums.items():
        table.add(
            stage=stage,
            time__ms_a_pair=1e3 * seconds / found.pairs,
            share__pct=100 * seconds / found.report.seconds,
        )
    return table


SCRIPT = Script("evaluate", __doc__ or "", run, add_arguments)

if __name__ == "__main__":
    raise SystemExit(SCRIPT.main())
