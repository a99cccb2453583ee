"""The coordinator's memory: a whole run over a listing that nobody holds.

The listing is made up key by key in place of `storage.entries`, the task does nothing with a
file; all between them is the run's own: collisions, shards, feed, flow, worker processes, the
rows of the report.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any
from unittest.mock import patch

from benchmarks.common import ROOT, Table, child_environment
from benchmarks.memory import peak_memory
from gpuseg import runs, storage
from gpuseg.answers import Entry
from gpuseg.discover import Source
from gpuseg.listings import Listing
from gpuseg.options import ReadOptions, Shard
from gpuseg.results import FileResult

BAR = 200
"""MB that a plan of 5,000,000 listed files may take more than one of 50,000."""

FEW, MANY = 50_000, 5_000_000

_COMMAND = "import sys; from benchmarks.scale_memory import main; main(*sys.argv[1:])"
"""Imported, for worker processes know no task of a main module."""

NOTE = (
    "Peak resident memory of the process that lists, plans and writes the report, bytes on disk "
    "not counted; its worker processes are not in it."
)


@dataclass(frozen=True, slots=True)
class Nothing:
    """A task that does nothing with a file, as `convert` tells of it."""

    options: ReadOptions

    def run(self, source: Source) -> FileResult:
        """The row of a file that was converted."""
        return FileResult(
            source=source.relative, target=source.target, status="converted",
            width=480, height=360, format="PNG", codec="png", seconds={"read": 1e-4, "index": 1e-4},
        )  # fmt: skip


def tables(few: int, many: int, work: Path) -> Iterator[Table]:
    """Peaks of both listings, by each way that a job is divided."""
    table = Table("Memory of the coordinator against the files that are listed", notes=[NOTE])
    if find_spec("resource") is None:
        table.notes.append("skipped: this system has no resource.getrusage")
        yield table
        return
    ways: dict[str, dict[str, Any]] = {"whole job": {}, "one shard of 8": {"shard": "1/8"}}
    if "scheduler" in {field.name for field in fields(ReadOptions)} and find_spec("distributed"):
        ways["Dask, local:2"] = {"scheduler": "local:2"}
    for way, options in ways.items():
        small, large = (_apart(count, options, work) for count in (few, many))
        growth = (large["peak"] - small["peak"]) / 1e6
        for found in (small, large):
            table.add(
                way=way,
                files_listed=found["listed"],
                rows=found["rows"],
                time__s=found["seconds"],
                peak__MB=found["peak"] / 1e6,
                more__MB=growth if found is large else None,
                bar__MB=f"< {BAR}" if found is large else None,
                met=growth < BAR if found is large else None,
            )
    yield table


def _apart(count: int, options: dict[str, Any], work: Path) -> dict[str, Any]:
    """One run in a process of its own."""
    words = [sys.executable, "-c", _COMMAND, str(count), json.dumps(options)]
    done = subprocess.run(
        [*words, str(work / "report.jsonl")], check=True, cwd=ROOT, env=child_environment(),
        stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def entries(count: int) -> Iterator[Entry]:
    """So many keys, sorted as S3 sorts them, a thousand in each folder."""
    for i in range(count):
        key = f"scene-{i // 1000:06d}/mask_{i % 1000:04d}_labels.png"
        yield Entry(f"s3://dump/in/{key}", key, 5000, 1_700_000_000_000_000_000, f"{i:032x}")


def run(count: int, options: dict[str, Any], report: str) -> dict[str, Any]:
    """Plan and report a run over a listing; what it took."""
    if "shard" in options:
        options["shard"] = Shard.parse(options["shard"])
    if "scheduler" not in options:
        options["workers"] = 2
    start = perf_counter()
    with patch.object(storage, "entries", lambda url, at_once=1000: entries(count)):
        done = runs.look(
            Listing("s3://dump/in"), Nothing(ReadOptions(**options)), verb="stats", report=report
        )
    seconds = perf_counter() - start
    with Path(report).open("rb") as file:
        rows = sum(1 for _ in file) - 2  # but its first and last
    if rows != done.files["converted"] or ("shard" not in options and rows != count):
        raise SystemExit(f"expected a row for each of {count:,} files, got {rows:,}")
    return {"listed": count, "rows": rows, "seconds": seconds, "peak": peak_memory()}


def main(count: str, options: str, report: str) -> None:
    """The process that is measured."""
    print(json.dumps(run(int(count), json.loads(options), report)))
