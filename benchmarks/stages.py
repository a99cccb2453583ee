"""Where a conversion's time goes: read, decode, index, encode, write, and Python's own part."""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.common import Script, Table, Times, positive, stopwatch
from benchmarks.samples import MaskSet, add_set_arguments, mask_sets
from gpuseg.convert import convert_directory

STAGES = ("read", "inflate", "decode", "index", "encode", "write")

REST = (
    "The rest is what the run takes beyond the stages of its files: walking the folder, "
    "deciding, the report, starting and stopping threads."
)


@dataclass(frozen=True, slots=True)
class Run:
    """One conversion. stages: seconds by stage, of all files. wall: seconds of the whole call."""

    stages: dict[str, float]
    wall: float
    converted: int
    failed: int


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The script's own flags."""
    add_set_arguments(parser)
    parser.add_argument("--workers", type=positive, default=1, help="threads (default: 1)")
    parser.add_argument("--codec", default="auto", help="as for gpuseg convert")


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """One table a set."""
    for masks in mask_sets(args, work):
        yield staged(masks, args, work)


def staged(masks: MaskSet, args: argparse.Namespace, work: Path) -> Table:
    """The medians of several conversions of a set, by stage."""
    convert_once(masks, args, work)  # loads the kernel and the files
    runs = [convert_once(masks, args, work) for _ in range(args.repeats)]
    reading = Times(tuple(stopwatch(lambda: read_all(masks))() for _ in range(args.repeats)))
    files = runs[0].converted + runs[0].failed
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
    counts = f"{runs[0].converted} converted, {runs[0].failed} failed"
    table.notes += [
        masks.describe(),
        f"{counts}; medians of {len(runs)} runs; codec {args.codec}.",
        REST,
    ]
    return table


def convert_once(masks: MaskSet, args: argparse.Namespace, work: Path) -> Run:
    """Convert a set into a folder of its own and add up the seconds of its report."""
    with tempfile.TemporaryDirectory(dir=work) as target:
        options = {"device": "cpu", "workers": args.workers, "codec": args.codec}
        start_to_end = stopwatch(
            lambda: convert_directory(masks.folder, target, masks.palette, **options)
        )
        wall = start_to_end()
        text = (Path(target) / "gpuseg-report.jsonl").read_text(encoding="ascii")
    rows = [json.loads(line) for line in text.splitlines()]
    files = [row for row in rows if row["type"] == "file"]
    stages: dict[str, float] = {}
    for row in files:
        for stage, seconds in row.get("seconds", {}).items():
            stages[stage] = stages.get(stage, 0.0) + seconds
    converted = sum(row["status"] == "converted" for row in files)
    return Run(stages, wall, converted, len(files) - converted)


def read_all(masks: MaskSet) -> None:
    """Read every file of a set and forget it."""
    for path in masks.paths():
        Path(path).read_bytes()


SCRIPT = Script("stages", str(__doc__), run, add_arguments)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
