"""What a GPU could gain at most on this machine: a device whose work takes no time."""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
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
    """Times over all sets, then the stages."""
    table = Table("The CPU, and the same host with a device that takes no time")
    stages = Table("Stages of the host (ms a file of one worker, medians)")
    for masks in mask_sets(args, work):
        for workers in args.workers or sorted({1, usable_cpus()}):
            _add(table, stages, Runs(masks, workers, work), args.repeats)
    table.notes.append(NOTE)
    stages.notes.append("inflate: with a device, also bringing the scanlines to its batch.")
    yield table
    yield stages


class Runs:
    """Conversions of a set, by the CPU and with the free device."""

    def __init__(self, masks: MaskSet, workers: int, work: Path) -> None:
        self.masks, self.workers, self._work = masks, workers, work
        self._device = FreeDevice()
        self.stages: dict[str, list[Counter[str]]] = {"cpu": [], "free": []}

    def contender(self, kind: str) -> Contender:
        """One conversion."""
        return stopwatch(lambda: self._convert(kind))

    def _convert(self, kind: str) -> None:
        target = Path(tempfile.mkdtemp(dir=self._work))
        rows: list[FileResult] = []
        job = Job.create(str(target), self.masks.palette, ConvertOptions(workers=self.workers))
        feed: Feed[Source] = Feed(Walk(str(self.masks.folder)))

        def add(row: FileResult, line: bytes | None = None) -> None:
            rows.append(row)

        flow: ProcessFlow | BatchedFlow = ProcessFlow(feed, job, add)
        if kind == "free":
            flow = BatchedFlow(feed, job, add, self._device, print)
        run_threads(flow.work, flow.threads, feed.close, lambda: None)
        assert {row.status for row in rows} == {"converted"}
        taken: Counter[str] = Counter()
        for row in rows:
            taken.update(row.seconds)
        self.stages[kind].append(taken)
        shutil.rmtree(target)


def _add(table: Table, stages: Table, runs: Runs, repeats: int) -> None:
    times = interleaved({kind: runs.contender(kind) for kind in runs.stages}, repeats)
    files = len(runs.masks.paths())
    table.add(
        set=runs.masks.name,
        files=files,
        workers=runs.workers,
        cpu__ms_a_file=1e3 * times["cpu"].best / files,
        free_device__ms_a_file=1e3 * times["free"].best / files,
        of_the_best=times["cpu"].best / times["free"].best,
        of_the_medians=times["cpu"].median / times["free"].median,
    )
    for kind, taken in runs.stages.items():
        ms = {
            stage: 1e3 * statistics.median(run[stage] for run in taken[1:] or taken) / files
            for stage in ("read", "inflate", "index", "encode", "write")
        }
        stages.add(set=runs.masks.name, workers=runs.workers, by=kind, **ms)


SCRIPT = Script("ceiling", str(__doc__), run, add_arguments)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
