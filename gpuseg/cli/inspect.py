"""`gpuseg inspect`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gpuseg.cli.options import reading
from gpuseg.cli.running import Output, files_to_read
from gpuseg.text import one_line

if TYPE_CHECKING:
    from gpuseg.census.facts import Facts
    from gpuseg.results import FileResult
    from gpuseg.verbs.inspect import Inspection


@click.command(short_help="Say what images are: colour masks, label maps, id maps, damaged …")
@click.argument("paths", nargs=-1, required=True, type=click.Path())
@reading
def inspect(paths: tuple[str, ...], **flags: Any) -> None:
    """Say what each image of PATHS, files and folders, is, and what to do with it.

    One file gets all that is known of it, several get a line each, and a table of verdicts.
    """
    from gpuseg.verbs.inspect import inspect as work

    output = Output(flags)
    found = output.look(
        files_to_read(*paths, flags=flags), lambda show: work(*paths, progress=show, **flags)
    )
    output.end(found.report, lambda: _tell(found), found.as_dict() if output.as_json else None)


def _tell(found: Inspection) -> None:
    if found.report.done == 1:
        _tell_one(found.rows[0])
        return
    for result in found.rows:
        click.echo(one_line(f"{result.source}: {_line(result)}"))
    if found.is_cut:
        click.echo(f"… and {found.report.done - len(found.rows):,} more; --report FILE holds all")
    click.echo()
    for code, group in found.as_dict()["verdicts"].items():
        example = one_line(group["example"])
        click.echo(f"{group['files']:>9,}  {code:<20} for instance {example}")
    click.echo(one_line(found.report.summary()))


def _line(result: FileResult) -> str:
    facts = _facts(result)
    if facts is None:
        return f"failed: {result.message}"
    return f"{facts.verdict.words}{''.join(f'; {warning}' for warning in result.warnings)}"


def _facts(result: FileResult) -> Facts | None:
    from gpuseg.census.facts import Facts

    return result.details if isinstance(result.details, Facts) else None


def _tell_one(result: FileResult) -> None:
    facts = _facts(result)
    click.echo(one_line(result.source))
    if facts is None:
        click.echo(one_line(f"  failed: {result.message}"))
        return
    click.echo(one_line(f"  {facts.verdict.words}"))
    for warning in result.warnings:
        click.echo(one_line(f"  {warning}"))
    click.echo(f"  verdict    {facts.verdict.code}")
    interlaced = ", interlaced" if facts.interlaced else ""
    bits = f"{facts.kind}, {facts.bits} bits{interlaced}"
    click.echo(f"  image      {result.format}, {bits}, {result.width:,} x {result.height:,} pixels")
    if facts.entries:
        which = f": {facts.palette}" if facts.palette else ", no preset's"
        click.echo(f"  palette    {facts.entries} entries{which}")
    if facts.alpha is not None:
        alpha = facts.alpha
        said = "opaque"
        if alpha.clear:
            said = f"{alpha.least} to {alpha.largest}, {alpha.clear:,} pixels not opaque"
        click.echo(f"  alpha      {said}")
    if facts.made_by_gpuseg:
        click.echo(f"  made by    gpuseg, {facts.unknown:,} pixels of unknown colour replaced")
    _tell_contents(facts)


def _tell_contents(facts: Facts) -> None:
    from gpuseg.census.facts import SHOWN_COLOURS, hex_of

    pairs = [(str(index), pixels) for index, pixels in facts.indices]
    pairs = pairs or [(hex_of(key), pixels) for key, pixels in facts.colours]
    colours = dict(enumerate(map(hex_of, facts.index_colours)))
    what = "indices" if facts.indices else "colours"
    for number, (name, pixels) in enumerate(pairs[:SHOWN_COLOURS]):
        shown = f"{name:>3} {colours[number]}" if number in colours else name
        click.echo(f"  {what if not number else '':<10} {shown:<11} {pixels:>12,} px")
    hidden = facts.different - min(len(pairs), SHOWN_COLOURS)
    if hidden:
        click.echo(f"  {'':<10} … and {hidden:,} more")
