"""`gpuseg check`."""

from __future__ import annotations

from typing import Any

import click

from gpuseg.cli.options import IGNORE_INDEX, palette_option, reading, take_palette
from gpuseg.cli.running import Output, files_to_read
from gpuseg.text import one_line


@click.command(short_help="Check that files are label maps of a palette.")
@click.argument("dst", type=click.Path())
@palette_option()
@IGNORE_INDEX
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
    from gpuseg.verbs.check import check as work

    output = Output(flags)
    palette = take_palette(flags)
    flags["depth"] = int(flags["depth"]) if flags["depth"] else None
    report = output.write(
        files_to_read(dst, flags=flags),
        lambda show: work(dst, palette, progress=show, **flags),
    )
    output.end(report, lambda: click.echo(one_line(report.summary())))
