"""`gpuseg verify`."""

from __future__ import annotations

from typing import Any, get_args

import click

from gpuseg.cli.running import Output, files_to_write, reading
from gpuseg.cli.text import one_line
from gpuseg.options import OnDuplicate


@click.command(short_help="Compare label maps with their colour masks, pixel by pixel.")
@click.argument("src", type=click.Path())
@click.argument("dst", type=click.Path())
@click.option(
    "--palette",
    metavar="NAME|FILE",
    help="A preset or a palette file.  [default: that of the report in DST, else the colours of "
    "each label map]",
)
@click.option("--ignore-index", type=int, help="Index of 'no class'.  [default: palette's, or 255]")
@click.option(
    "--on-duplicate",
    type=click.Choice(get_args(OnDuplicate)),
    default="error",
    show_default=True,
    help="Which class keeps a colour that the palette file gives to several.",
)
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
    from gpuseg.palettes.load import load_palette
    from gpuseg.verbs.verify import verify as work

    output = Output(flags)
    palette, chosen = flags.pop("palette"), flags.pop("on_duplicate")
    if palette is not None:
        palette = load_palette(palette, on_duplicate=chosen)
    report = output.write(
        files_to_write(src, dst, flags),
        lambda show: work(src, dst, palette=palette, progress=show, **flags),
    )
    output.end(report, lambda: click.echo(one_line(report.summary())))
