"""`gpuseg rasterize`."""

from __future__ import annotations

from typing import Any

import click

from gpuseg.cli.options import IGNORE_INDEX, drawing, palette_option, take_palette
from gpuseg.cli.running import Output, print_summary
from gpuseg.errors import UsageError


def _size(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, int] | None:
    """What --size says. Raises UsageError."""
    if value is None:
        return None
    width, x, height = value.lower().partition("x")
    if not (x and width.isdecimal() and height.isdecimal()):
        raise UsageError(f"size must be WIDTHxHEIGHT, for instance 1280x720, got {value!r}")
    return int(width), int(height)


FORMAT_CHOICES = (
    "auto",
    "ade20k",
    "ade20k-polygons",
    "bdd100k",
    "cityscapes",
    "coco",
    "coco-panoptic",
    "cvat",
    "labelme",
    "scalabel",
    "supervisely",
    "via",
    "voc",
)
"""For --help, which is quick when it loads no formats; the run refuses others."""

_CROWD = ("ignore", "class", "skip")
_ORDER = ("file", "reverse", "area", "z")


@click.command(short_help="Draw label maps of polygons and other annotations.")
@click.argument("annotations", type=click.Path())
@click.argument("dst", type=click.Path())
@palette_option()
@click.option(
    "--format",
    metavar=f"[{'|'.join(FORMAT_CHOICES)}]",
    callback=lambda ctx, param, value: value.lower(),
    default="auto",
    show_default=True,
    help="Of the annotations; auto finds all out but ade20k-polygons.",
)
@click.option(
    "--labels",
    type=click.Path(),
    metavar="FILE",
    help="What labels become: class, index, ignore or skip (JSON, CSV, TSV).",
)
@click.option(
    "--unknown",
    type=click.Choice(["error", "ignore"]),
    default="error",
    show_default=True,
    help="What to do with labels that are no class of the palette.",
)
@click.option(
    "--bad-shapes",
    type=click.Choice(["error", "skip"]),
    default="error",
    show_default=True,
    help="What to do with shapes that cannot be drawn.",
)
@click.option(
    "--background",
    metavar="NAME|INDEX|ignore",
    help="Class of pixels without a shape.  [default: palette's, or ignored]",
)
@click.option(
    "--order",
    type=click.Choice(_ORDER),
    help="Which shape is drawn over which.  [default: the format's]",
)
@click.option(
    "--crowd", type=click.Choice(_CROWD), help="What crowds become.  [default: the format's]"
)
@click.option(
    "--border", type=int, default=0, metavar="N", help="Void pixels on either side of borders."
)
@click.option(
    "--instances", type=click.Choice(["16", "palette"]), help="Write instance maps instead."
)
@click.option(
    "--line-width",
    type=int,
    metavar="N",
    help="Of lines and points, in pixels.  [default: the tool's]",
)
@click.option(
    "--images", type=click.Path(), metavar="DIR", help="Images, for sizes that are not told."
)
@click.option("--size", callback=_size, metavar="WxH", help="Of images whose size is not told.")
@click.option(
    "--masks",
    type=click.Path(),
    metavar="DIR",
    help="Masks that annotations name (coco-panoptic, ade20k).",
)
@click.option("--label-key", metavar="NAME", help="Attribute that names the class (via, scalabel).")
@click.option(
    "--depth",
    type=click.Choice(["8", "16"]),
    default="8",
    show_default=True,
    help="Bits of a label.",
)
@IGNORE_INDEX
@drawing
def rasterize(annotations: str, dst: str, **flags: Any) -> None:
    """Draw a label map of each image that ANNOTATIONS, a file or a folder, tells of; into DST.

    Takes LabelMe, COCO instances and panoptic, CVAT for images, VOC's folders of masks,
    Cityscapes, Scalabel and BDD100K, ADE20K, Supervisely, and VGG Image Annotator (VIA).
    Labels are looked up by the names of the palette's classes.
    """
    from gpuseg.rasterizing.options import RasterizeOptions
    from gpuseg.verbs.rasterize import count_images
    from gpuseg.verbs.rasterize import rasterize as work

    output = Output(flags)
    palette = take_palette(flags)
    flags["depth"] = int(flags["depth"])
    choosing = {name: flags[name] for name in ("format", "pattern", "shard")}
    report = output.write(
        lambda: count_images(annotations, dst, RasterizeOptions(**choosing)),
        lambda show: work(annotations, dst, palette, progress=show, **flags),
    )
    output.end(report, lambda: print_summary(report, "label maps", dst))
