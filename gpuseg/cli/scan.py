"""`gpuseg scan`."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from gpuseg.cli.options import reading
from gpuseg.cli.running import Output, files_to_read
from gpuseg.text import as_argument, one_line

if TYPE_CHECKING:
    from gpuseg.errors import GpusegError
    from gpuseg.verbs.scan import Scan

_SHOWN = 16


@click.command(short_help="Count all colours of a dump: which palette is it, and is all well?")
@click.argument("src", type=click.Path())
@click.option("--sample", type=int, metavar="N", help="Look at N files only, the same each time.")
@click.option("--palette", metavar="NAME|FILE", help="Judge by this one.  [default: best preset]")
@click.option("--propose", metavar="FILE", help="Write a palette of the colours: .json, .csv …")
@reading
def scan(src: str, propose: str | None, **flags: Any) -> None:
    """Count all colours and indices of the images below SRC, and say what they are.

    Tells which preset explains them, which colours it lacks and why, which files are of another
    kind, and the command to run next.
    """
    from gpuseg.verbs.scan import scan as work

    output = Output(flags)
    if propose is not None:
        _check_place(propose, flags["report"])
    found = output.look(
        _counting(files_to_read(src, flags=flags), flags["sample"]),
        lambda show: work(src, progress=show, **flags),
    )
    failure = _propose(found, propose) if propose is not None else None
    tell = partial(_tell, found, propose if failure is None else None)
    try:
        output.end(found.report, tell, found.as_dict() if output.as_json else None)
    finally:  # what was found out is told even where no palette can be proposed
        if failure is not None:
            raise failure


def _propose(found: Scan, path: str) -> GpusegError | None:
    """Write a palette; returns why there is none."""
    from gpuseg.errors import GpusegError
    from gpuseg.palettes.writers import save_palette
    from gpuseg.results import count

    try:
        palette = found.propose()
        save_palette(palette, path)
    except GpusegError as error:
        return error
    classes = count(len(palette), "colour")
    click.echo(one_line(f"proposed palette: {path}: {palette.name}, {classes}"), err=True)
    return None


def _counting(count: Callable[[], int | None], sample: int | None) -> Callable[[], int | None]:
    def counted() -> int | None:
        found = count()
        return found if sample is None or found is None else min(sample, found)

    return counted


def _check_place(path: str, report: str | None) -> None:
    """Refuse a palette file that cannot be written, before the work begins.

    Raises UsageError for its format, or for the place of the report, OutputError for its place.
    """
    from pathlib import Path

    from gpuseg.errors import UsageError
    from gpuseg.output import check_replaceable
    from gpuseg.palette import Palette
    from gpuseg.palettes.writers import render_palette

    render_palette(Palette.from_colours([(0, 0, 0)]), Path(path).suffix)
    check_replaceable(path, None, "remove it first, or choose another name")
    if report is not None and os.path.realpath(report) == os.path.realpath(path):
        raise UsageError(f"--propose and --report must name two files, got {path} for both")


def _tell(found: Scan, proposed: str | None) -> None:
    _tell_kinds(found)
    _tell_colours(found)
    _tell_palettes(found)
    _tell_unknown(found)
    for note in found.notes:
        click.echo(one_line(f"note: {note}"))
    click.echo(one_line(found.report.summary()))
    if found.report.path is not None:
        click.echo(f"report: {one_line(str(found.report.path))}")
    click.echo()
    click.echo(one_line(found.conclusion.words))
    command = found.conclusion.command
    if proposed is not None and found.conclusion.proposed:
        command = f"{found.conclusion.proposed} {as_argument(proposed)}"
    if command:
        click.echo(one_line(f"next: {command}"))


def _tell_kinds(found: Scan) -> None:
    from gpuseg.census.tally import ranked

    for group, files in ranked(found.tally.groups)[:_SHOWN]:
        click.echo(one_line(f"{files:>9,}  {group}"))
    sizes = ranked(found.tally.sizes)[:3]
    shown = ", ".join(f"{w} x {h} ({n:,})" if w else f"others ({n:,})" for (w, h), n in sizes)
    more = len(found.tally.sizes) - len(sizes)
    if sizes:
        click.echo(f"sizes: {shown}{f' and {more} more' if more > 0 else ''}")


def _tell_colours(found: Scan) -> None:
    from gpuseg.census.facts import hex_of
    from gpuseg.results import count, percent

    keys, pixels, files = found.tally.colours()
    total = max(1, found.tally.coloured_pixels)
    if len(keys):
        click.echo(f"colours: {len(keys):,} in {count(found.tally.coloured, 'file')}")
    names = {}
    if found.chosen is not None and found.chosen.order == "rgb":
        names = {entry.hex: f"{entry.index} {entry.name}" for entry in found.chosen.palette.classes}
    rows = zip(keys.tolist(), pixels.tolist(), files.tolist(), strict=True)
    for _, (key, number, held) in zip(range(_SHOWN), rows, strict=False):
        name = names.get(hex_of(key), "")
        share = percent(number, total)
        line = f"  {hex_of(key)} {number:>15,} px {share:>12} in {held:>9,} files  {name}"
        click.echo(one_line(line.rstrip()))
    if len(keys) > _SHOWN:
        click.echo(f"  … and {len(keys) - _SHOWN:,} more; --json lists 256")


def _tell_palettes(found: Scan) -> None:
    from gpuseg.census.presets import FEW
    from gpuseg.results import percent

    total = max(1, found.tally.coloured_pixels)
    enough = [one for one in found.candidates[:3] if 2 * one.pixels >= total and one.colours >= FEW]
    for one in enough:
        swapped = " with red and blue exchanged" if one.order == "bgr" else ""
        click.echo(
            one_line(
                f"{one.palette.name}{swapped}: {percent(one.pixels, total)} of the pixels, "
                f"{one.colours} of its {len(one.palette)} colours, "
                f"{one.files:,} of {found.tally.coloured:,} files wholly"
            )
        )


def _tell_unknown(found: Scan) -> None:
    from gpuseg.census.facts import hex_of
    from gpuseg.results import count

    if found.lack is None or not found.lack.colours:
        return
    lack = found.lack
    click.echo(f"not in the palette: {count(lack.colours, 'colour')}, {lack.pixels:,} px")
    for one in lack.shown[:8]:
        where = f"{one.pixels:,} px in {count(one.files, 'file')}, for instance {one.example}"
        click.echo(one_line(f"  {hex_of(one.key)} {where}: {one.words}"))
