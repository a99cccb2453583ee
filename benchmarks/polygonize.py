"""What annotations of label maps cost: beside reading these, OpenCV and pycocotools; and memory."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import ROOT, Script, Table, child_environment, interleaved, stopwatch
from benchmarks.conversions import convert
from benchmarks.memory import peak_memory
from benchmarks.real_sets import INDEXED, real_sets
from benchmarks.samples import MaskSet, add_set_arguments, blobs, mask_sets
from gpuseg import polygonize, save_label
from gpuseg.batch import Labels
from gpuseg.label_maps import read_label_map
from gpuseg.labels import load_label
from gpuseg.options import DEFAULT_MAX_PIXELS
from gpuseg.polygonizing.annotations import annotate
from gpuseg.polygonizing.classes import Classes
from gpuseg.polygonizing.options import PolygonizeOptions

SAMPLE = 12
"""Files of a set that are looked at, spread over it."""

NONE = 65535
"""All indices of 8 bits have annotations."""

NOTE = (
    "Best of all rounds, ms a Mpx. read: the files, as `polygonize` reads them. polygons, runs: "
    "`annotate`, from labels in memory to lines of JSON, an annotation a component. OpenCV: "
    "connectedComponentsWithStats, and findContours (RETR_CCOMP, CHAIN_APPROX_SIMPLE), of the mask "
    "of each class; its contours go through the centres of pixels and are not written as JSON. "
    "pycocotools: encode, area and toBbox of each of OpenCV's components, one run where it is slow."
)

JUDGE = (
    "equal: whether pycocotools draws each of our polygons and runs as exactly the pixels of one "
    "of OpenCV's components, of the first map."
)

MEASURED = (
    "Peak resident memory of a process of its own, two workers; `before`: no file seen. The maps "
    "are one image of 320 x 240 pixels under many names, and OUT has so many bytes."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The script's own flags; `--child` is what it calls itself with."""
    add_set_arguments(parser)
    parser.add_argument("--shared", type=Path, metavar="DIR", help="real masks (real_sets.py)")
    parser.add_argument("--files", type=int, nargs="+", default=[1_000, 20_000])
    parser.add_argument("--child", metavar="DIR", help=argparse.SUPPRESS)


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """Two tables: memory, while this process is small, for children begin with its peak; and the
    kernels beside other tools, a row a set.
    """
    yield _memory([20, 60] if args.tiny else args.files, work)
    table = Table("Annotations of label maps, one thread")
    sets = list(mask_sets(args, work))
    if args.shared is not None:
        sets += real_sets(args.shared, work / "shared", tiny=True)
    for masks in sets:
        _add(table, masks.name, _label_maps(masks, work), args.repeats)
    table.notes += [NOTE, JUDGE]
    yield table


