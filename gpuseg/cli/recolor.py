"""`gpuseg recolor`."""

from __future__ import annotations

from typing import Any

import click

from gpuseg.cli.running import Output, files_to_write, print_summary, writing


@click.command(short_help="Give label maps other colours, without decoding a pixel.")
@click.argument("src", type=click.Path())
@click.argument("dst", type=click.Path())
@click.option("--palette", required=True, metavar="NAME|FILE", help="A preset or a palette file.")
@click.option("--ignore-index", type=int, help="Index of 'no class'.  [default: palette's, or 255]")
@writing
def recolor(src: str, dst: str, **flags: Any) -> None:
    """Give every label map below SRC the colours of a palette; the copies go to DST.

    Indices stay as they are: only the palette chunk of each PNG is replaced.
    """
    from gpuseg.verbs.recolor import recolor as work

    output = Output(flags)
    report = output.write(
        files_to_write(src, dst, flags), lambda show: work(src, dst, progress=show, **flags)
    )
    output.end(report, lambda: print_summary(report, "label maps", dst))
