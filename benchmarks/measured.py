"""What was measured of a set end to end, and the tables of that set alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from benchmarks.common import Table, Times
from benchmarks.conversions import Run
from benchmarks.floor import PARTS
from benchmarks.samples import MaskSet

MEMORY, FILES = "codec alone, in memory", "codec alone, files written"
USUAL, TABLE = "usual script", "table script"

AUTO, PILLOW = "gpuseg --codec auto", "gpuseg --codec pillow"
CUDA = "gpuseg --device cuda --codec auto"
VERIFY = f"{AUTO} --verify"
ONE_FILE = f"{AUTO}, one file"

BAR_CODEC = 1.10
"""One worker, Pillow codec: at most this times Pillow's decoding and Z_RLE encoding alone."""

BAR_SCALING = 1.8
"""Two workers, Pillow codec: at least this times as fast as one."""

CONDITIONS = (
    "Files in, files out (`codec alone, in memory` apart, which writes none); the source files "
    "lie in the page cache, kernels are loaded; every run writes into a new folder."
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A contender at a number of workers."""

    name: str
    workers: int

    def __str__(self) -> str:
        return f"{self.name}, {self.workers}"


@dataclass(frozen=True)
class Measured:
    """A set and its times. floor: of each part, none if there is no floor.

    checks: whether each contender wrote the same label maps. runs: what gpuseg's reports say,
    by contender, one worker. written: bytes of gpuseg's files and of Pillow's.
    """

    masks: MaskSet
    times: Mapping[Entry, Times]
    floor: Mapping[str, Times]
    checks: Mapping[str, bool]
    runs: Mapping[str, Sequence[Run]]
    written: tuple[int, int] | None

    @cached_property
    def sizes(self) -> list[int]:
        """Pixels of each file."""
        return self.masks.sizes()

    @property
    def files(self) -> int:
        """How many there are."""
        return len(self.sizes)

    def alone(self, name: str) -> Times | None:
        """Times of a contender with one worker."""
        return self.times.get(Entry(name, 1))

    def floor_seconds(self) -> tuple[float, float] | None:
        """The parts of the floor added up: their best runs, their medians."""
        if not self.floor:
            return None
        parts = [self.floor[part] for part in PARTS]
        return sum(part.best for part in parts), sum(part.median for part in parts)


def times_table(measured: Measured) -> Table:
    """All contenders of a set."""
    pixels = sum(measured.sizes)
    table = Table(f"End to end: {measured.masks.name}")
    ordered = sorted(measured.times.items(), key=lambda item: (item[0].workers, item[1].best))
    for entry, taken in ordered:
        table.add(
            contender=entry.name,
            workers=entry.workers,
            best__ms_a_file=1e3 * taken.best / measured.files,
            median__ms_a_file=1e3 * taken.median / measured.files,
            speed__files_per_s=measured.files / taken.best,
            speed__Mpx_per_s=pixels / taken.best / 1e6,
            runs=taken.runs,
            same_labels=measured.checks.get(entry.name),
        )
    table.notes += [measured.masks.describe(), CONDITIONS]
    return table


def pillow_bars(measured: Measured, most: int) -> Table:
    """The Pillow codec against Pillow alone, two workers against one, scripts against gpuseg.

    most: the largest number of workers.
    """
    table = Table(f"Bars: {measured.masks.name}")
    times = measured.times
    ours = [name for name in {entry.name: None for entry in times} if name.startswith("gpuseg")]
    for reference in (MEMORY, FILES):
        pair = measured.alone(PILLOW), measured.alone(reference)
        add_bar(table, f"{PILLOW} / {reference}, 1 worker", pair, f"≤ {BAR_CODEC:.2f}")
    for name in [*ours, FILES]:
        pair = times.get(Entry(name, 1)), times.get(Entry(name, 2))
        bar = f"≥ {BAR_SCALING}" if name == PILLOW else None
        add_bar(table, f"{name}: 1 worker / 2 workers", pair, bar)
    for name in ours:
        for script in (USUAL, TABLE):
            pair = times.get(Entry(script, most)), times.get(Entry(name, most))
            add_bar(table, f"{script} / {name}, {most} workers", pair, None)
    table.notes.append("Ratios of times taken in this one run, of the best and of the medians.")
    return table


def add_bar(
    table: Table, ratio: str, pair: tuple[Times | None, Times | None], bar: str | None
) -> None:
    """A row with the ratio of two times, if both were taken, and whether it meets its bar."""
    above, below = pair
    if above is not None and below is not None:
        best, median = above.best / below.best, above.median / below.median
        table.add(
            ratio=ratio, of_the_best=best, of_the_medians=median, bar=bar, met=is_met(best, bar)
        )


def is_met(value: float, bar: str | None) -> bool | None:
    """Whether a value meets a bar like `≤ 1.10`; None without one."""
    if bar is None:
        return None
    limit = float(bar[2:])
    return value <= limit if bar.startswith("≤") else value >= limit
