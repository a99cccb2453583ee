"""The bars of the direct path, each a table over all sets: what `end_to_end` prints last."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator, Sequence

from benchmarks.common import Table
from benchmarks.measured import AUTO, CUDA, ONE_FILE, PILLOW, VERIFY, Entry, Measured, is_met

BAR_MEAN = "≥ 6"
"""Pillow codec by direct path, one worker: geometric mean over all sets."""

BAR_EACH = "≥ 3"
"""The same for each set,"""

BAR_LARGE, LARGE = "≥ 8", 2_000_000
"""and for sets whose images all have at least 2 Mpx."""

BAR_FLOOR = "≤ 1.6"
"""Direct path, one worker, by the sum of the floor's parts."""

BAR_PYTHON = "≤ 0.2"
"""Milliseconds a file that are no stage."""

BAR_BYTES = "≤ 1.05"
"""Bytes of the label maps by what Pillow's defaults make of them, on real masks."""

BAR_CUDA = "≥ 2"
"""CPU by device, as many workers: sets whose images all have at least 2 Mpx."""

RATIOS = "Ratios of times taken in this one run, of the best and of the medians; one worker."

FLOOR = (
    "Floor: reading the files, inflating, one copy of the scanlines, deflating the scanlines of "
    "the label maps, writing them to temp names and renaming; each part alone in a loop over all "
    "files, then added up."
)

STAGES = (
    "Stages of gpuseg as its report has them. read: also the decision whether the file is up to "
    "date, the chunks and their checksums; encode: choosing and applying row filters, deflating; "
    "write: also making the folder ready, once; decode: files that the Pillow codec had to read. "
    "rest: all that is no stage of any file, Python and the start of the run."
)


def bar_tables(found: Sequence[Measured]) -> Iterator[Table]:
    """All tables that have rows."""
    tables: list[Callable[[Sequence[Measured]], Table]] = [
        codecs_table,
        floor_table,
        parts_table,
        python_table,
        bytes_table,
        verify_table,
        cuda_table,
    ]
    for make in tables:
        table = make(found)
        if table.rows:
            yield table


def codecs_table(found: Sequence[Measured]) -> Table:
    """The direct path against the Pillow codec."""
    table = Table("Direct path against the Pillow codec, one worker")
    ratios: dict[bool, list[tuple[float, float]]] = {True: [], False: []}
    for measured in found:
        ours, theirs = measured.alone(AUTO), measured.alone(PILLOW)
        if ours is None or theirs is None:
            continue
        best, median = theirs.best / ours.best, theirs.median / ours.median
        counts = not measured.masks.aside
        ratios[counts].append((best, median))
        bar = (BAR_LARGE if min(measured.sizes) >= LARGE else BAR_EACH) if counts else None
        table.add(
            set=measured.masks.name,
            files=measured.files,
            median__Mpx=statistics.median(measured.sizes) / 1e6,
            auto__ms_a_file=1e3 * ours.best / measured.files,
            pillow__ms_a_file=1e3 * theirs.best / measured.files,
            of_the_best=best,
            of_the_medians=median,
            bar=bar,
            met=is_met(best, bar),
            aside=measured.masks.aside or None,
        )
    _add_mean(table, ratios[True], "geometric mean of the colour masks", BAR_MEAN)
    if ratios[False]:
        _add_mean(table, [*ratios[True], *ratios[False]], "geometric mean of all sets", None)
    table.notes += [RATIOS, f"Bar {BAR_LARGE} where all images have {LARGE // 10**6} Mpx or more."]
    return table


def _add_mean(
    table: Table, ratios: Sequence[tuple[float, float]], name: str, bar: str | None
) -> None:
    if ratios:
        best, median = (statistics.geometric_mean(column) for column in zip(*ratios, strict=True))
        table.add(
            set=f"{name} ({len(ratios)})",
            of_the_best=best,
            of_the_medians=median,
            bar=bar,
            met=is_met(best, bar),
        )


def floor_table(found: Sequence[Measured]) -> Table:
    """The direct path against the least that must be done."""
    table = Table("Direct path against its floor, one worker")
    for measured in found:
        ours, floor = measured.alone(AUTO), measured.floor_seconds()
        if ours is None or floor is None:
            continue
        best = ours.best / floor[0]
        bar = None if measured.masks.aside else BAR_FLOOR
        table.add(
            set=measured.masks.name,
            auto__ms_a_file=1e3 * ours.best / measured.files,
            floor__ms_a_file=1e3 * floor[0] / measured.files,
            of_the_best=best,
            of_the_medians=ours.median / floor[1],
            bar=bar,
            met=is_met(best, bar),
        )
    table.notes += [
        FLOOR,
        RATIOS,
    ]
    return table


