"""`gpuseg colorize`."""

from __future__ import annotations

from typing import Any

import click

from gpuseg.cli.options import IGNORE_INDEX, palette_option, take_palette, writing
from gpuseg.cli.running import Output, files_to_write, print_summary


@click.command(short_help="Paint label maps, alone or over photographs.")
@click.argument("src", type=click.Path())
@click.argument("dst", type=click.Path())
@palette_option("Their colours.  [default: each file's own]")
@click.option("--over", metavar="DIR", help="Photographs of the same names to paint over.")
@click.option("--alpha", type=float, help="With --over: 0 only the photograph, 1 only colours.")
@IGNORE_INDEX
@writing
def colorize(src: str, dst: str, alpha: float | None, **flags: Any) -> None:
    """Paint every label map below SRC; the RGB PNGs go to DST.

    Greyscale label maps need --palette, unless gpuseg made SRC: its report knows the palette.
    """
    from gpuseg.errors import UsageError
    from gpuseg.verbs.colorize import colorize as work

    output = Output(flags)
    flags["palette"] = take_palette(flags)
    if alpha is not None:
        if flags["over"] is None:
            raise UsageError("--alpha belongs to --over, which names a folder of photographs")
        flags["alpha"] = alpha
    report = output.write(
        files_to_write(src, dst, flags), lambda show: work(src, dst, progress=show, **flags)
    )
    output.end(report, lambda: print_summary(report, "colours", dst))
