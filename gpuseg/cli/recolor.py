"""`gpuseg recolor`."""

from __future__ import annotations

from typing import Any

import click

from gpuseg.cli.options import IGNORE_INDEX, palette_option, take_palette, writing
from gpuseg.cli.running import Output, files_to_write, print_summary


@click.command(short_help="Give label maps other colours, without decoding a pixel.")
@click.argument("src", type=click.Path())
@click.argument("dst", type=click.Path())
@palette_option()
@IGNORE_INDEX
@writing
def recolor(src: str, dst: str, **flags: Any) -> None:
    """Give every label map below SRC the colours of a palette; the copies go to DST.

    Indices stay as they are: only the palette chunk of each PNG is replaced.
    """
    from gpuseg.verbs.recolor import recolor as work

    output = Output(flags)
    flags["palette"] = take_palette(flags)
    report = output.write(
        files_to_write(src, dst, flags), lambda show: work(src, dst, progress=show, **flags)
    )
    output.end(report, lambda: print_summary(report, "label maps", dst))
