"""`gpuseg convert`."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any, get_args

import click

from gpuseg.cli.text import one_line
from gpuseg.options import (
    DEFAULT_BATCH_PIXELS,
    DEFAULT_MAX_PIXELS,
    Codec,
    Grey,
    OnDuplicate,
    Shard,
    Unknown,
)

if TYPE_CHECKING:
    from gpuseg.report import Report


def _shard(ctx: click.Context, param: click.Parameter, value: str) -> Shard:
    """What --shard says. Raises UsageError, which says how it is written."""
    return Shard.parse(value)


@click.command(short_help="Convert a folder of colour masks to label maps.")
@click.argument("src", type=click.Path())
@click.argument("dst", type=click.Path())
@click.option("--palette", required=True, metavar="NAME|FILE", help="A preset or a palette file.")
@click.option(
    "--unknown",
    type=click.Choice(get_args(Unknown)),
    default="error",
    show_default=True,
    help="What a colour outside the palette becomes: an error of its file, the ignore index, "
    "or the nearest palette colour.",
)
@click.option("--tolerance", type=float, help="With nearest: the largest RGB distance replaced.")
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
@click.option(
    "--workers", type=int, help="Threads; in long runs processes.  [default: usable processors]"
)
@click.option("--pattern", metavar="GLOB", help="File names to take.  [default: image suffixes]")
@click.option(
    "--grey",
    type=click.Choice(get_args(Grey)),
    default="auto",
    show_default=True,
    help="Greyscale files: auto refuses what may be finished class indices, colours reads "
    "the values as grey colours.",
)
@click.option("--overwrite", is_flag=True, help="Replace targets that gpuseg did not write.")
@click.option("--no-resume", is_flag=True, help="Convert again what is up to date.")
@click.option(
    "--shard", metavar="K/N", default="1/1", callback=_shard, help="Convert part K of N only."
)
@click.option(
    "--max-pixels",
    type=int,
    default=DEFAULT_MAX_PIXELS,
    show_default=True,
    help="Refuse larger images, from their header.",
)
@click.option(
    "--batch-pixels",
    type=int,
    default=DEFAULT_BATCH_PIXELS,
    show_default=True,
    help="Pixels that go to a GPU together.",
)
@click.option(
    "--report",
    metavar="FILE",
    help="JSON Lines, a row a file.  [default: gpuseg-report.jsonl in DST]",
)
@click.option("--dry-run", is_flag=True, help="Decode and check everything, write nothing.")
@click.option("--verify", is_flag=True, help="Read each label map back before it gets its name.")
@click.option("--fail-fast", is_flag=True, help="Stop at the first file that fails.")
@click.option("--quiet", "-q", is_flag=True, help="Print failures only.")
@click.option("--json", "as_json", is_flag=True, help="Print the summary as JSON.")
@click.pass_context
def convert(ctx: click.Context, /, src: str, dst: str, **flags: Any) -> None:
    """Convert every colour mask below SRC into a label map below DST.

    SRC is a folder or one file; DST mirrors its folders, names keep their stem and get the
    suffix .png. Files that are done and unchanged are left alone, so a run that was stopped
    can simply be started again.
    """
    from gpuseg.cli.progress import Bar
    from gpuseg.convert import convert_directory, convert_files
    from gpuseg.errors import DeviceError, Interrupted
    from gpuseg.palettes.load import load_palette

    quiet, as_json = flags.pop("quiet"), flags.pop("as_json")
    palette = load_palette(flags.pop("palette"), on_duplicate=flags.pop("on_duplicate"))
    flags["resume"] = not flags.pop("no_resume")
    flags["depth"] = int(flags["depth"])
    visible = sys.stderr.isatty() and not (quiet or as_json)
    with Bar(src, dst, flags["pattern"], flags["shard"], visible=visible) as bar:
        run = convert_files if os.path.isfile(src) else convert_directory
        source: Any = [src] if os.path.isfile(src) else src
        failed = ""
        try:
            report = run(source, dst, palette, progress=bar.show, **flags)
        except Interrupted as interrupt:
            report = interrupt.report
        except DeviceError as error:
            if error.report is None:  # nothing was started
                raise
            report, failed = error.report, str(error)
    if failed:
        click.echo(one_line(f"failed: {failed}"), err=True)
    _print_failures(report)
    if as_json:
        click.echo(json.dumps({**report.as_dict(), "report": str(report.path or "")}))
    elif not quiet:
        _print_summary(report, dst)
    ctx.exit(report.exit_code)


def _print_failures(report: Report) -> None:
    from gpuseg.report import count

    for failure in report.failures:
        click.echo(one_line(f"failed {failure.source}: {failure.message}"), err=True)
    hidden = report.failed - len(report.failures)
    if hidden > 0:
        click.echo(f"… and {count(hidden, 'more failure')}", err=True)


def _print_summary(report: Report, dst: str) -> None:
    click.echo(one_line(report.summary()))
    if report.files["converted"] + report.files["unchanged"]:
        click.echo(f"label maps: {one_line(dst)}")
    click.echo(f"device: {one_line(report.device)}")
    if report.path is not None:
        click.echo(f"report: {one_line(str(report.path))}")
