"""`stats`: how often each class occurs in label maps, and what weights follow from that."""

from __future__ import annotations

import os
from typing import Unpack

from gpuseg.errors import UsageError
from gpuseg.frequencies.counts import Tally
from gpuseg.frequencies.drawing import draw_stats
from gpuseg.frequencies.label_counts import Counting
from gpuseg.frequencies.statistics import CSV_HEAD, Stats, conclude
from gpuseg.inputs import Inputs
from gpuseg.options import ReadKeywords, ReadOptions
from gpuseg.output import check_replaceable, write_atomically
from gpuseg.palette import MAX_INDEX, Palette
from gpuseg.palettes.load import load_palette
from gpuseg.palettes.of_run import palette_of_run
from gpuseg.runs import Progress, StrPath, look
from gpuseg.verbs.saving import make_plot_folder


def stats(
    dst: StrPath,
    *,
    palette: Palette | StrPath | None = None,
    ignore_index: int | None = None,
    report: StrPath | None = None,
    progress: Progress | None = None,
    **options: Unpack[ReadKeywords],
) -> Stats:
    """Count the classes of label maps: pixels, images, what occurs together, and class weights.

    dst: a folder of label maps (palette or greyscale, up to 16 bits), or one.
    palette: what the indices mean: a Palette, the name of a preset, or a palette file. None takes
        the one that a report in DST names; where there is none, classes are called by their
        numbers and have the colour that most files give them.
    ignore_index: the one that is no class; None takes the palette's own, else 255. It is counted,
        but has no part in shares and weights.
    report: a file for a row of each label map. progress: as in `convert_directory`.
    options: the fields of `ReadOptions`.

    Takes the same memory for any number of files, and gives the same in whatever order they come
    (but which are told apart of more than 4096 sizes, or of more than 16 colours of an index).
    A file that is no label map becomes a failed row of `Stats.report` and is not counted.
    Raises UsageError, PaletteError, OutputError and Interrupted.
    """
    if ignore_index is not None and not _is_index(ignore_index):
        raise UsageError(f"ignore_index must be 0 to {MAX_INDEX}, got {ignore_index!r}")
    where = os.fspath(dst)
    settings = ReadOptions(**options)
    sources = Inputs.of([where], settings)
    table = load_palette(palette) if palette is not None else palette_of_run(where)
    if ignore_index is None:
        ignore_index = table.ignore_for(8) if table is not None else 255
    tally = Tally(ignore_index)
    done = look(
        sources,
        Counting(settings),
        verb="stats",
        report=report,
        progress=progress,
        tally=tally.add,
    )
    return conclude(done, tally, table)


def _is_index(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_INDEX


def check_outputs(table: StrPath | None, plots: StrPath | None) -> None:
    """Refuse what could not be written once all is counted, and make the folder of plots.

    table: of `save_csv`. plots: of `save_plots`. Raises OutputError, and UsageError without
    matplotlib.
    """
    if table is not None:
        _check_table(table)
    if plots is not None:
        make_plot_folder(plots)


def check_folder(dst: StrPath) -> None:
    """Refuse what `Stats.as_mmseg` could not name: all but a folder here. Raises UsageError."""
    if not os.path.isdir(dst):
        raise UsageError(
            f"mmsegmentation reads label maps from a folder of this machine, got {os.fspath(dst)}; "
            "name a folder, or leave --mmseg out"
        )


def save_csv(found: Stats, path: StrPath) -> None:
    """Write `Stats.as_csv`, in the place of an earlier one and of no other. Raises OutputError."""
    _check_table(path)
    write_atomically(os.fspath(path), found.as_csv().encode("utf-8", "backslashreplace"))


def _check_table(path: StrPath) -> None:
    """A table may replace a table: the path could be that of a palette or of a label map."""
    advice = "--csv must name a new file, or an earlier table, in a folder that exists"
    check_replaceable(os.fspath(path), CSV_HEAD.encode(), advice)


def save_plots(found: Stats, folder: StrPath) -> tuple[str, ...]:
    """Write pixels.svg, images.svg and co-occurrence.svg to a folder; returns their paths.

    Of the ignore index nothing is drawn. Raises OutputError, and UsageError without matplotlib.
    """
    paths = []
    for name, svg in draw_stats(found).items():
        paths.append(os.path.join(folder, f"{name}.svg"))
        write_atomically(paths[-1], svg.encode("utf-8"))
    return tuple(paths)
