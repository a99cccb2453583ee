"""`polygonize`: label maps to annotations in COCO's format."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Unpack

from gpuseg import storage
from gpuseg.errors import UsageError
from gpuseg.inputs import Inputs
from gpuseg.output import check_replaceable, open_atomically
from gpuseg.palette import Palette
from gpuseg.palettes.load import load_palette
from gpuseg.palettes.of_run import palette_of_run
from gpuseg.polygonizing.classes import Classes
from gpuseg.polygonizing.options import PolygonizeKeywords, PolygonizeOptions
from gpuseg.polygonizing.store import MARK, Store
from gpuseg.polygonizing.task import Polygonizing
from gpuseg.results import Report
from gpuseg.runs import Progress, StrPath, look, seen_by_all
from gpuseg.text import count
from gpuseg.verbs.saving import check_distinct


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CocoFile:
    """What became of label maps.

    report: how they were gone through; its `failed` are not in the file. path: of the file, None
    where none was written. palette: its name, "" where none is known. images, annotations,
    categories: how many are in it. small, small_pixels: annotations that were left out as they
    are smaller than `min_area`. void_pixels: of classes, but void in the instance map.
    """

    report: Report
    path: Path | None
    palette: str
    images: int
    annotations: int
    categories: int
    small: int
    small_pixels: int
    void_pixels: int

    @property
    def remarks(self) -> Iterator[str]:
        """What was left out, a sentence each."""
        if self.small:
            what = count(self.small, "smaller annotation")
            yield f"{what} ({self.small_pixels:,} px) left out by --min-area"
        if self.void_pixels:
            what = count(self.void_pixels, "pixel")
            yield f"{what} of classes left out: void in the instance maps"

    def as_dict(self) -> dict[str, Any]:
        """All but the report, for programs."""
        fields = {name: getattr(self, name) for name in self.__slots__ if name != "report"}
        return fields | {"path": str(self.path) if self.path is not None else None}


def polygonize(
    dst: StrPath,
    out: StrPath,
    palette: Palette | StrPath | None = None,
    *,
    report: StrPath | None = None,
    progress: Progress | None = None,
    **options: Unpack[PolygonizeKeywords],
) -> CocoFile:
    """Make annotations of label maps, one JSON file of COCO's "object detection" format.

    dst: a folder of label maps (palette or greyscale, up to 16 bits), or one. out: the file; it
        replaces one that was made so, and no other.
    palette: what the indices mean: a Palette, the name of a preset, or a palette file. None takes
        the one that a report in DST names; where there is none, all indices that occur but 255
        are categories, called by their numbers.
    report: a file for a row of each label map. progress: as in `convert_directory`.
    options: the fields of `PolygonizeOptions`.

    Polygons run along the edges of pixels, with holes joined to them, so pycocotools draws the
    same pixels again, as it does from runs. The id of a category is its index. Images are sorted
    by `file_name`, annotations of an image by their first pixels, row by row; both are numbered
    from 1. So the file is the same for any number of workers.
    A label map that cannot be read, or holds an index that the palette does not, becomes a failed
    row of `CocoFile.report`. Nothing is written where no label map could be read, or the run was
    stopped early. Memory is that of the workers' images; what is done waits in a file.
    Raises UsageError, PaletteError, OutputError and Interrupted.
    """
    where, target = os.fspath(dst), os.fspath(out)
    settings = PolygonizeOptions(**options)
    check_distinct(report, out)
    check_out(target)
    sources = Inputs.of([where], settings)
    table = load_palette(palette) if palette is not None else palette_of_run(where)
    classes = Classes.of(table, settings)
    task = Polygonizing(classes, settings, _instances(where, settings))
    with closing(Store(settings.image_suffix)) as store:
        done = look(
            sources, task, verb="polygonize", report=report, progress=progress, tally=store.add
        )
        categories, path = 0, None
        if store.images and not done.stopped:
            store.check_names()
            with open_atomically(target) as file:
                categories = store.write(file, classes)
            path = Path(target)
        return CocoFile(
            report=done,
            path=path,
            palette=classes.palette,
            images=store.images,
            annotations=store.annotations,
            categories=categories,
            small=store.small,
            small_pixels=store.small_pixels,
            void_pixels=store.void_pixels,
        )


def check_out(path: str) -> None:
    """Refuse a place where annotations may not go. Raises OutputError."""
    advice = "OUT must name a new file, or one that polygonize wrote, in a folder that exists"
    check_replaceable(path, MARK.encode("ascii"), advice)


def _instances(dst: str, options: PolygonizeOptions) -> str | None:
    """The folder of instance maps, as workers find it. Raises UsageError."""
    if options.instances is None:
        return None
    folder = os.fspath(options.instances)
    if storage.is_url(folder) or not os.path.isdir(folder):
        raise UsageError(f"instances must be a folder of this machine, got {folder!r}")
    if os.path.isdir(dst):
        real, within = os.path.realpath(folder), os.path.realpath(dst)
        if os.path.commonpath([real, within]) == within:
            raise UsageError(
                f"the instance maps {folder} lie in {dst}, and would be taken for label maps; "
                "keep them beside it"
            )
    return seen_by_all(folder, options)
