"""Whole conversions, files to files: gpuseg against scripts, the PNG codec and the least work."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

from benchmarks.bars import bar_tables
from benchmarks.common import Script, Table, positive
from benchmarks.measure import Plan, measure
from benchmarks.measured import Measured, pillow_bars, times_table
from benchmarks.real_sets import left_out, real_sets
from benchmarks.samples import add_set_arguments, mask_sets
from gpuseg.options import Codec, usable_cpus


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The script's own flags."""
    add_set_arguments(parser)
    parser.add_argument(
        "--shared", type=Path, metavar="DIR", help="a folder of real masks (real_sets.py)"
    )
    parser.add_argument(
        "--workers",
        type=positive,
        nargs="+",
        metavar="N",
        help="numbers of workers to compare (default: 1, 2, and all processors); sets of "
        "--shared are converted by one, if it is among them",
    )
    parser.add_argument("--devices", nargs="+", choices=["cpu", "cuda"], default=["cpu"])
    parser.add_argument(
        "--codecs", nargs="+", choices=get_args(Codec), default=list(get_args(Codec))
    )
    parser.add_argument(
        "--no-scripts", action="store_true", help="neither scripts nor the codec alone"
    )
    parser.add_argument(
        "--no-usual-script", action="store_true", help="leave the slowest contender out"
    )
    parser.add_argument(
        "--scripts-on-shared", action="store_true", help="table script and codec there too"
    )


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """Times and the Pillow codec's bars of each set, then the direct path's over all sets."""
    if args.shared is not None and not args.shared.is_dir():
        raise SystemExit(f"--shared: {args.shared} is no folder")
    plan = Plan(
        workers=args.workers or sorted({1, 2, usable_cpus()}),
        devices=args.devices,
        codecs=args.codecs,
        repeats=args.repeats,
        scripts=not args.no_scripts,
        usual=not args.no_usual_script,
    )
    found = []
    for masks in mask_sets(args, work):
        found.append(measure(masks, plan, work))
        yield from _tables(found[-1], plan)
    if args.shared is not None:
        few = [1] if 1 in plan.workers else plan.workers
        scripts = plan.scripts and args.scripts_on_shared
        plan = replace(plan, workers=few, scripts=scripts, usual=False)
        for masks in real_sets(args.shared, work / "shared", tiny=args.tiny):
            found.append(measure(masks, plan, work))
            yield from _tables(found[-1], plan)
            shutil.rmtree(masks.folder)
    yield from bar_tables(found)
    if args.shared is not None:
        yield left_out(args.shared)


def _tables(measured: Measured, plan: Plan) -> Iterator[Table]:
    yield times_table(measured)
    bars = pillow_bars(measured, max(plan.workers))
    if bars.rows:
        yield bars


SCRIPT = Script("end_to_end", str(__doc__), run, add_arguments)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
