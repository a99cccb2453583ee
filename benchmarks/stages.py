"""Where a conversion's time goes: read, decode, index, encode, write, and Python's own part."""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from benchmarks.common import Script, Table, Times, positive, stopwatch
from benchmarks.conversions import convert_once
from benchmarks.samples import MaskSet, add_set_arguments, mask_sets
from gpuseg.options import Codec

STAGES = ("read", "inflate", "decode", "index", "encode", "write", "verify")

REST = (
    "The rest is what the run takes beyond the stages of its files: walking the folder, the "
    "report, starting and stopping threads and processes. Of the direct path, read also holds the "
    "decision whether a file is up to date, encode the row filters."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The script's own flags."""
    add_set_arguments(parser)
    parser.add_argument("--workers", type=positive, default=1, help="threads (default: 1)")
    parser.add_argument(
        "--codec", choices=get_args(Codec), default="auto", help="as for gpuseg convert"
    )
    parser.add_argument("--verify", action="store_true", help="as for gpuseg convert")


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """One table a set."""
    for masks in mask_sets(args, work):
        yield staged(masks, args, work)


def staged(masks: MaskSet, args: argparse.Namespace, work: Path) -> Table:
    """The medians of several conversions of a set, by stage."""
    options = {"workers": args.workers, "codec": args.codec, "verify": args.verify}
    convert_once(masks, work, **options)  # loads the kernel and the files
    runs = [convert_once(masks, work, **options) for _ in range(args.repeats)]
    reading = Times(tuple(stopwatch(lambda: read_all(masks))() for _ in range(args.repeats)))
    files = runs[0].files
    threads = args.workers
    capacity = statistics.median(run.wall * threads for run in runs)  # thread seconds to spend
    table = Table(f"Stages of {masks.name}, {threads} worker{'s' * (threads > 1)}")

    def add(stage: str, seconds: float) -> None:
        share = 100 * seconds / capacity
        table.add(stage=stage, ms_a_file=1e3 * seconds / files, share__pct=share)

    seen = {stage for run in runs for stage in run.stages}
    if "read" not in seen:
        table.notes.append(
            "Reading is part of decode there: Pillow reads as it decodes. Alone, from the page "
            f"cache, it takes {1e3 * reading.median / files:.3f} ms a file."
        )
    for stage in (*STAGES, *sorted(seen.difference(STAGES))):
        if stage in seen:
            add(stage, statistics.median(run.stages.get(stage, 0.0) for run in runs))
    rest = [run.wall * threads - sum(run.stages.values()) for run in runs]
    add("rest: Python's own part", statistics.median(rest))
    add("all", capacity)
    table.notes += [masks.describe(), f"Medians of {len(runs)} runs; codec {args.codec}.", REST]
    return table


def read_all(masks: MaskSet) -> None:
    """Read every file of a set and forget it."""
    for path in masks.paths():
        Path(path).read_bytes()


SCRIPT = Script("stages", str(__doc__), run, add_arguments)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
