"""From measured parts to 10⁸ files: how long they take, what saturates first, and at what rate."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.common import Script, Table, positive
from benchmarks.cost_formula import WAYS, Values, Way, core_seconds, limit, seconds_by, unit_files
from benchmarks.cost_parts import GIVEN, Part, measured
from benchmarks.cost_simulation import simulate
from benchmarks.samples import draw_small

CORES = (2, 16, 128, 1024, 8192)

BAR = "0.9 to 1.1"
"""Simulation by formula where a run is long against its shards."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The script's own flags."""
    parser.add_argument(
        "--files", type=positive, default=10**8, help="of the dump (default: 100,000,000)"
    )
    parser.add_argument(
        "--parts", type=Path, metavar="FILE", help="take measured parts from an earlier --json"
    )
    parser.add_argument(
        "--given", type=given, action="append", default=[], metavar="NAME=VALUE:SOURCE",
        help="a part of yours, and where it comes from; again for more",
    )  # fmt: skip


def given(text: str) -> tuple[str, Part]:
    """`latency=0.05:measured from our region`."""
    name, _, rest = text.partition("=")
    value, _, source = rest.partition(":")
    known = {*GIVEN, *MEASURED}
    if name not in known or not source.strip():
        raise argparse.ArgumentTypeError(
            f"must be NAME=VALUE:SOURCE with one of {', '.join(sorted(known))}, got {text!r}"
        )
    return name, Part(float(value), UNITS[name], source.strip())


MEASURED = {
    "file": "s of a core a file",
    "bytes_in": "B a file",
    "bytes_out": "B a file",
    "walk": "s of a core a file found",
    "row": "s of a core a row",
    "merge": "s of a core a row",
    "start": "s a process",
    "request": "s of a core a GET and a PUT",
    "listed": "s of a core a key listed",
    "shard": "s a shard of 512",
}
"""Parts that are measured, and their units."""

_POWERS = [1 << power for power in range(18)]

UNITS = {**{name: part.unit for name, part in GIVEN.items()}, **MEASURED}

PARTS = "Parts"


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """Parts; times; where each way saturates; the simulation beside the formula."""
    parts = dict(GIVEN)
    if args.parts is not None:
        parts |= read_parts(args.parts)
    else:
        parts |= dict(measured(args, work, draw_small(work, tiny=args.tiny)))
    parts |= dict(args.given)
    table = Table(PARTS)
    for name, part in parts.items():
        table.rows.append(
            {"part": name, "value": part.value, "unit": part.unit, "source": part.source}
        )
    yield table
    values = {name: part.value for name, part in parts.items()}
    ways = [way for way in WAYS if way.needs <= set(values)]
    yield _times(ways, args.files, values)
    yield _saturation(ways, values)
    yield _merging(args.files, values)
    yield _played(ways, values, args.tiny)


def read_parts(path: Path) -> dict[str, Part]:
    """The parts that an earlier run saved."""
    tables = json.loads(path.read_text(encoding="utf-8"))["tables"]
    (rows,) = [table["rows"] for table in tables if table["title"] == PARTS]
    return {row["part"]: Part(row["value"], row["unit"], row["source"]) for row in rows}


def _times(ways: list[Way], files: int, values: Values) -> Table:
    table = Table(f"{files:,} files")
    for way in ways:
        for cores in CORES:
            name, seconds = limit(way, files, cores, values)
            busy = core_seconds(way, files, cores, values) / seconds
            table.add(
                way=way.name, cores=cores, time__h=seconds / 3600,
                rate__files_per_s=files / seconds, limit=name, cores_at_work__pct=100 * busy,
            )  # fmt: skip
    missing = [way.name for way in WAYS if way not in ways]
    if missing:
        table.notes.append(f"left out, for s3fs, moto or distributed is missing: {missing}")
    return table


def _saturation(ways: list[Way], values: Values) -> Table:
    """For each way the most cores that are worth it, and the rates that its parts allow there."""
    table = Table("Where each way saturates")
    files = 1e8
    for way in ways:
        rates = {cores: files / limit(way, files, cores, values)[1] for cores in _POWERS}
        best = min(cores for cores in _POWERS if rates[cores] > 0.9 * max(rates.values()))
        for name, seconds in sorted(
            seconds_by(way, files, best, values).items(), key=lambda item: -item[1]
        ):
            table.add(way=way.name, cores=best, part=name, allows__files_per_s=files / seconds)
    table.notes.append(
        "cores: the fewest, doubling from 1, that come within 10 % of the most that a way gives; "
        "the part that comes first is what saturates."
    )
    return table


def _merging(files: int, values: Values) -> Table:
    table = Table("merge-reports afterwards")
    table.add(files=files, time__h=files * values["merge"] / 3600)
    return table


def _played(ways: list[Way], values: Values, tiny: bool) -> Table:
    table = Table("The simulation beside the formula")
    for way in ways:
        if way.engine != "dask":
            continue
        for cores in (2, 128) if tiny else (2, 16, 128, 1024):
            shards = cores * (8 if tiny else 100)
            files = shards * unit_files(way, values)
            name, seconds = limit(way, files, cores, values)
            played = simulate(way, shards, cores, values)
            table.add(
                way=way.name, cores=cores, shards=shards, limit=name, formula__s=seconds,
                simulated__s=played, simulated_by_formula=played / seconds, expected=BAR,
            )  # fmt: skip
    table.notes.append(
        "Shards take 0.75 to 1.25 times the mean; 100 a core, so that the last ones weigh little."
    )
    return table


SCRIPT = Script("cost_model", __doc__ or "", run, add_arguments)

if __name__ == "__main__":
    sys.exit(SCRIPT.main())
