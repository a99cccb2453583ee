"""What a GPU could gain at most on this machine: a device whose work takes no time."""

from __future__ import annotations

import argparse
import shutil
import statistics
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import Contender, Script, Table, interleaved, positive, stopwatch
from benchmarks.free_device import FreeDevice
from benchmarks.samples import MaskSet, add_set_arguments, mask_sets
from gpuseg.batched import BatchedFlow
from gpuseg.codecs.png import read_scanlines
from gpuseg.discover import Source, Walk
from gpuseg.kernels.copying import copy_past_caches
from gpuseg.options import DEFAULT_MAX_PIXELS, ConvertOptions, usable_cpus
from gpuseg.pipeline import Conversion
from gpuseg.plan import Job
from gpuseg.pool import Feed, run_threads
from gpuseg.processes import ProcessFlow
from gpuseg.results import FileResult

NOTE = (
    "free device: the batched flow with a device that hands out label maps that it knows "
    "already. The host reads, inflates, deflates and writes as it does for a GPU; where a GPU "
    "copies by itself, the free device takes a copy's time of a core. A real device is slower "
    "than this one."
)

BATCHES = 1 << 26
"""Bytes of memory that scanlines are brought to, over and over: more than the caches hold."""

SAMPLE = 24
"""Files of a set that are inflated for that."""

Copy = Callable[[NDArray[np.uint8], NDArray[np.uint8]], object]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The script's own flags."""
    add_set_arguments(parser)
    parser.add_argument("--workers", type=positive, nargs="+", metavar="N")


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """Times over all sets, then the stages, then how scanlines come to a batch."""
    table = Table("The CPU, and the same host with a device that takes no time")
    stages = Table("Stages of the host (ms a file of one worker, medians)")
    copies = Table("Inflating into a batch, one thread (ms a file)")
    for masks in mask_sets(args, work):
        _add_copies(copies, masks, args.repeats)
        for workers in args.workers or sorted({1, usable_cpus()}):
            _add(table, stages, Runs(masks, workers, work), args.repeats)
    table.notes.append(NOTE)
    stages.notes.append("inflate: with a device, also bringing the scanlines to its batch.")
    copies.notes.append(
        "inflate alone: nothing is kept. plain copy: NumPy's; past the caches: as the flow does."
    )
    yield table
    yield stages
    yield copies


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

        flow: ProcessFlow | BatchedFlow = ProcessFlow(feed, Conversion(job), add)
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


def _add_copies(table: Table, masks: MaskSet, repeats: int) -> None:
    ways: dict[str, Copy] = {
        "inflate_alone": lambda source, target: None,
        "plain_copy": lambda source, target: np.copyto(target, source),
        "past_the_caches": copy_past_caches,
    }
    memory = np.zeros(BATCHES, np.uint8)
    paths = masks.paths()[:SAMPLE]
    contenders = {
        name: stopwatch(partial(_inflate, paths, memory, way)) for name, way in ways.items()
    }
    times = interleaved(contenders, repeats)
    each = {f"{name}__ms": 1e3 * taken.best / len(paths) for name, taken in times.items()}
    table.add(set=masks.name, files=len(paths), **each)


def _inflate(paths: list[str], memory: NDArray[np.uint8], copy: Copy) -> None:
    at = 0
    for path in paths:
        for block in read_scanlines(path, DEFAULT_MAX_PIXELS).inflate():
            if at + len(block) > memory.size:
                at = 0
            copy(np.frombuffer(block, np.uint8), memory[at : at + len(block)])
            at += len(block)


SCRIPT = Script("ceiling", str(__doc__), run, add_arguments)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
