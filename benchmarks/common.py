"""What all benchmarks share: facts about the machine, timing, tables, the command line."""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import os
import platform
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from time import perf_counter
from typing import Any

from PIL import features

from benchmarks.disks import file_system
from gpuseg import __version__
from gpuseg.options import usable_cpus

PACKAGES = (
    "numpy",
    "numba",
    "pillow",
    "zlib-ng",
    "opencv-python-headless",
    "cupy-cuda12x",
    "cupy-cuda13x",
)

ROOT = Path(__file__).resolve().parent.parent
"""The checkout: child processes start here, so that gpuseg need not be installed."""


@dataclass(slots=True)
class Table:
    """One table of results. rows: column title (with its unit) -> value, alike in all rows."""

    title: str
    rows: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def add(self, **cells: Any) -> None:
        """Add a row; `__` in a name stands for a blank and a unit: time__ms -> time (ms)."""
        self.rows.append({_column(name): value for name, value in cells.items()})

    def markdown(self) -> str:
        """The table as Markdown: title, rows, notes."""
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        lines = [f"### {self.title}", ""]
        if columns:
            lines.append(f"| {' | '.join(columns)} |")
            lines.append(f"|{'---|' * len(columns)}")
        lines += [f"| {' | '.join(cell(row.get(n)) for n in columns)} |" for row in self.rows]
        lines += ["", *(f"- {note}" for note in self.notes)]
        return "\n".join(lines).rstrip() + "\n"

    def as_dict(self) -> dict[str, Any]:
        """The table for JSON."""
        return {"title": self.title, "rows": self.rows, "notes": self.notes}


def _column(name: str) -> str:
    title, _, unit = name.partition("__")
    title = title.replace("_", " ")
    unit = unit.replace("_per_", "/").replace("_", " ").replace("pct", "%")
    return f"{title} ({unit})" if unit else title


def cell(value: object) -> str:
    """A value as the text of a Markdown cell; floats with three digits that count."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float) and 0 < abs(value) < 0.001:
        return f"{value:.3g}"
    if isinstance(value, float):
        whole = len(str(int(abs(value)))) if abs(value) >= 1 else 0
        return f"{value:,.{max(0, 3 - whole)}f}"
    return str(value).replace("|", "\\|").replace("\n", " ")


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds of each run of one contender."""

    seconds: tuple[float, ...]

    @property
    def best(self) -> float:
        """The fastest run, s: what the work costs when nothing disturbs it."""
        return min(self.seconds)

    @property
    def median(self) -> float:
        """The run in the middle, s."""
        return statistics.median(self.seconds)

    @property
    def runs(self) -> int:
        """How many runs were counted."""
        return len(self.seconds)


Contender = Callable[[], float]
"""Does its work once and returns the seconds that it took."""


def stopwatch(work: Callable[[], object]) -> Contender:
    """A contender that times all of `work`."""

    def run() -> float:
        start = perf_counter()
        work()
        return perf_counter() - start

    return run


def in_fresh_folder(parent: Path, work: Callable[[Path], object]) -> Contender:
    """A contender that writes into a new folder each time; making and removing it is not timed."""

    def run() -> float:
        folder = Path(tempfile.mkdtemp(dir=parent))
        try:
            return stopwatch(lambda: work(folder))()
        finally:
            shutil.rmtree(folder)

    return run


def interleaved(
    contenders: Mapping[str, Contender], repeats: int, slow: float = 5.0
) -> dict[str, Times]:
    """Times of all contenders, run in turn so that a disturbance hits them alike.

    A first round warms caches and is not counted, except for contenders that took more than
    `slow` seconds in it: these are not run again. Each round starts with another contender.
    """
    warm_up = {name: run() for name, run in contenders.items()}
    seconds: dict[str, list[float]] = {n: [s] if s > slow else [] for n, s in warm_up.items()}
    again = [name for name, taken in seconds.items() if not taken]
    for turn in range(repeats):
        for i in range(len(again)):
            name = again[(i + turn) % len(again)]
            seconds[name].append(contenders[name]())
    return {name: Times(tuple(taken)) for name, taken in seconds.items()}


def machine(work: Path | None = None) -> dict[str, str]:
    """What the figures depend on: processor, Python, packages, zlib, the disk of `work`."""
    facts = {
        "processor": _processor(),
        "usable processors": str(usable_cpus()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": sys.version.split()[0],
        "gpuseg": __version__,
        "zlib under Pillow": str(features.version("zlib")),
        "file system of the work folder": file_system(work or Path(tempfile.gettempdir())),
    }
    if hasattr(os, "getloadavg"):
        facts["load average at the start"] = f"{os.getloadavg()[0]:.2f}"
    for package in PACKAGES:
        try:
            facts[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return facts


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace")
    except OSError:  # macOS, Windows
        return platform.processor() or platform.machine()
    names = (line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line)
    return next(names, platform.machine())


def facts_line(facts: Mapping[str, str]) -> str:
    """The facts as one paragraph of Markdown."""
    return ", ".join(f"{name} {value}" for name, value in facts.items())


@dataclass(frozen=True, slots=True)
class Script:
    """A benchmark: `run` yields its tables one by one; `work` is a folder that it may fill."""

    name: str
    about: str
    run: Callable[[argparse.Namespace, Path], Iterator[Table]]
    add_arguments: Callable[[argparse.ArgumentParser], None] = lambda parser: None

    def parser(self) -> argparse.ArgumentParser:
        """The script's command line."""
        parser = argparse.ArgumentParser(
            prog=f"python -m benchmarks.{self.name}", description=self.about
        )
        parser.add_argument("--tiny", action="store_true", help="tiny inputs: proves it runs")
        parser.add_argument("--json", type=Path, metavar="FILE", help="write the results here")
        parser.add_argument(
            "--repeats", type=positive, default=7, help="counted runs of each contender"
        )
        parser.add_argument(
            "--work", type=Path, metavar="DIR", help="where temporary folders are made"
        )
        self.add_arguments(parser)
        return parser

    def main(self, argv: Sequence[str] | None = None) -> int:
        """Run from the command line: print and save each table as soon as it is there."""
        args = self.parser().parse_args(argv)
        if args.tiny:
            args.repeats = min(args.repeats, 2)
        for stream in (sys.stdout, sys.stderr):
            if hasattr(stream, "reconfigure"):  # a pipe on Windows may not know our signs
                stream.reconfigure(errors="replace")
        facts = machine(args.work)
        print(f"## {self.name}\n\n{facts_line(facts)}\n", flush=True)
        tables: list[Table] = []
        with tempfile.TemporaryDirectory(prefix="gpuseg-benchmark-", dir=args.work) as work:
            for table in self.run(args, Path(work)):
                tables.append(table)
                print(table.markdown(), flush=True)
                if args.json is not None:
                    save_json(args.json, self.name, facts, tables)
        return 0


def save_json(path: Path, name: str, facts: Mapping[str, str], tables: Iterable[Table]) -> None:
    """Write what there is so far; whoever cuts the run keeps the tables that were finished."""
    data = {"benchmark": name, "machine": facts, "tables": [t.as_dict() for t in tables]}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(data, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def child_environment(**changes: str) -> dict[str, str]:
    """The environment of a child process that imports gpuseg and benchmarks from the checkout."""
    paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **changes}


def positive(text: str) -> int:
    """An argument that is a whole number from 1."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1, got {value}")
    return value
