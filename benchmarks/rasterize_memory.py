"""Peak memory of rasterizing a COCO file: it must not grow with the file."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from itertools import cycle, islice
from pathlib import Path
from time import perf_counter
from typing import Any

import gpuseg
from benchmarks.common import ROOT, Table, child_environment
from benchmarks.rasterize_sets import AnnotationSet, Drawing, write_coco

OF_ANNOTATION, OF_IMAGE = 48, 500
"""Bytes that the index may take: arrays that grow, and an object and its name."""

_COMMAND = "import sys; from benchmarks.rasterize_memory import main; main(*sys.argv[1:])"

NOTE = (
    "Peak resident memory of a process that rasterizes one COCO file with one worker and a report; "
    "the same annotations again and again. Index: the one pass over the file that comes before "
    "the first image."
)


def memory_table(source: AnnotationSet, counts: tuple[int, ...], work: Path) -> Table:
    """Peaks of a file of few annotations, the first, and of those of many."""
    table = Table(f"Memory against the annotations of a COCO file: {source.name}", notes=[NOTE])
    if not Path("/proc/self/status").exists():
        table.notes.append("skipped: this system has no /proc")
        return table
    palette = work / "palette.json"
    gpuseg.save_palette(source.palette, palette)
    first: dict[str, Any] = {}
    for count in counts:
        coco = work / f"coco-{count}" / "annotations" / "instances_all.json"
        drawings = _repeated(source.drawings, count)
        write_coco(coco, drawings, source.palette)
        found = _child(coco, palette, work / f"maps-{count}")
        found["annotations"] = sum(len(each.polygons) for each in drawings.values())
        first = first or found
        more = found["peak"] - first["peak"]
        bar = OF_ANNOTATION * found["annotations"] + OF_IMAGE * found["images"]
        table.add(
            annotations=found["annotations"],
            images=found["images"],
            file__MiB=coco.stat().st_size / 2**20,
            index__s=found["index"],
            all__s=found["seconds"],
            images__per_s=found["images"] / (found["seconds"] - found["index"]),
            peak__MiB=found["peak"] / 2**20,
            more__MiB=None if found is first else more / 2**20,
            bar__MiB=None if found is first else f"≤ {bar / 2**20:.1f}",
            met=None if found is first else more <= bar,
        )
    return table


def _repeated(drawings: Mapping[str, Drawing], annotations: int) -> dict[str, Drawing]:
    """Images by turns, until they have so many annotations or a few more."""
    each = list(drawings.values())
    some = sum(len(one.polygons) for one in each) / len(each)
    return {
        f"a-name-of-usual-length-{i:07d}": drawing
        for i, drawing in enumerate(islice(cycle(each), int(annotations / some) + 1))
    }


def _child(coco: Path, palette: Path, target: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", _COMMAND, str(coco), str(palette), str(target)],
        check=True, cwd=ROOT, env=child_environment(), stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main(coco: str, palette: str, target: str) -> None:
    """Rasterize a file in this process; prints what it took."""
    from gpuseg.annotations.coco_album import CocoAlbum

    start = perf_counter()
    CocoAlbum(coco)
    index = perf_counter() - start
    start = perf_counter()
    found = gpuseg.rasterize(coco, target, palette, workers=1)
    seconds = perf_counter() - start
    if found.failed:
        raise SystemExit(found.summary())
    told = {"images": found.done, "index": index, "seconds": seconds, "peak": _peak()}
    print(json.dumps(told))


def _peak() -> int:
    """Most resident memory that this process ever had, bytes."""
    text = Path("/proc/self/status").read_text()
    return 1024 * next(int(line.split()[1]) for line in text.splitlines() if line[:6] == "VmHWM:")
