"""`report`: a run as one HTML page to look at, which needs nothing else and no network."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Unpack, cast

from gpuseg import plots, storage
from gpuseg.codecs.limit import size_limit_is_ours
from gpuseg.errors import UsageError
from gpuseg.frequencies.counts import Tally
from gpuseg.frequencies.label_counts import Counting
from gpuseg.frequencies.statistics import Stats, conclude
from gpuseg.inputs import Inputs
from gpuseg.merging.choosing import reports_in
from gpuseg.options import ReadKeywords, ReadOptions
from gpuseg.output import check_replaceable, write_atomically
from gpuseg.pages import html
from gpuseg.pages.classes import Classes
from gpuseg.pages.gallery import Folders
from gpuseg.pages.gathered import Gathered, gather
from gpuseg.pages.page import GENERATOR, Material, make_page
from gpuseg.pages.survey import Survey
from gpuseg.palette import MAX_INDEX, Palette
from gpuseg.palettes.load import load_palette
from gpuseg.palettes.of_run import REPORT, head_of_run, palette_of_head
from gpuseg.report_reading import read_report, text
from gpuseg.results import FileResult, Report
from gpuseg.runs import Progress, StrPath, look

MAX_GALLERY = 500
"""Most label maps that a page shows; each adds its pictures to the file."""


class PageKeywords(ReadKeywords, total=False):
    """The fields of `ReadOptions`, and what a page is made of, as keyword arguments."""

    run: StrPath | None
    src: StrPath | None
    over: StrPath | None
    gallery: int
    overwrite: bool


def report(
    dst: StrPath,
    out: StrPath | None = None,
    *,
    palette: Palette | StrPath | None = None,
    progress: Progress | None = None,
    **options: Unpack[PageKeywords],
) -> Path:
    """Write a page about a run: summary, classes, unknown colours, failures, and a gallery.

    dst: the folder of label maps. out: the page; None is `gpuseg-report.html` in DST.
    palette: what indices mean: a Palette, the name of a preset, or a palette file; None takes
        the run's. progress: as in `convert_directory`.
    options: the fields of `ReadOptions`, and these:
    run: the report of the run; None takes all `gpuseg-report*.jsonl` in DST together, of a job
        that was divided the merged one alone, if there is one.
    src: the folder of the colour masks, for crops and the gallery; None takes the report's.
    over: a folder of photographs of the same places and stems, to lay label maps over.
    gallery: label maps to show, 0 to 500; by default 12.
    overwrite: replace a file that is no such page.

    Returns where the page is. A file that cannot be shown is told on the page. Needs jinja2
    and matplotlib (extra `report`). Raises UsageError, PaletteError, OutputError and Interrupted.
    """
    request = Request(
        os.fspath(dst),
        _path(out),
        _path(options.pop("run", None)),
        _path(options.pop("src", None)),
        _path(options.pop("over", None)),
        options.pop("gallery", 12),
    )
    overwrite = options.pop("overwrite", False)
    settings = ReadOptions(**cast(ReadKeywords, options))
    return write_report(request, palette, overwrite, progress, settings).path


@dataclass(frozen=True, slots=True)
class Request:
    """What `report` is asked for; see there."""

    dst: str
    out: str | None = None
    run: str | None = None
    src: str | None = None
    over: str | None = None
    gallery: int = 12

    def __post_init__(self) -> None:
        if isinstance(self.gallery, bool) or not isinstance(self.gallery, int):
            raise UsageError(f"gallery must be a whole number, got {self.gallery!r}")
        if not 0 <= self.gallery <= MAX_GALLERY:
            raise UsageError(f"gallery must be 0 to {MAX_GALLERY}, got {self.gallery}")
        places = ("DST", self.dst), ("--src", self.src), ("--over", self.over), ("--run", self.run)
        for name, place in places:
            if place is not None and storage.is_url(place):
                raise UsageError(f"{name} must be on this machine, got {place}; fetch it first")
        for name, folder in (("DST", self.dst), ("--src", self.src), ("--over", self.over)):
            if folder is not None and not os.path.isdir(folder):
                raise UsageError(f"{name} must be a folder, got {folder!r}, which is none")

    @property
    def page(self) -> str:
        """Where the page goes."""
        return self.out if self.out is not None else os.path.join(self.dst, f"{REPORT}.html")

    @property
    def reports(self) -> list[Path]:
        """The reports of the run. Raises UsageError where several tell of the same files."""
        if self.run is not None:
            return [Path(self.run)]
        return reports_in(Path(self.dst))


@dataclass(frozen=True, slots=True)
class Written:
    """A page that was written. size: bytes. shown: label maps in its gallery.

    reports: of the run. looked: how the label maps were gone through.
    """

    path: Path
    size: int
    shown: int
    reports: int
    looked: Report


def write_report(
    request: Request,
    palette: Palette | StrPath | None,
    overwrite: bool,
    progress: Progress | None,
    options: ReadOptions,
) -> Written:
    """As `report`, and what there is to tell about the page."""
    html.check_installed()
    plots.require()
    _check_target(request.page, overwrite)
    reports = request.reports  # those that there are now
    for path in reports:
        read_report(path)
    table, ignore_index = _meaning(reports, palette)
    stats, names = _survey(request, table, ignore_index, progress, options)
    with size_limit_is_ours():
        gathered = gather(reports, frozenset(names))
        folders = Folders(request.dst, request.src or _source_of(gathered), request.over)
        title = os.path.basename(os.path.abspath(request.dst)) or request.dst
        classes = Classes(table, ignore_index)
        page = make_page(
            Material(title, gathered, stats, names, folders, classes, options.max_pixels)
        )
    write_atomically(request.page, page)
    return Written(Path(request.page), len(page), len(names), len(gathered.runs), stats.report)


def _survey(
    request: Request,
    palette: Palette | None,
    ignore_index: int,
    progress: Progress | None,
    options: ReadOptions,
) -> tuple[Stats, list[str]]:
    """What the label maps hold, and which of them the gallery shows."""
    tally, survey = Tally(ignore_index), Survey(request.gallery)

    def add(result: FileResult) -> None:
        tally.add(result)
        survey.add(result)

    sources = Inputs([request.dst], options.pattern)
    done = look(sources, Counting(options), verb="report", progress=progress, tally=add)
    return conclude(done, tally, palette), survey.chosen(ignore_index)


def _meaning(reports: list[Path], palette: Palette | StrPath | None) -> tuple[Palette | None, int]:
    """The palette that is asked for, else the run's, and the ignore index that was written."""
    head = head_of_run(reports)
    table = load_palette(palette) if palette is not None else palette_of_head(head)
    written = head.get("ignore_index")
    if type(written) is int and 0 <= written <= MAX_INDEX:
        return table, written
    return table, table.ignore_for(8) if table is not None else 255


def _source_of(gathered: Gathered) -> str | None:
    """The folder of the sources as the report names it, None where it is not there.

    Nor where label maps were drawn of annotations, which are no pictures.
    """
    if "annotations" in gathered.head:
        return None
    folder = text(gathered.head, "src")
    try:
        return folder if folder and os.path.isdir(folder) else None
    except ValueError:  # a null byte in the name
        return None


def _check_target(page: str, overwrite: bool) -> None:
    """Refuse to replace a file that is no page of ours. Raises OutputError."""
    mark = b"" if overwrite else f'<meta name="generator" content="{GENERATOR}'.encode()
    check_replaceable(page, mark, "choose another --out (--overwrite replaces any file)")


def _path(path: StrPath | None) -> str | None:
    return os.fspath(path) if path is not None else None
