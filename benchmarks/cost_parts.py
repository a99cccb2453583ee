"""What the cost model is made of: parts measured on this machine, and limits that others state."""

from __future__ import annotations

import argparse
import json
import pickle
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter, process_time

import gpuseg
from benchmarks.common import ROOT, child_environment
from benchmarks.conversions import convert
from benchmarks.samples import MaskSet, fill_folder
from gpuseg.discover import Walk, in_shard
from gpuseg.lines import encode_row
from gpuseg.options import Shard
from gpuseg.report_file import ReportWriter
from gpuseg.results import FileResult
from gpuseg.task import REQUESTS

S3 = "AWS, S3 User Guide, Optimizing Amazon S3 performance"

SHARD_FILES = 512
"""Files of a shard under Dask, as `--scheduler` makes them in long runs."""


@dataclass(frozen=True, slots=True)
class Part:
    """One figure. source: how it was measured, or who states it."""

    value: float
    unit: str
    source: str


GIVEN = {
    "put_rate": Part(3500, "1/s a prefix", S3),
    "get_rate": Part(5500, "1/s a prefix, listing included", S3),
    "latency": Part(0.2, "s a request", f"{S3}: 100 to 200 ms for small objects; the upper end"),
    "page": Part(1000, "keys a page", "AWS, S3 API Reference, ListObjectsV2"),
    "network": Part(1.25e9, "B/s a host", "assumed: 10 Gbit/s; give your own"),
    "host_cores": Part(16, "cores a host", "assumed; give your own"),
    "requests": Part(REQUESTS, "files in hand a worker", "gpuseg.task.REQUESTS"),
    "shard_files": Part(SHARD_FILES, "files a shard under Dask", "gpuseg: 64 to 512"),
    "archive_files": Part(10_000, "files an archive", "assumed; give your own"),
    "prefixes": Part(1, "prefixes of the bucket", "assumed: one; S3 divides busy ones in time"),
}
"""What is not measured here; `--given NAME=VALUE:SOURCE` replaces any part."""


def measured(args: argparse.Namespace, work: Path, masks: MaskSet) -> Iterator[tuple[str, Part]]:
    """All parts that can be measured on this machine, by name; without S3 or Dask some lack."""
    count = 40 if args.tiny else 4000
    yield from _files(work, masks)
    yield "walk", _walk(work, count)
    yield "row", _row(work, count)
    yield "merge", _merge(work, count)
    yield "start", _start(work, masks)
    if find_spec("s3fs") and find_spec("moto"):
        yield from _requests(10 if args.tiny else 1000)
    if find_spec("distributed"):
        yield "shard", _shard(8 if args.tiny else 200)


def spent(work: Callable[[], object], times: int, clock: Callable[[], float]) -> float:
    """Seconds that each of so many steps took; the first run of `work` is not counted."""
    work()
    start = clock()
    work()
    return (clock() - start) / times


def _files(work: Path, masks: MaskSet) -> Iterator[tuple[str, Part]]:
    target, first = work / "converted", work / "first"
    files = len(masks.paths())
    shutil.copytree(masks.folder, first, ignore=lambda _, names: sorted(names)[1:])
    one = replace(masks, folder=first)

    def run(chosen: MaskSet) -> float:
        return spent(lambda: convert(chosen, target, workers=1, resume=False), 1, process_time)

    cpu = max(1e-6, run(masks) - run(one)) / (files - 1)  # a run of one: what all have in common
    yield "file", Part(cpu, "s of a core a file", f"{files} files of {masks.name}, one worker")
    sizes = [_bytes(masks.folder), _bytes(target)]
    for name, size in zip(("bytes_in", "bytes_out"), sizes, strict=True):
        yield name, Part(size / files, "B a file", f"{masks.name}")


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*.png"))


def _walk(work: Path, count: int) -> Part:
    folder = fill_folder(work / "empty", count, empty=True)
    shard = Shard(1, 2)

    def run() -> None:
        assert sum(in_shard(source, shard) for source in Walk(str(folder))) < count

    return Part(
        spent(run, count, process_time), "s of a core a file found", f"a folder of {count:,}"
    )


def result_of(number: int) -> FileResult:
    """A result as those of a conversion are."""
    seconds = {"read": 1e-4, "inflate": 1e-4, "index": 1e-4, "encode": 1e-4, "write": 1e-4}
    name = f"train/city/frame_{number:09d}_gtFine_color.png"
    return FileResult(
        source=name, target=name, status="converted", width=480, height=360, format="PNG",
        codec="png", device="cpu", seconds=seconds,
    )  # fmt: skip


def _row(work: Path, count: int) -> Part:
    pairs = [(result, encode_row(result.row())) for result in map(result_of, range(count))]

    def run() -> None:
        with ReportWriter(work / "rows.jsonl", {}) as writer:
            for result, line in pairs:
                writer.add(result, line)

    return Part(
        spent(run, count, process_time), "s of a core a row", "rows that workers have encoded"
    )


def _merge(work: Path, count: int) -> Part:
    for number in (1, 2):
        path = work / f"merged/gpuseg-report-{number}-of-2.jsonl"
        head = {"verb": "convert", "host": "h", "shard": f"{number}/2"}
        head |= {"started": "2026-11-26T00:00:00+00:00", "pattern": None}
        with ReportWriter(path, head) as writer:
            for result in map(result_of, range(count)):
                writer.add(result)
    return Part(
        spent(lambda: gpuseg.merge_reports(work / "merged"), 2 * count, process_time),
        "s of a core a row", "merge-reports of two shards",
    )  # fmt: skip


def _start(work: Path, masks: MaskSet) -> Part:
    one = work / "one"
    one.mkdir()
    (one / "a.png").write_bytes(Path(masks.paths()[0]).read_bytes())
    code = (
        "import sys, pickle, gpuseg; gpuseg.convert_directory(sys.argv[1], sys.argv[2],"
        " pickle.loads(bytes.fromhex(sys.argv[3])), device='cpu', resume=False)"
    )
    palette = pickle.dumps(masks.palette).hex()
    command = [sys.executable, "-c", code, str(one), str(work / "one-out"), palette]

    def run() -> None:
        subprocess.run(command, check=True, cwd=ROOT, env=child_environment())

    return Part(spent(run, 1, perf_counter), "s a process", "a run of one file")


def _apart(what: str, count: int) -> dict[str, float]:
    """What a process of its own measures: drivers and clusters are those of a whole process."""
    done = subprocess.run(
        [sys.executable, "-c", APART, what, str(count)],
        check=True, cwd=ROOT, env=child_environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


APART = "from benchmarks import cost_apart; cost_apart.main()"


def _requests(count: int) -> Iterator[tuple[str, Part]]:
    found = _apart("requests", count)
    source = f"{count:,} of 4 kB, this end of HTTP to a moto server"
    yield "request", Part(found["request"], "s of a core a GET and a PUT", source)
    source = f"{count:,} keys of a moto server"
    yield "listed", Part(found["listed"], "s of a core a key listed", source)


def _shard(count: int) -> Part:
    seconds = _apart("shards", count)["shard"]
    source = f"{count} through a LocalCluster of one process, which knows the results"
    return Part(seconds, "s a shard of 512", source)
