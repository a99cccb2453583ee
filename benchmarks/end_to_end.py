"""Whole conversions, files to files: gpuseg against scripts and against the PNG codec alone."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, get_args

import numpy as np
from PIL import Image

from benchmarks.common import (
    Contender,
    Script,
    Table,
    Times,
    in_fresh_folder,
    interleaved,
    positive,
)
from benchmarks.samples import MaskSet, add_set_arguments, mask_sets
from benchmarks.scripts import codec_alone, label_images, run_all, table_script, usual_script
from gpuseg.convert import convert_directory
from gpuseg.options import Codec, Device, usable_cpus

BAR_CODEC = 1.10
"""One worker, Pillow codec: at most this times Pillow's decoding and Z_RLE encoding alone."""

BAR_SCALING = 1.8
"""Two workers: at least this times as fast as one."""

CONDITIONS = (
    "Files in, files out (`codec alone, in memory` apart, which writes none); the source files "
    "lie in the page cache, kernels are loaded; every run writes into a new folder."
)

MEMORY, FILES = "codec alone, in memory", "codec alone, files written"
USUAL, TABLE = "usual script", "table script"


@dataclass(frozen=True, slots=True)
class Entry:
    """A contender at a number of workers."""

    name: str
    workers: int

    def __str__(self) -> str:
        return f"{self.name}, {self.workers}"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The script's own flags."""
    add_set_arguments(parser)
    parser.add_argument(
        "--workers",
        type=positive,
        nargs="+",
        metavar="N",
        help="numbers of workers to compare (default: 1, 2, and all processors)",
    )
    parser.add_argument("--devices", nargs="+", choices=get_args(Device)[1:], default=["cpu"])
    parser.add_argument("--codecs", nargs="+", choices=get_args(Codec), default=["pillow"])
    parser.add_argument(
        "--no-usual-script", action="store_true", help="leave the slowest contender out"
    )


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """Times, then bars, of each set."""
    workers = args.workers or sorted({1, 2, usable_cpus()})
    for masks in mask_sets(args, work):
        contenders, checks = _contenders(masks, args, workers, work)
        times = interleaved({str(entry): run for entry, run in contenders.items()}, args.repeats)
        by_entry = {entry: times[str(entry)] for entry in contenders}
        yield _times_table(masks, by_entry, checks)
        yield _bars_table(masks, by_entry, workers)


def _ours(device: str, codec: str) -> str:
    return f"gpuseg --device {device} --codec {codec}"


def _contenders(
    masks: MaskSet, args: argparse.Namespace, workers: Sequence[int], work: Path
) -> tuple[dict[Entry, Contender], dict[str, bool]]:
    """What is timed, and whether each kind writes the same label maps as gpuseg."""
    first = work / f"{masks.name}-expected"
    convert_directory(masks.folder, first, masks.palette, device="cpu")
    labels = label_images(masks, first)
    scripts = {
        TABLE: table_script(masks),
        MEMORY: codec_alone(masks, labels, write=False),
        FILES: codec_alone(masks, labels, write=True),
    }
    if not args.no_usual_script:
        scripts[USUAL] = usual_script(masks)
    writers: dict[str, Any] = {
        name: partial(run_all, masks, one_file) for name, one_file in scripts.items()
    }
    for device in args.devices:
        for codec in args.codecs:
            writers[_ours(device, codec)] = partial(_convert, masks, device, codec)
    checks = {}
    for name, write in writers.items():
        target = work / f"{masks.name}-check-{len(checks)}"
        write(target, workers=max(workers))
        if name != MEMORY:
            checks[name] = _equal(masks, labels, target)
    contenders = {
        Entry(name, count): in_fresh_folder(work, partial(write, workers=count))
        for name, write in writers.items()
        for count in workers
    }
    return contenders, checks


def _convert(masks: MaskSet, device: Any, codec: Any, target: Path, workers: int) -> None:
    report = convert_directory(
        masks.folder, target, masks.palette, device=device, codec=codec, workers=workers
    )
    if report.failed:
        raise SystemExit(f"{masks.name}: {report.summary()}: {report.failures[0].message}")


def _equal(masks: MaskSet, labels: Mapping[str, Image.Image], target: Path) -> bool:
    """Whether the label maps below `target` have the same indices."""
    for path, expected in labels.items():
        with Image.open(masks.target(path, target)) as image:
            if not np.array_equal(np.asarray(image), np.asarray(expected)):
                return False
    return True


def _times_table(masks: MaskSet, times: Mapping[Entry, Times], checks: Mapping[str, bool]) -> Table:
    files, pixels = len(masks.paths()), masks.pixels()
    table = Table(f"End to end: {masks.name}")
    for entry, taken in sorted(times.items(), key=lambda item: (item[0].workers, item[1].best)):
        table.add(
            contender=entry.name,
            workers=entry.workers,
            best__ms_a_file=1e3 * taken.best / files,
            median__ms_a_file=1e3 * taken.median / files,
            speed__files_per_s=files / taken.best,
            speed__Mpx_per_s=pixels / taken.best / 1e6,
            runs=taken.runs,
            same_labels=checks.get(entry.name),
        )
    table.notes += [masks.describe(), CONDITIONS]
    return table


def _bars_table(masks: MaskSet, times: Mapping[Entry, Times], workers: Sequence[int]) -> Table:
    table = Table(f"Bars: {masks.name}")
    ours = [name for name in {entry.name: None for entry in times} if name.startswith("gpuseg")]
    pillow = _ours("cpu", "pillow")
    if pillow in ours and 1 in workers:
        for reference in (MEMORY, FILES):
            pair = times[Entry(pillow, 1)], times[Entry(reference, 1)]
            _add_bar(table, f"{pillow} / {reference}, 1 worker", pair, f"≤ {BAR_CODEC:.2f}")
    if {1, 2} <= set(workers):
        for name in [*ours, FILES]:
            pair = times[Entry(name, 1)], times[Entry(name, 2)]
            bar = f"≥ {BAR_SCALING}" if name in ours else None
            _add_bar(table, f"{name}: 1 worker / 2 workers", pair, bar)
    for name in ours:
        for script in (USUAL, TABLE):
            entry = Entry(script, max(workers))
            if entry in times:
                pair = times[entry], times[Entry(name, max(workers))]
                _add_bar(table, f"{script} / {name}, {max(workers)} workers", pair, None)
    table.notes.append("Ratios of times taken in this one run, of the best and of the medians.")
    return table


def _add_bar(table: Table, ratio: str, pair: tuple[Times, Times], bar: str | None) -> None:
    best, median = pair[0].best / pair[1].best, pair[0].median / pair[1].median
    met = None
    if bar is not None:
        limit = float(bar[2:])
        met = best <= limit if bar.startswith("≤") else best >= limit
    table.add(ratio=ratio, of_the_best=best, of_the_medians=median, bar=bar, met=met)


SCRIPT = Script("end_to_end", str(__doc__), run, add_arguments)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
