"""How a run went, for a page: what ran, what it made, and where the time went."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, get_args

from gpuseg.kinds import Kind
from gpuseg.pages.gathered import Gathered, Run
from gpuseg.pages.html import duration
from gpuseg.report_reading import Row, number, numbers, text, texts, whole
from gpuseg.results import WRONG, Status, count

MAX_RUNS = 64
"""Reports that a page lists one by one."""

MAX_ROWS = 200
"""Failures, and warnings, that a page spells out in all."""

MAX_LOG = 20
"""Messages of the log that a page shows."""

_MEANINGS = {
    0: "all well",
    1: "some file is wrong, or nothing was found",
    2: "wrong usage",
    130: "interrupted",
}
"""Of exit codes."""

STAGES = ("read", "decode", "inflate", "upload", "index", "download", "make", "encode", "write")
"""Stages in the order of the work; others follow by name."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A number that is seen first. state: `good`, `bad` or nothing."""

    title: str
    value: str
    note: str = ""
    state: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """Seconds of one stage, over all files and threads. start, length: of 0 to 100 of the bar."""

    name: str
    number: int
    seconds: float
    share: float
    start: float
    length: float


@dataclass(frozen=True, slots=True)
class RunRow:
    """One report of several."""

    name: str
    started: str
    files: int
    seconds: float | None
    end: str


@dataclass(frozen=True, slots=True)
class Group:
    """Rows of one kind. rows: (source, message); more: those that are not shown."""

    kind: str
    count: int
    rows: tuple[tuple[str, str], ...]
    more: int


@dataclass(frozen=True, slots=True)
class Summary:
    """How the run went. facts: (name, values). remarks: what must not be overlooked."""

    title: str
    verb: str
    version: str
    started: str
    tiles: tuple[Tile, ...]
    facts: tuple[tuple[str, tuple[str, ...]], ...]
    remarks: tuple[str, ...]
    stages: tuple[Stage, ...]
    runs: tuple[RunRow, ...]
    more_runs: int


def summary(gathered: Gathered, title: str) -> Summary:
    """What reports say of the run. title: what the page is about."""
    head = gathered.head
    runs = _runs(gathered)
    return Summary(
        title=title,
        verb=text(head, "verb"),
        version=text(head, "gpuseg"),
        started=_time(text(head, "started")),
        tiles=tuple(_tiles(gathered)),
        facts=tuple(_facts(gathered)),
        remarks=tuple(_remarks(gathered)),
        stages=_stages(gathered),
        runs=tuple(runs[:MAX_RUNS]) if len(runs) > 1 else (),
        more_runs=max(0, len(runs) - MAX_RUNS),
    )