def _label_maps(masks: MaskSet, work: Path) -> list[Path]:
    folder = masks.folder
    if masks.aside != INDEXED:
        folder = work / "labels" / masks.name
        convert(masks, folder)
    paths = sorted(folder.rglob("*.png"))
    return paths[:: max(1, len(paths) // SAMPLE)][:SAMPLE]


def _add(table: Table, name: str, paths: Sequence[Path], repeats: int) -> None:
    maps = [load_label(path) for path in paths]
    polygons, runs = (_annotating(segmentation) for segmentation in ("polygon", "rle"))
    work: dict[str, Callable[[], object]] = {
        "read": lambda: [read_label_map(str(path), DEFAULT_MAX_PIXELS) for path in paths],
        "polygons": lambda: [polygons(labels) for labels in maps],
        "runs": lambda: [runs(labels) for labels in maps],
    }
    if find_spec("cv2") is not None:
        work["OpenCV components"] = lambda: [list(_components(labels)) for labels in maps]
        work["OpenCV contours"] = lambda: [_contours(labels) for labels in maps]
        if find_spec("pycocotools") is not None:
            work["pycocotools"] = lambda: [_encoded(labels) for labels in maps]
    times = interleaved({key: stopwatch(one) for key, one in work.items()}, repeats, slow=2.0)
    pixels = sum(labels.size for labels in maps)
    ms = {key: 1e9 * taken.best / pixels for key, taken in times.items()}
    table.add(
        set=name,
        maps=len(maps),
        Mpx=pixels / len(maps) / 1e6,
        annotations__a_map=sum(polygons(labels).count for labels in maps) / len(maps),
        **{key: ms.get(key) for key in ("read", "polygons", "runs")},
        **{key: ms.get(key) for key in ("OpenCV components", "OpenCV contours", "pycocotools")},
        equal=_equal(maps[0], (polygons, runs)) if "pycocotools" in ms else None,
    )


def _annotating(segmentation: Any) -> Callable[[Labels], Any]:
    options = PolygonizeOptions(segmentation=segmentation, ignore_index=NONE)
    return partial(annotate, instances=None, classes=Classes.of(None, options), options=options)


def _masks(labels: Labels) -> Iterator[NDArray[np.uint8]]:
    for index in np.flatnonzero(np.bincount(labels.reshape(-1))).tolist():
        yield (labels == index).view(np.uint8)


def _components(labels: Labels) -> Iterator[tuple[NDArray[np.int32], NDArray[np.int32]]]:
    import cv2

    for mask in _masks(labels):
        _, numbers, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=4)
        yield numbers, stats


def _contours(labels: Labels) -> None:
    import cv2

    for mask in _masks(labels):
        cv2.findContours(mask, cv2.RETR_CCOMP, cv2.CHAIN_APPROX_SIMPLE)


def _encoded(labels: Labels) -> list[bytes]:
    from pycocotools import mask as coco

    found = []
    for numbers, stats in _components(labels):
        for number in range(1, len(stats)):
            runs = coco.encode(np.asfortranarray(numbers == number).view(np.uint8))
            coco.area(runs), coco.toBbox(runs)
            found.append(runs["counts"])
    return found


def _equal(labels: Labels, ways: Sequence[Callable[[Labels], Any]]) -> bool:
    from pycocotools import mask as coco

    wanted = sorted(_encoded(labels))
    for way in ways:
        found = []
        for line in way(labels).lines.splitlines():
            told = json.loads(b"{" + line)["segmentation"]
            if isinstance(told, list):
                told = coco.merge(coco.frPyObjects(told, *labels.shape))
            counts = told["counts"]
            found.append(counts if isinstance(counts, bytes) else counts.encode("ascii"))
        if sorted(found) != wanted:
            return False
    return True


def _memory(counts: Sequence[int], work: Path) -> Table:
    """Peak memory of one process for each number of files."""
    table = Table("Peak memory")
    if find_spec("resource") is None:
        table.notes.append("skipped: this system has no resource.getrusage")
        return table
    for count in counts:
        folder = work / f"maps-{count}" / "labels"
        folder.mkdir(parents=True)
        first = folder / "0.png"
        save_label(first, blobs(240, 320, 20, seed=1), "voc256")
        for number in range(1, count):
            (folder / f"{number}.png").hardlink_to(first)
        words = [sys.executable, "-m", "benchmarks.polygonize", "--child", str(folder)]
        done = subprocess.run(
            words, check=True, cwd=ROOT, env=child_environment(), capture_output=True, text=True
        )
        table.add(files=count, **json.loads(done.stdout))
    table.notes.append(MEASURED)
    return table


def child(folder: Path) -> dict[str, float]:
    """One run, and what it took."""
    before, start, out = peak_memory(), perf_counter(), folder.parent / "out.json"
    found = polygonize(folder, out, workers=2)
    return {
        "annotations": found.annotations,
        "OUT__MB": out.stat().st_size / 1e6,
        "time__s": perf_counter() - start,
        "before__MiB": before / 2**20,
        "peak__MiB": peak_memory() / 2**20,
    }


SCRIPT = Script("polygonize", str(__doc__), run, add_arguments)

if __name__ == "__main__":
    if "--child" in sys.argv:
        print(json.dumps(child(Path(sys.argv[sys.argv.index("--child") + 1]))))
    else:
        sys.exit(SCRIPT.main())
