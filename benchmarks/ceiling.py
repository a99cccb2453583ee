"""What a GPU could gain at most on this machine: a device whose work takes no time."""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.common import Contender, Script, Table, interleaved, positive, stopwatch
from benchmarks.free_device import FreeDevice
from benchmarks.samples import MaskSet, add_set_arguments, mask_sets
from gpuseg.batched import BatchedFlow
from gpuseg.discover import Source, Walk
from gpuseg.options import ConvertOptions, usable_cpus
from gpuseg.plan import Job
from gpuseg.pool import Feed, run_threads
from gpuseg.processes import ProcessFlow
from gpuseg.report import FileResult

NOTE = (
    "free device: the batched flow with a device that hands out label maps that it knows "
    "already. The host reads, inflates, deflates and writes as it does for a GPU; where a GPU "
    "copies by itself, the free device takes a copy's time of a core. A real device is slower "
    "than this one."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The script's own flags."""
    add_set_arguments(parser)
    parser.add_argument("--workers", type=positive, nargs="+", metavar="N")


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """One table over all sets."""
    table = Table("The CPU, and the same host with a device that takes no time")
    for masks in mask_sets(args, work):
        for workers in args.workers or sorted({1, usable_cpus()}):
            _add(table, masks, workers, args.repeats, work)
    table.notes.append(NOTE)
    yield table


def _add(table: Table, masks: MaskSet, workers: int, repeats: int, work: Path) -> None:
    device = FreeDevice()
    options = ConvertOptions(workers=workers)

    def flow(kind: str, feed: Feed[Source], job: Job, add: Callable[..., None]):  # type: ignore[no-untyped-def]
        if kind == "cpu":
            return ProcessFlow(feed, job, add)
        return BatchedFlow(feed, job, add, device, print)

    def convert(kind: str) -> None:
        target = Path(tempfile.mkdtemp(dir=work))
        rows: list[FileResult] = []
        job = Job.create(str(target), masks.palette, options)
        feed: Feed[Source] = Feed(Walk(str(masks.folder)))
        chosen = flow(kind, feed, job, lambda row, line=None: rows.append(row))
        run_threads(chosen.work, chosen.threads, feed.close, lambda: None)
        assert {row.status for row in rows} == {"converted"}
        shutil.rmtree(target)

    def contender(kind: str) -> Contender:
        return stopwatch(lambda: convert(kind))

    times = interleaved({kind: contender(kind) for kind in ("cpu", "free")}, repeats)
    files = len(masks.paths())
    table.add(
        set=masks.name,
        files=files,
        workers=workers,
        cpu__ms_a_file=1e3 * times["cpu"].best / files,
        free_device__ms_a_file=1e3 * times["free"].best / files,
        of_the_best=times["cpu"].best / times["free"].best,
        of_the_medians=times["cpu"].median / times["free"].median,
    )


SCRIPT = Script("ceiling", str(__doc__), run, add_arguments)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
