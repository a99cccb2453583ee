"""What `rasterize` costs: against LabelMe's export, Datumaro's conversion, and drawing alone."""

from __future__ import annotations

import argparse
import json
import math
import shutil
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import gpuseg
from benchmarks.common import (
    Contender,
    Script,
    Table,
    Times,
    in_fresh_folder,
    interleaved,
    positive,
)
from benchmarks.measured import add_bar
from benchmarks.rasterize_memory import memory_table
from benchmarks.rasterize_others import (
    Work,
    datumaro_conversion,
    floor,
    floor_with_json,
    label_maps,
    labelme_export,
    version_of,
)
from benchmarks.rasterize_sets import AnnotationSet, annotation_sets

OURS, OURS_COCO = "gpuseg, LabelMe files", "gpuseg, the COCO file"
LABELME, DATUMARO = "labelme, LabelMe files", "datumaro, the COCO file"
FLOOR, FLOOR_JSON = "floor", "floor, and JSON files parsed"

WORKS: Mapping[str, tuple[str, Work]] = {
    LABELME: ("labelme", labelme_export),
    DATUMARO: ("datumaro", datumaro_conversion),
}
"""Contenders, each of a package that may not be there."""

BAR_OTHERS = "≥ 5"
"""Time of LabelMe's export, and of Datumaro's conversion, by ours."""

BAR_FLOOR = "≤ 1.5"
"""Our time by that of the floor."""

