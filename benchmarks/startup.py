"""What a user waits for before any work is done: whole processes, started anew each time."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from benchmarks.common import (
    ROOT,
    Contender,
    Script,
    Table,
    child_environment,
    interleaved,
    stopwatch,
)
from benchmarks.samples import draw_set

BAR_HELP = 0.15
"""`gpuseg --help`, s."""

BAR_SMALL_RUN = 1.0
"""A conversion of ten small files by a process that finds its kernels compiled, s."""

FILES = 10
HELP, SMALL_RUN = "gpuseg --help", f"gpuseg convert, {FILES} small files, kernels compiled before"
FIRST_RUN = f"gpuseg convert, {FILES} small files, first run: kernels compiled"


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """One table: the time of each command."""
    table = Table("Start-up, whole processes")
    contenders = {
        "python -c pass": _process(["-c", "pass"]),
        "python -c 'import numpy'": _process(["-c", "import numpy"]),
        "python -c 'import gpuseg'": _process(["-c", "import gpuseg"]),
    }
    if find_spec("click") is None:
        table.notes.append("gpuseg's own commands: skipped, click is not installed")
    else:
        contenders |= _gpuseg(work, first_run=not args.tiny)
    times = interleaved(contenders, args.repeats)
    bars = {HELP: BAR_HELP, SMALL_RUN: BAR_SMALL_RUN}
    for name, taken in times.items():
        bar = bars.get(name)
        table.add(
            process=name,
            best__s=taken.best,
            median__s=taken.median,
            runs=taken.runs,
            bar__s=bar,
            met=None if bar is None else taken.median <= bar,
        )
    table.notes.append("Bars are for the medians. One uncounted run of each warms the caches.")
    yield table


def _gpuseg(work: Path, *, first_run: bool) -> dict[str, Contender]:
    masks = draw_set(work / "ten", FILES, (48, 64), 20)
    colours = work / "palette.csv"
    rows = [f"{c.index},{c.name},{c.rgb[0]},{c.rgb[1]},{c.rgb[2]}" for c in masks.palette.classes]
    colours.write_text("\n".join(["index,name,r,g,b", *rows]) + "\n", encoding="utf-8")

    def convert(cache: str) -> float:
        with tempfile.TemporaryDirectory(dir=work) as target:
            flags = ["--palette", str(colours), "--device", "cpu", "--quiet"]
            words = ["-m", "gpuseg", "convert", str(masks.folder), target, *flags]
            return _process(words, NUMBA_CACHE_DIR=cache)()

    def first() -> float:
        with tempfile.TemporaryDirectory(dir=work) as cache:
            return convert(cache)

    warm = str(work / "numba-cache")
    convert(warm)  # compiles: as a warm-up round it would pass for one of the slow contenders
    contenders = {
        HELP: _process(["-m", "gpuseg", "--help"]),
        SMALL_RUN: lambda: convert(warm),
    }
    if first_run:
        contenders[FIRST_RUN] = first
    return contenders


def _process(words: Sequence[str], **environment: str) -> Contender:
    """A contender that runs Python with these words in a process of its own."""

    def work() -> None:
        subprocess.run(
            [sys.executable, *words],
            check=True,
            cwd=ROOT,
            env=child_environment(**environment),
            stdout=subprocess.DEVNULL,
        )

    return stopwatch(work)


SCRIPT = Script("startup", str(__doc__), run)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
