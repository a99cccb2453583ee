"""`gpuseg polygonize`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from gpuseg.cli.options import IGNORE_INDEX, palette_option, reading, take_palette
from gpuseg.cli.running import Output, files_to_read
from gpuseg.text import count, one_line

if TYPE_CHECKING:
    from gpuseg.verbs.polygonize import CocoFile


@click.command(short_help="Make COCO annotations of label maps: polygons or runs.")
@click.argument("dst", type=click.Path())
@click.argument("out", type=click.Path())
@palette_option("What the indices mean.  [default: as a report tells]")
@click.option(
    "--segmentation",
    type=click.Choice(["polygon", "rle"]),
    default="polygon",
    show_default=True,
    help="Polygons along the edges of pixels, or compressed runs.",
)
@click.option(
    "--by",
    type=click.Choice(["component", "class"]),
    default="component",
    show_default=True,
    help="One annotation for each connected region, or for each class.",
)
@click.option(
    "--connectivity",
    type=click.Choice(["4", "8"]),
    default="4",
    show_default=True,
    help="8: pixels that touch at a corner are connected.",
)
@click.option(
    "--instances", type=click.Path(), metavar="DIR", help="Instance maps of the same names."
)
@click.option(
    "--min-area",
    type=int,
    default=1,
    show_default=True,
    metavar="N",
    help="Leave annotations of fewer pixels out.",
)
@click.option(
    "--background",
    metavar="NAME|INDEX|none",
    help="Class without annotations.  [default: the palette's]",
)
@IGNORE_INDEX
@click.option(
    "--image-suffix", metavar=".jpg", help="Of the images that file_name names.  [default: as is]"
)
@reading
def polygonize(dst: str, out: str, **flags: Any) -> None:
    """Write the regions of the label maps below DST, or of the one that DST is, to OUT.json.

    In COCO's format for objects. Polygons and runs give exactly the same pixels again by
    pycocotools, and by gpuseg rasterize.
    """
    from gpuseg.verbs.polygonize import polygonize as work

    output = Output(flags)
    palette = take_palette(flags)
    flags["connectivity"] = int(flags["connectivity"])
    found = output.look(
        files_to_read(dst, flags=flags),
        lambda show: work(dst, out, palette, progress=show, **flags),
    )
    output.end(found.report, lambda: _tell(found), found.as_dict())


def _tell(found: CocoFile) -> None:
    click.echo(one_line(found.report.summary()))
    for remark in found.remarks:
        click.echo(one_line(f"note: {remark}"), err=True)
    if found.path is None:
        click.echo("nothing was written", err=True)
        return
    if found.palette:
        click.echo(one_line(f"palette: {found.palette}"))
    click.echo(
        f"{count(found.annotations, 'annotation')} of {count(found.images, 'image')}, "
        f"{found.categories:,} categor{'y' if found.categories == 1 else 'ies'}"
    )
    click.echo(one_line(f"annotations: {found.path}"))
