"""`gpuseg convert`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import click

from gpuseg.cli.options import GREY, IGNORE_INDEX, palette_option, take_palette, writing
from gpuseg.cli.running import Output, files_to_write, print_summary
from gpuseg.options import (
    DEFAULT_BATCH_PIXELS,
    Codec,
    Unknown,
)

if TYPE_CHECKING:
    from gpuseg.results import Report
    from gpuseg.runs import Progress


@click.command(short_help="Convert a folder of colour masks to label maps.")
@click.argument("src", type=click.Path())
@click.argument("dst", type=click.Path())
@palette_option()
@click.option(
    "--unknown",
    type=click.Choice(get_args(Unknown)),
    default="error",
    show_default=True,
    help="What a colour outside the palette becomes: an error of its file, the ignore index, "
    "the nearest palette colour, or the class of a neighbour where it lies between the colours "
    "of two classes beside it, as on antialiased borders (border: else an error; "
    "border-ignore: else the ignore index).",
)
@click.option("--tolerance", type=float, help="With nearest: the largest RGB distance replaced.")
@IGNORE_INDEX
@click.option(
    "--depth",
    type=click.Choice(["8", "16"]),
    default="8",
    show_default=True,
    help="Bits a label: palette PNG, or 16-bit greyscale PNG for more than 256 classes.",
)
@click.option(
    "--device",
    metavar="auto|cpu|cuda|cuda:N,M",
    default="auto",
    show_default=True,
    help="auto takes a GPU if the first files show that it is faster than the CPU; cuda:0,1 takes "
    "two, a process each.",
)
@click.option(
    "--codec",
    type=click.Choice(get_args(Codec)),
    default="auto",
    show_default=True,
    help="auto reads and writes PNGs of the usual kinds by itself, the rest by Pillow.",
)
@GREY
@click.option(
    "--batch-pixels",
    type=int,
    default=DEFAULT_BATCH_PIXELS,
    show_default=True,
    help="Pixels that go to a GPU together.",
)
@click.option("--verify", is_flag=True, help="Read each label map back before it gets its name.")
@writing
def convert(src: str, dst: str, **flags: Any) -> None:
    """Convert every colour mask below SRC into a label map below DST.

    SRC is a folder or one file; DST mirrors its folders, names keep their stem and get the
    suffix .png. Both may be archives (.tar, .tar.gz, .zip, .parquet), many of them
    ('train-{000000..000099}.tar') or URLs (s3://bucket/masks). Files that are done and
    unchanged are left alone, so a run that was stopped can simply be started again.
    """
    from gpuseg.convert import convert_directory, convert_files
    from gpuseg.finding import is_archive, is_file

    output = Output(flags)
    palette = take_palette(flags)
    flags["depth"] = int(flags["depth"])
    single = is_file(src) and not is_archive(src)
    run = convert_files if single else convert_directory
    source: Any = [src] if single else src

    def work(progress: Progress) -> Report:
        return run(source, dst, palette, progress=progress, **flags)

    report = output.write(files_to_write(src, dst, flags), work)
    output.end(report, lambda: print_summary(report, "label maps", dst))
