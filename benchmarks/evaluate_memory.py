"""Peak memory of evaluations against the number of pairs: it must not grow with them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

import gpuseg
from benchmarks.common import ROOT, Table, child_environment
from benchmarks.samples import blobs, voc_palette

BAR = 15.0
"""MiB that a run over many pairs may take more than one over few, all three processes together."""

_COMMAND = "import sys; from benchmarks.evaluate_memory import main; main(sys.argv[1])"

CONTENTS, CLASSES = 64, 20

NOTE = (
    "Peak resident memory of a process that evaluates pairs of 64×48 px (hard links to 64 of them) "
    "with two workers, and the sum of it and of those of its worker processes, each at its own "
    "peak; with a report. Worker processes are started at once in all runs; they are given up to "
    "256 pairs at a time, which a short run does not come to."
)


def memory_table(counts: tuple[int, ...], work: Path) -> Table:
    """Peaks of a run over few pairs, the first, and of those over many."""
    table = Table("Memory of evaluate against the number of pairs", notes=[NOTE])
    if not Path("/proc/self/status").exists():
        table.notes.append("skipped: this system has no /proc")
        return table
    few = 0.0
    for count in counts:
        found = _child(_fill(work / f"pairs-{count}", count))
        peak = found["all"] / 2**10
        more = peak - few if few else None
        few = few or peak
        table.add(
            pairs=found["pairs"],
            time__s=found["seconds"],
            own_peak__MiB=found["own"] / 2**10,
            processes=found["processes"],
            peak_of_all__MiB=peak,
            more__MiB=more,
            bar__MiB=None if more is None else f"≤ {BAR:.0f}",
            met=None if more is None else more <= BAR,
        )
    return table


def _fill(folder: Path, count: int) -> Path:
    """So many pairs of small label maps, in folders of a thousand."""
    palette = voc_palette(CLASSES)
    for side, seed in (("truth", 0), ("pred", 1)):
        for i in range(count):
            path = folder / side / f"{i // 1000:04d}" / f"a-name-of-usual-length-{i:07d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            first = folder / side / "0000" / f"a-name-of-usual-length-{i % CONTENTS:07d}.png"
            if i < CONTENTS:
                gpuseg.save_label(path, blobs(48, 64, CLASSES, 2 * i + seed), palette=palette)
            else:
                os.link(first, path)
    return folder


def _child(folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", _COMMAND, str(folder)],
        check=True, cwd=ROOT, env=child_environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main(folder: str) -> None:
    """Evaluate a folder of pairs in this process and its workers; prints what they took."""
    from gpuseg import processes

    processes.PATIENCE, processes.ENOUGH, processes.TIMES_DONE = 0.0, 1, 0
    peaks: dict[int, int] = {}

    def look(_: object) -> None:
        for pid in (os.getpid(), *_children()):
            peaks[pid] = max(peaks.get(pid, 0), _peak(pid))

    start = perf_counter()
    found = gpuseg.evaluate(
        Path(folder, "pred"), Path(folder, "truth"), palette=voc_palette(CLASSES), workers=2,
        report=Path(folder, "evaluate.jsonl"), progress=look,
    )  # fmt: skip
    seconds = perf_counter() - start
    if found.report.failed:
        raise SystemExit(found.report.summary())
    look(None)
    told = {"pairs": found.pairs, "seconds": seconds, "own": peaks[os.getpid()]}
    print(json.dumps({**told, "processes": len(peaks), "all": sum(peaks.values())}))


def _children() -> list[int]:
    """The processes that this one has started and that run yet."""
    tasks = Path("/proc/self/task").glob("*/children")
    return [int(pid) for path in tasks for pid in path.read_text().split()]


def _peak(pid: int) -> int:
    """Most resident memory that a process ever had, KiB; 0 of one that has ended."""
    try:
        text = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in text.splitlines() if line[:6] == "VmHWM:"), 0)