def parts_table(found: Sequence[Measured]) -> Table:
    """The parts of the floor beside gpuseg's stages."""
    table = Table("Floor and direct path, part by part (ms a file, medians)")
    for measured in found:
        if measured.floor and measured.runs.get(AUTO):
            ms = 1e3 / measured.files
            parts = {part: ms * times.median for part, times in measured.floor.items()}
            parts |= {"index or copy": parts.pop("copy"), "encode": parts.pop("deflate")}
            _add_parts(table, f"{measured.masks.name}: floor", parts)
            runs = measured.runs[AUTO]
            stages: dict[str, float] = {
                stage: ms * statistics.median(run.stages.get(stage, 0.0) for run in runs)
                for stage in {stage for run in runs for stage in run.stages}
            }
            stages["index or copy"] = stages.pop("index", 0.0)
            stages["rest"] = ms * statistics.median(run.rest for run in runs)
            _add_parts(table, f"{measured.masks.name}: gpuseg", stages)
    table.notes.append(STAGES)
    return table


def _add_parts(table: Table, name: str, parts: dict[str, float]) -> None:
    first = ["read", "inflate", "index or copy", "encode", "write"]
    others = sorted(parts.keys() - {*first, "rest"})
    cells = {part: parts.get(part) for part in [*first, *others, "rest"]}
    table.rows.append({"part": name, **cells, "all": sum(parts.values())})


def python_table(found: Sequence[Measured]) -> Table:
    """What a file costs beyond its stages."""
    table = Table("Python's own cost a file: wall clock without the stages, one worker")
    for measured in found:
        if runs := measured.runs.get(AUTO):
            once = measured.runs.get(ONE_FILE)
            best = 1e3 * min(runs, key=lambda run: run.wall).rest / measured.files
            bar = None if measured.masks.aside else BAR_PYTHON
            table.add(
                set=measured.masks.name,
                files=measured.files,
                fastest_run__ms_a_file=best,
                median__ms_a_file=1e3
                * statistics.median(run.rest for run in runs)
                / measured.files,
                a_run_of_one_file__ms=1e3 * statistics.median(run.rest for run in once)
                if once
                else None,
                bar=bar,
                met=is_met(best, bar),
            )
    table.notes.append(
        "Wall clock of the whole run minus all seconds of all stages in its report. It holds the "
        "walk over the folder, the report, threads, and the start of the run; what a run of one "
        "file of the set takes so is shown beside it and not taken off. The little Python within "
        "the stages is counted there."
    )
    return table


def bytes_table(found: Sequence[Measured]) -> Table:
    """Sizes of the label maps."""
    table = Table("Bytes of the label maps against Pillow's default save")
    for measured in found:
        if measured.written is not None:
            ours, theirs = measured.written
            counts = measured.masks.real and not measured.masks.aside
            bar = BAR_BYTES if counts else None
            table.add(
                set=measured.masks.name,
                gpuseg__KiB_a_file=ours / 1024 / measured.files,
                Pillow__KiB_a_file=theirs / 1024 / measured.files,
                ratio=ours / theirs,
                bar=bar,
                met=is_met(ours / theirs, bar),
            )
    table.notes.append(
        "Whole files; both with 256 palette entries, gpuseg's with its fingerprint (36 bytes). The "
        "bar is for real masks."
    )
    return table


def verify_table(found: Sequence[Measured]) -> Table:
    """What `--verify` costs."""
    table = Table("Cost of --verify, one worker")
    for measured in found:
        plain, verified = measured.alone(AUTO), measured.alone(VERIFY)
        if plain is not None and verified is not None:
            table.add(
                set=measured.masks.name,
                without__ms_a_file=1e3 * plain.best / measured.files,
                with__ms_a_file=1e3 * verified.best / measured.files,
                of_the_best=verified.best / plain.best,
                of_the_medians=verified.median / plain.median,
            )
    table.notes.append(RATIOS)
    return table


def cuda_table(found: Sequence[Measured]) -> Table:
    """A device against the CPU alone."""
    table = Table("Device against the CPU, the same workers")
    for measured in found:
        for entry, times in measured.times.items():
            cpu = measured.times.get(Entry(AUTO, entry.workers))
            if entry.name != CUDA or cpu is None:
                continue
            best = cpu.best / times.best
            bar = BAR_CUDA if min(measured.sizes) >= LARGE else None
            table.add(
                set=measured.masks.name,
                workers=entry.workers,
                cpu__ms_a_file=1e3 * cpu.best / measured.files,
                cuda__ms_a_file=1e3 * times.best / measured.files,
                of_the_best=best,
                of_the_medians=cpu.median / times.median,
                bar=bar,
                met=is_met(best, bar),
            )
    table.notes.append("Whole runs; the start of the device, once a process, is not counted.")
    return table
