"""Peak memory of a conversion against the number of files: it must not grow with the dump."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

from benchmarks.common import ROOT, Script, Table, child_environment
from benchmarks.samples import fill_folder, voc_palette
from gpuseg.convert import convert_directory
from gpuseg.discover import Walk, count_sources
from gpuseg.options import Shard

BOUND = (
    "The bound: 8 bytes a name of the largest single folder, three times over while they are "
    "sorted, and nothing else that grows with the number of files. The report is written row by "
    "row; counts are kept, rows are not."
)

MEASURED = (
    "Peak resident memory of a process of its own; `before`: numba not loaded yet, no file seen."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The script's own flags; `--child` is what it calls itself with."""
    parser.add_argument("--files", type=int, nargs="+", default=[1_000, 20_000])
    parser.add_argument("--names", type=int, nargs="+", default=[1_000, 200_000])
    parser.add_argument("--child", nargs=2, metavar=("WHAT", "DIR"), help=argparse.SUPPRESS)


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """Two tables: converting, and only finding the files."""
    if args.tiny:
        args.files, args.names = [20, 60], [100, 300]
    if find_spec("resource") is None:
        yield Table("Peak memory", notes=["skipped: this system has no resource.getrusage"])
        return
    yield growth("Converting small files (64×48 px)", "convert", args.files, work)
    yield growth("Finding files in one folder, names only", "find", args.names, work)


def growth(title: str, what: str, counts: list[int], work: Path) -> Table:
    """Peak memory of one process for each number of files."""
    table = Table(title)
    peaks = []
    for count in counts:
        folder = fill_folder(work / f"{what}-{count}", count, empty=what == "find")
        result = _child(what, folder)
        if result["files"] != count:
            raise SystemExit(f"{what}: expected {count} files, got {result['files']}")
        peaks.append(result["peak"])
        table.add(
            files=count,
            time__s=result["seconds"],
            before__MiB=result["before"] / 2**20,
            peak__MiB=result["peak"] / 2**20,
            bytes_for_each_more=(peaks[-1] - peaks[0]) / max(1, count - counts[0]),
        )
    table.notes += [BOUND, MEASURED]
    return table


def _child(what: str, folder: Path) -> dict[str, Any]:
    words = [sys.executable, "-m", "benchmarks.memory", "--child", what, str(folder)]
    done = subprocess.run(
        words, check=True, cwd=ROOT, env=child_environment(), capture_output=True, text=True
    )
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def peak_memory() -> int:
    """Most resident memory this process ever had, bytes."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def child(what: str, folder: str) -> dict[str, Any]:
    """Convert or find the files of a folder; what it took."""
    palette = voc_palette(20)
    before, start = peak_memory(), perf_counter()
    if what == "convert":
        report = convert_directory(folder, f"{folder}-out", palette, device="cpu", workers=2)
        files = report.files["converted"]
    else:
        files = count_sources(Walk(str(folder)), Shard())
    seconds = perf_counter() - start
    return {"files": files, "seconds": seconds, "before": before, "peak": peak_memory()}


SCRIPT = Script("memory", str(__doc__), run, add_arguments)


def main() -> int:
    """The script, or one of the processes that it measures."""
    if "--child" in sys.argv[1:]:
        what, folder = sys.argv[sys.argv.index("--child") + 1 :]
        print(json.dumps(child(what, folder)))
        return 0
    return SCRIPT.main()


if __name__ == "__main__":
    sys.exit(main())