def groups(kinds: dict[str, Kind]) -> tuple[Group, ...]:
    """Failures or warnings by kind, the most frequent first, each with a fair part of the rows."""
    fair = max(1, MAX_ROWS // max(1, len(kinds)))
    order = sorted(kinds.items(), key=lambda item: (-item[1].count, item[0]))
    return tuple(
        Group(name, kind.count, tuple(kind.rows[:fair]), kind.count - len(kind.rows[:fair]))
        for name, kind in order
    )


def _tiles(gathered: Gathered) -> Iterator[Tile]:
    """Only what there is, but always whether something failed."""
    if not gathered.runs:
        return
    for status in get_args(Status):
        if gathered.files[status] and status not in WRONG:
            yield Tile(status, f"{gathered.files[status]:,}", "files")
    for status in sorted(WRONG - {"failed"}):
        if gathered.files[status]:
            yield Tile(status, f"{gathered.files[status]:,}", "files", "bad")
    failed = gathered.files["failed"]
    yield Tile("failed", f"{failed:,}", "files", "bad" if failed else "good")
    if gathered.unknown_pixels:
        note = f"pixels in {count(gathered.files_with_unknown, 'file')}"
        yield Tile("unknown colours", _short(gathered.unknown_pixels), note, "bad")
    if gathered.pixels:
        yield Tile("pixels", _short(gathered.pixels), "in the files made or read")
    wall = gathered.wall
    if wall:
        runs = len(_runs(gathered))
        several = f"in {runs:,} runs" if runs > 1 else "from begin to end"
        yield Tile("time", duration(wall), several)
        done = gathered.files.total() - gathered.failed - gathered.files["unchanged"]
        if wall >= 0.1 and done > 0:
            speed = f"{gathered.pixels / wall / 1e6:,.0f} Mpx/s"
            yield Tile("rate", f"{done / wall:,.0f}", f"files/s, {speed}")


def _facts(gathered: Gathered) -> Iterator[tuple[str, tuple[str, ...]]]:
    head = gathered.head
    for name, key in (("From", "src"), ("To", "dst"), ("Palette", "palette")):
        if text(head, key):
            yield name, (text(head, key),)
    merged = texts(head, "merged_classes")
    if merged:
        yield "Merged classes", merged
    device = " · ".join(filter(None, (text(head, "backend"), text(head, "reason"))))
    if device:
        yield "Device", (device,)
    options = tuple(_options(head.get("options")))
    if options:
        yield "Options", options
    ends = {_end(run) for run in gathered.runs}
    if ends:
        yield "Exit code", tuple(sorted(ends))
    left = gathered.left_alone
    if left:
        order = sorted(left.items(), key=lambda item: (-item[1], item[0]))
        yield "Left alone", tuple(f"{suffix or 'no suffix'} {n:,}" for suffix, n in order)
    log = gathered.log
    if log.count:
        shown = tuple(message for _, message in log.rows[:MAX_LOG])
        yield (
            "Log",
            (*shown, *([f"… and {log.count - MAX_LOG:,} more"] if log.count > MAX_LOG else [])),
        )


def _options(options: Any) -> Iterator[str]:
    """What was asked for; what has no value is left out."""
    for name, value in list(options.items())[:32] if isinstance(options, dict) else ():
        if isinstance(name, str) and isinstance(value, str | int | float):
            told = ("no", "yes")[value] if isinstance(value, bool) else str(value)
            yield f"{name}: {told}"[:200]


def _remarks(gathered: Gathered) -> Iterator[str]:
    if not gathered.runs:
        yield "There is no report of a run: give one with --run to see how the files were made."
    for run in gathered.runs[:MAX_RUNS]:
        where = f"{run.path.name}: " if len(gathered.runs) > 1 else ""
        if run.end is None:
            yield (
                f"{where}The report has no end: the run is still under way, or was killed. "
                "The same command goes on where it stopped."
            )
            continue
        stopped = text(run.end, "stopped")
        if stopped:
            yield f"{where}Stopped early ({stopped}): the remaining files were not looked at."
        if text(run.end, "problem"):
            yield f"{where}The report is incomplete: {text(run.end, 'problem')}"
        if text(run.end, "remark"):
            yield f"{where}{text(run.end, 'remark')}"
    if len({_meaning(run) for run in gathered.runs}) > 1:
        yield "The reports differ in verb, palette or ignore index: the page shows the first one's."
    if gathered.unreadable:
        yield (
            f"{gathered.unreadable:,} lines of the report are no rows of ours and were not "
            "counted: it may have been cut off or changed."
        )


def _meaning(run: Run) -> str:
    """What label maps of a run mean."""
    keys = ("verb", "palette", "ignore_index", "class_table", "merged_table")
    return repr([run.head.get(key) for key in keys])


def _stages(gathered: Gathered) -> tuple[Stage, ...]:
    total = sum(gathered.seconds.values())
    known = [name for name in STAGES if gathered.seconds[name]]
    others = sorted(
        name for name, value in gathered.seconds.items() if value and name not in STAGES
    )
    stages, start = [], 0.0
    for n, name in enumerate([*known, *others]):
        seconds = float(gathered.seconds[name])
        share = seconds / total
        stages.append(Stage(name, n % 10, seconds, share, round(start, 3), round(100 * share, 3)))
        start += 100 * share
    return tuple(stages)


def _runs(gathered: Gathered) -> list[RunRow]:
    """The runs of the reports; of a merged one those that it was made from."""
    found = []
    for run in gathered.runs:
        merged = (run.end or {}).get("runs")
        if isinstance(merged, list):
            found += [_merged_row(entry) for entry in merged if isinstance(entry, dict)]
        else:
            end = run.end
            found.append(_run_row(run.path.name, run.head, end, end is not None))
    return found


def _merged_row(entry: Row) -> RunRow:
    host = text(entry, "host")
    name = text(entry, "report") + (f" ({host})" if host else "")
    return _run_row(name, entry, entry, entry.get("exit_code") is not None)


def _run_row(name: str, head: Row, end: Row | None, is_over: bool) -> RunRow:
    return RunRow(
        name=name,
        started=_time(text(head, "started")),
        files=int(sum(numbers(end or {}, "files").values())),
        seconds=number(end or {}, "seconds") if is_over else None,
        end=_meaning_of(whole(end or {}, "exit_code")) if is_over else "not ended",
    )


def _end(run: Run) -> str:
    return "not ended" if run.end is None else _meaning_of(whole(run.end, "exit_code"))


def _meaning_of(code: int) -> str:
    return f"{code} ({_MEANINGS[code]})" if code in _MEANINGS else str(code)


def _time(started: str) -> str:
    """`2026-11-26T01:12:09+00:00` as `2026-11-26 01:12 UTC`."""
    if started.endswith("+00:00") and len(started) in (25, 29):  # with milliseconds or without
        return f"{started[:10]} {started[11:16]} UTC"
    return started


def _short(value: int) -> str:
    """A number as people read it at a glance: 7.4 M."""
    for size, unit in ((10**12, "T"), (10**9, "G"), (10**6, "M")):
        if value >= size:
            return (
                f"{value / size:.3g} {unit}"
                if value < 999.5 * size
                else f"{value // size:,} {unit}"
            )
    return f"{value:,}"
