"""`gpuseg check`."""

from __future__ import annotations

from typing import Any, get_args

import click

from gpuseg.cli.running import Output, files_to_read, reading
from gpuseg.cli.text import one_line
from gpuseg.options import OnDuplicate


@click.command(short_help="Check that files are label maps of a palette.")
@click.argument("dst", type=click.Path())
@click.option("--palette", required=True, metavar="NAME|FILE", help="A preset or a palette file.")
@click.option("--ignore-index", type=int, help="Index of 'no class'.  [default: palette's, or 255]")
@click.option(
    "--on-duplicate",
    type=click.Choice(get_args(OnDuplicate)),
    default="error",
    show_default=True,
    help="Which class keeps a colour that the palette file gives to several.",
)
@click.option(
    "--depth",
    type=click.Choice(["8", "16"]),
    help="Bits a label: palette PNG, or 16-bit greyscale PNG.  [default: 8 if the palette fits]",
)
@click.option(
    "--any-colours", is_flag=True, help="Check indices only: colours may be others, or none."
)
@reading
def check(dst: str, **flags: Any) -> None:
    """Check that every file below DST is a label map of a palette: format, colours, indices.

    It needs no masks. Exit code 1 where a file is none.
    """
    from gpuseg.palettes.load import load_palette
    from gpuseg.verbs.check import check as work

    output = Output(flags)
    palette = load_palette(flags.pop("palette"), on_duplicate=flags.pop("on_duplicate"))
    flags["depth"] = int(flags["depth"]) if flags["depth"] else None
    report = output.write(
        files_to_read(dst, flags=flags),
        lambda show: work(dst, palette, progress=show, **flags),
    )
    output.end(report, lambda: click.echo(one_line(report.summary())))
