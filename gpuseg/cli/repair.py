"""`gpuseg repair`."""

from __future__ import annotations

from typing import Any

import click

from gpuseg.cli.options import GREY, palette_option, take_palette, writing
from gpuseg.cli.running import Output, files_to_write, print_summary


@click.command(short_help="Give antialiased borders of colour masks one class or the other.")
@click.argument("src", type=click.Path())
@click.argument("dst", type=click.Path())
@palette_option()
@GREY
@click.option(
    "--keep-unrepaired",
    is_flag=True,
    help="Write a mask although unknown colours are left in it, with a warning in its row.",
)
@writing
def repair(src: str, dst: str, **flags: Any) -> None:
    """Repair the antialiased borders of every colour mask below SRC; the masks go to DST.

    A pixel whose colour is not in the palette takes the colour of a neighbour where its own lies
    between those of two classes beside it. All other pixels stay as they are. A mask in which
    other unknown colours are left fails.
    """
    from gpuseg.verbs.repair import repair as work

    output = Output(flags)
    flags["palette"] = take_palette(flags)
    report = output.write(
        files_to_write(src, dst, flags), lambda show: work(src, dst, progress=show, **flags)
    )
    output.end(report, lambda: print_summary(report, "colour masks", dst))