ABOUT = (
    "Whole runs on one worker and one thread, files in and files out: the source files lie in the "
    "page cache, kernels are loaded, every run writes into a new folder. gpuseg does besides what "
    "it always does: looks for what is there, checks values, writes a fingerprint into each file, "
    "a temp file and a report."
)
ABOUT_LABELME = (
    f"{LABELME}: json.load, labelme.utils.shapes_to_label, imgviz.io.lblsave; what LabelMe's "
    "scripts do besides is left out (the image in the file, the .npy file, the picture of both)."
)
ABOUT_DATUMARO = (
    f"{DATUMARO}: Dataset.import_from, the transform polygons_to_masks, export to voc_segmentation "
    "without images. It always writes the map of instances, too: two files an image. Datumaro "
    "reads no LabelMe JSON."
)
ABOUT_FLOOR = (
    f"{FLOOR}: shapes that are in memory drawn by ImageDraw.polygon, encoded by gpuseg, written to "
    f"a temp name and renamed. {FLOOR_JSON}: LabelMe files are read and parsed by json.loads, too."
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The script's own flags."""
    parser.add_argument("--shared", type=Path, metavar="DIR", help="holds labelme/*/*.json")
    parser.add_argument("--files", type=positive, default=3_000, help="of each set")
    parser.add_argument(
        "--many", type=positive, default=100_000, help="annotations whose memory is told"
    )
    parser.add_argument("--no-memory", action="store_true", help="leave out the table of memory")


def run(args: argparse.Namespace, work: Path) -> Iterator[Table]:
    """Times, bars, differences and stages of each set; memory with the last."""
    if args.tiny:
        args.files, args.many = 6, 200
    for source in annotation_sets(args, work):
        contenders = _contenders(source)
        timed = {
            name: in_fresh_folder(work, partial(make, source)) for name, make in contenders.items()
        }
        times = _interleaved(timed, args.repeats)
        yield _times_table(source, times)
        yield _bars_table(source, times)
        yield _differences_table(source, contenders, work)
        for name in (OURS, OURS_COCO):
            yield _stages_table(source, name, work)
        shutil.rmtree(source.labelme.parent)
    if not args.no_memory:
        yield memory_table(source, (min(1_000, args.many // 2), args.many), work)


def _contenders(source: AnnotationSet) -> dict[str, Work]:
    ours = {name: partial(_rasterize, name) for name in (OURS, OURS_COCO)}
    there = {name: make for name, (package, make) in WORKS.items() if version_of(package)}
    return {**ours, FLOOR: floor, FLOOR_JSON: floor_with_json, **there}


def _interleaved(contenders: Mapping[str, Contender], repeats: int) -> dict[str, Times]:
    """Those that take seconds are run less often."""
    return interleaved(contenders, repeats, slow=20.0)


def _rasterize(name: str, source: AnnotationSet, folder: Path) -> gpuseg.Report:
    annotations = source.labelme if name == OURS else source.coco
    found = gpuseg.rasterize(annotations, folder, source.palette, workers=1)
    if found.files["converted"] != len(source.drawings):
        told = found.failures[0].message if found.failures else ""
        raise SystemExit(f"{name}: {found.summary()} {told}")
    return found


def _times_table(source: AnnotationSet, times: Mapping[str, Times]) -> Table:
    count = len(source.drawings)
    table = Table(f"Annotations to label maps, one worker: {source.name}")
    for name, taken in times.items():
        table.add(
            what=_titled(name),
            best__ms_an_image=1e3 * taken.best / count,
            median__ms_an_image=1e3 * taken.median / count,
            images__per_s=count / taken.median,
            runs=taken.runs,
        )
    for name, (package, _) in WORKS.items():
        if name not in times:
            table.add(what=f"{name}: {package} is not installed")
    size, polygons = source.pixels / count / 1e6, source.shapes / count
    table.notes += [
        f"{count:,} images of {size:.2f} Mpx, {polygons:.1f} polygons each; LabelMe and COCO.",
        ABOUT,
        ABOUT_LABELME,
        ABOUT_DATUMARO,
        ABOUT_FLOOR,
    ]
    return table


def _titled(name: str) -> str:
    return f"{name} ({version_of(WORKS[name][0])})" if name in WORKS else name


def _bars_table(source: AnnotationSet, times: Mapping[str, Times]) -> Table:
    table = Table(f"Bars of rasterize: {source.name}")
    for above, below, bar in (
        (LABELME, OURS, BAR_OTHERS),
        (DATUMARO, OURS_COCO, BAR_OTHERS),
        (OURS, FLOOR, BAR_FLOOR),
        (OURS_COCO, FLOOR, BAR_FLOOR),
        (OURS, FLOOR_JSON, None),
    ):
        pair = times.get(above), times.get(below)
        add_bar(table, f"{above} / {below}", pair, bar if source.real else None)
    table.notes.append(
        "Ratios of times taken in this one run, of the best and of the medians; bars are for real "
        "annotations."
    )
    return table


def _differences_table(source: AnnotationSet, contenders: Mapping[str, Work], work: Path) -> Table:
    """Pixels in which contenders differ from what gpuseg makes of LabelMe files."""
    table = Table(f"Pixels that differ from those of gpuseg's LabelMe: {source.name}")
    made: dict[str, dict[str, Any]] = {}
    for name, make in contenders.items():
        folder = work / "made"
        folder.mkdir()
        make(source, folder)
        made[name] = dict(label_maps(folder))
        shutil.rmtree(folder)
        if name != OURS:
            table.add(what=name, **_differing(made[name], made[OURS]))
            if name != OURS_COCO:
                made.pop(name)
    table.notes.append(
        "COCO's rule of which pixels a polygon covers is another than Pillow's, so borders of the "
        "COCO file's differ; Datumaro reads annotations from the last to the first, so which "
        "shape lies over which differs, too."
    )
    return table


def _differing(found: Mapping[str, Any], wanted: Mapping[str, Any]) -> dict[str, Any]:
    counts = [
        int(np.count_nonzero(found[stem] != wanted[stem])) if stem in found else wanted[stem].size
        for stem in wanted
    ]
    return {
        "label_maps": len(found),
        "that_differ": sum(map(bool, counts)),
        "pixels_that_differ": sum(counts),
        "of__pct": 100 * sum(counts) / sum(each.size for each in wanted.values()),
    }


def _stages_table(source: AnnotationSet, name: str, work: Path) -> Table:
    """What the rows say: their seconds, and the rest of the run's."""
    folder = work / "stages"
    found = _rasterize(name, source, folder)
    sums: dict[str, float] = {}
    for line in Path(str(found.path)).read_text("ascii").splitlines()[1:-1]:
        for stage, seconds in json.loads(line)["seconds"].items():
            sums[stage] = sums.get(stage, 0.0) + seconds
    sums["rest: finding, rows, the start"] = found.seconds - math.fsum(sums.values())
    shutil.rmtree(folder)
    table = Table(f"Stages of rasterize, one worker: {source.name}, {name}")
    for stage, seconds in sums.items():
        table.add(
            stage=stage,
            time__ms_an_image=1e3 * seconds / len(source.drawings),
            share__pct=100 * seconds / found.seconds,
        )
    return table


SCRIPT = Script("rasterize", __doc__ or "", run, add_arguments)

if __name__ == "__main__":
    raise SystemExit(SCRIPT.main())
