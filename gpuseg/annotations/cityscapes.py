"""Cityscapes polygons (gtFine, gtCoarse: `*_polygons.json`): one image a file.

Drawn as cityscapesScripts does (`preparation/json2labelImg.py`, `json2instanceImg.py`): by
Pillow, in the order of the file. Objects that are `deleted` are left out, and `license plate`,
whose id is negative, unless the palette has an index for it. A label that is no class of
Cityscapes and ends with `group` is the class without that word, as several that were not told
apart. Classes whose trainId is 255 get the ignore index where the palette lacks them.
"""

from __future__ import annotations

from typing import Any

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.documents import json_of
from gpuseg.annotations.fields import (
    label_of,
    list_of,
    object_of,
    points_of,
    shapes_of,
    size_of,
)
from gpuseg.annotations.format import Format, Outline
from gpuseg.annotations.image_sizes import size_beside
from gpuseg.annotations.road_classes import CITYSCAPES_NAMES, CITYSCAPES_STUFF, CITYSCAPES_VOID
from gpuseg.discover import Source
from gpuseg.shapes import Picture, Polygon, Shape, Uncounted

GROUP = "group"
_LEAST = 2
"""Points of a polygon that Pillow draws: two are a line."""


class Cityscapes(Format):
    """The format."""

    name = "cityscapes"
    title = "Cityscapes JSON"
    ignored = CITYSCAPES_VOID
    undrawn = frozenset({"license plate"})

    def recognises(self, outline: Outline) -> bool:
        """The size of an image, and objects with polygons, or none."""
        sized = outline.has("imgHeight", "imgWidth", "objects")
        found = outline.of("objects")
        return outline.kind == "json" and sized and ("polygon" in found or not found)

    def read(self, source: Source, choices: ReadingChoices) -> Picture:
        """The objects of one file."""
        value = object_of(json_of(source), "the file")
        objects = list_of(value.get("objects"), "`objects`")
        width, height = size_of(
            value.get("imgWidth"),
            value.get("imgHeight"),
            choices,
            lambda: size_beside(source, source.relative, choices),
        )
        shapes, bad, left_out = shapes_of(objects, _shape)
        return Picture(width, height, shapes, "pillow", bad, left_out)


def _shape(value: Any, number: int) -> Shape | str:
    if value.get("deleted"):
        return "deleted"
    label = label_of(value.get("label"))
    if "polygon" not in value and "bbox" in value:
        return "bbox"
    whole = label in CITYSCAPES_NAMES or not label.endswith(GROUP)
    name = label if whole else label.removesuffix(GROUP)
    instance = None if whole else Uncounted.GROUP
    if name in CITYSCAPES_STUFF:
        instance = Uncounted.STUFF
    polygon = Polygon(points_of(value.get("polygon"), _LEAST))
    return Shape(name, (polygon,), number, instance)
