"""From archive to archive beside from folder to folder: the same masks, the same workers."""

from __future__ import annotations

import itertools
import shutil
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from benchmarks.common import Table, interleaved, stopwatch
from benchmarks.measured import is_met
from gpuseg.convert import convert_directory
from gpuseg.palette import Palette

BAR = "≥ 0.9"
"""Files a second from tar to tar, by those from folder to folder."""

WORKERS = 2

FOLDERS, TARS = "folder → folder", "tar → tar"

ABOUT = (
    f"{WORKERS} workers, all in one file system (where the script's work folder is). Ratio: files "
    "a second by those from folder to folder in this one run, of the best times; beside it, of "
    "the medians."
)


def tables(folder: Path, palette: Palette, repeats: int, work: Path) -> Iterator[Table]:
    """Times of a set of masks."""
    paths = sorted(path for path in folder.iterdir() if path.is_file())
    ways = {
        FOLDERS: (folder, "out"),
        TARS: (_tar(paths, work / "in.tar"), "out.tar"),
        "tar.gz → tar.gz": (_tar(paths, work / "in.tar.gz"), "out.tar.gz"),
        "zip → zip": (_zip(paths, work / "in.zip"), "out.zip"),
        "folder → tar": (folder, "out.tar"),
        "tar → folder": (work / "in.tar", "out"),
    }
    convert = _converter(palette, work)
    contenders = {name: stopwatch(partial(convert, src, dst)) for name, (src, dst) in ways.items()}
    times = interleaved(contenders, repeats, slow=60)
    table = Table(f"Archives: {folder.name}", notes=[ABOUT])
    for name, taken in times.items():
        ratio = times[FOLDERS].best / taken.best
        bar = BAR if name == TARS else None
        table.add(
            way=name,
            files=len(paths),
            MB_in=sum(path.stat().st_size for path in paths) / 1e6,
            best__s=taken.best,
            median__s=taken.median,
            files_per_s=len(paths) / taken.median,
            ratio=ratio,
            of_medians=times[FOLDERS].median / taken.median,
            bar=bar,
            met=is_met(ratio, bar),
            runs=taken.runs,
        )
    yield table


def _converter(palette: Palette, work: Path) -> Callable[[Path, str], None]:
    number = itertools.count()

    def convert(src: Path, dst: str) -> None:
        target = work / f"{next(number)}" / dst
        report = convert_directory(src, target, palette, device="cpu", workers=WORKERS)
        if report.failed or not report.files["converted"]:
            raise SystemExit(f"{report.summary()}: {[r.message for r in report.failures][:1]}")
        shutil.rmtree(target.parent)

    return convert


def _tar(paths: list[Path], target: Path) -> Path:
    with tarfile.open(target, "w:gz" if target.suffix == ".gz" else "w") as archive:
        for path in paths:
            archive.add(path, path.name)
    return target


def _zip(paths: list[Path], target: Path) -> Path:
    with zipfile.ZipFile(target, "w") as archive:
        for path in paths:
            archive.write(path, path.name)
    return target
