"""A cluster of Dask on this machine beside our own worker processes; what a shard costs there."""

from __future__ import annotations

import itertools
import shutil
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.common import Table, Times, interleaved
from benchmarks.measured import is_met
from benchmarks.scale_memory import Nothing
from gpuseg import runs, sharded
from gpuseg.convert import convert_directory
from gpuseg.discover import Source
from gpuseg.options import ReadOptions
from gpuseg.palette import Palette

BAR, SHARD_BAR = "≥ 0.93", "≤ 10"
"""Files a second of `local:2` by those of two workers; milliseconds that Dask adds to a shard."""

WORKERS = 2

OURS, DASKS = f"--workers {WORKERS}", f"--scheduler local:{WORKERS}"

WAYS: dict[str, dict[str, Any]] = {
    OURS: {"workers": WORKERS},
    DASKS: {"scheduler": f"local:{WORKERS}"},
}

SHARDS = 40
"""Shards of the runs that tell what one costs."""

SKIPPED = "skipped: Dask is not installed (pip install 'gpuseg[dask]')"

ABOUT = (
    f"{WORKERS} workers, all in one file system (where the script's work folder is). `run`: as "
    "its summary tells, from the first file to the last; `whole`: with the start and the end of "
    "worker processes and cluster. Ratio: files a second by those of our own workers in this one "
    "run, of the best times; the bar is for `run`, which a cluster that is there already takes."
)

ABOUT_SHARDS = (
    f"A task that does nothing with its file, {SHARDS} shards of each size by one worker. `alone`: "
    "the same files in this process, rows of the report included; `added`: what Dask and its "
    "wrapping add to each shard, of the best times."
)


def tables(folder: Path, palette: Palette, repeats: int, work: Path) -> Iterator[Table]:
    """Whole conversions, and what a shard costs."""
    if find_spec("distributed") is None:
        yield Table("Dask", notes=[SKIPPED])
        return
    yield _conversions(folder, palette, repeats, work)
    yield _shards(repeats, work)


def _conversions(folder: Path, palette: Palette, repeats: int, work: Path) -> Table:
    files = sum(1 for _ in folder.iterdir())
    number, inner = itertools.count(), {way: list[float]() for way in WAYS}

    def convert(way: str) -> float:
        target = work / f"cluster-{next(number)}"
        start = perf_counter()
        report = convert_directory(folder, target, palette, device="cpu", **WAYS[way])
        whole = perf_counter() - start
        if report.files["converted"] != files:
            raise SystemExit(f"{way}: {report.summary()}")
        inner[way].append(report.seconds)
        shutil.rmtree(target)
        return whole

    whole = interleaved({way: partial(convert, way) for way in WAYS}, repeats, slow=600)
    run = {way: Times(tuple(seconds[-repeats:])) for way, seconds in inner.items()}
    table = Table(f"Dask on this machine: {folder.name}", notes=[ABOUT])
    for way in WAYS:
        ratio = run[OURS].best / run[way].best
        bar = BAR if way == DASKS else None
        table.add(
            way=way,
            files=files,
            run__s=run[way].best,
            files_per_s=files / run[way].best,
            ratio=ratio,
            of_medians=run[OURS].median / run[way].median,
            whole__s=whole[way].best,
            ratio_of_whole=whole[OURS].best / whole[way].best,
            bar=bar,
            met=is_met(ratio, bar),
            runs=run[way].runs,
        )
    return table


@dataclass(slots=True)
class _Plan:
    """Files that are nowhere: keys, for a worker looks whether paths are there."""

    count: int
    folder: str | None = None
    roots: Sequence[str] = ()
    left_alone: Counter[str] = field(default_factory=Counter)

    def __iter__(self) -> Iterator[Source]:
        for i in range(self.count):
            name = f"scene-{i // 1000:06d}/mask_{i % 1000:04d}_labels.png"
            yield Source(f"s3://dump/in/{name}", name, 5000, 1_700_000_000_000_000_000)


def _shards(repeats: int, work: Path) -> Table:
    table = Table("What a shard costs", notes=[ABOUT_SHARDS])
    sizes, bounds = (sharded.FEWEST, 256, sharded.MOST), (sharded.FEWEST, sharded.MOST)
    for size in sizes:
        sharded.FEWEST = sharded.MOST = size
        try:
            ways = {way: partial(_nothing, size, way, work) for way in (None, "local:1")}
            times = interleaved({str(way): run for way, run in ways.items()}, repeats, slow=600)
        finally:
            sharded.FEWEST, sharded.MOST = bounds
        alone, there = times["None"].best / SHARDS, times["local:1"].best / SHARDS
        added = (there - alone) * 1000
        table.add(
            files_of_a_shard=size,
            alone__ms=alone * 1000,
            by_Dask__ms=there * 1000,
            added__ms=added,
            bar__ms=SHARD_BAR,
            met=is_met(added, SHARD_BAR),
            runs=times["local:1"].runs,
        )
    return table


def _nothing(size: int, scheduler: str | None, work: Path) -> float:
    """Seconds of a run over `SHARDS` shards, as its summary tells."""
    options = ReadOptions(scheduler=scheduler) if scheduler else ReadOptions(workers=1)
    task = Nothing(options)
    report = runs.look(_Plan(size * SHARDS), task, verb="stats", report=work / "nothing.jsonl")
    if report.done != size * SHARDS:
        raise SystemExit(report.summary())
    return report.seconds
