"""`gpuseg verify`."""

from __future__ import annotations

from typing import Any

import click

from gpuseg.cli.options import IGNORE_INDEX, palette_option, reading, take_palette
from gpuseg.cli.running import Output, files_to_write
from gpuseg.text import one_line


@click.command(short_help="Compare label maps with their colour masks, pixel by pixel.")
@click.argument("src", type=click.Path())
@click.argument("dst", type=click.Path())
@palette_option(
    "A preset or a palette file.  [default: that of the report in DST, else the colours of "
    "each label map]"
)
@IGNORE_INDEX
@click.option(
    "--allow-unknown",
    is_flag=True,
    help="Allow pixels of unknown colour where a label map does not report how many there are.",
)
@reading
def verify(src: str, dst: str, **flags: Any) -> None:
    """Compare the label maps below DST with the colour masks below SRC, pixel by pixel.

    Tells of label maps that differ, are missing, or come from no mask. Exit code 1 unless all
    are the same.
    """
    from gpuseg.verbs.verify import verify as work

    output = Output(flags)
    palette = take_palette(flags)
    report = output.write(
        files_to_write(src, dst, flags),
        lambda show: work(src, dst, palette=palette, progress=show, **flags),
    )
    output.end(report, lambda: click.echo(one_line(report.summary())))
