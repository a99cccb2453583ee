"""COCO instances: one JSON file with the annotations of many images.

By COCO's description of its format (cocodataset.org/#format-data) and what pycocotools (2.0.11,
`COCO.annToRLE`) makes of it: the polygons of an annotation are one area, and so are runs,
uncompressed (a list of counts) or compressed (a text). Shapes are drawn in the order of the file,
later ones over earlier ones, as cocostuffapi does where it lets them overlap
(`cocoSegmentationToSegmentationMap` in cocostuffhelper.py).

A crowd (`iscrowd`) marks pixels of many things that are not told apart, and is ignored unless told
otherwise. CVAT calls every bitmap a crowd: its exports need the choice `class`.

An annotation without a segmentation marks no area: Datumaro (1.13, `_CocoBase._load_annotations`)
reads no more than a box of it, too. But CVAT's rectangles are such, and known by
`attributes.rotation`, which CVAT gives to no other shape (bindings.py, `_convert_shape`): they are
drawn, turned, as in CVAT's own masks. VGG Image Annotator (2.0.8, via.js) writes a polygon as one
flat list, without a list of polygons around it, and `image_id` as a text.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from gpuseg.annotations.choices import CROWD, Crowd, ReadingChoices
from gpuseg.annotations.coco_album import CocoAlbum
from gpuseg.annotations.coco_runs import runs_of
from gpuseg.annotations.coco_tables import key_of
from gpuseg.annotations.documents import json_of
from gpuseg.annotations.fields import (
    ShapeFaultError,
    flag_of,
    flat_points,
    list_of,
    number_of,
    object_of,
    shapes_of,
    shown,
    size_of,
)
from gpuseg.annotations.format import SHAPES, Album, Format, Outline
from gpuseg.annotations.image_sizes import size_beside
from gpuseg.discover import Source
from gpuseg.shapes import Box, Part, Picture, Polygon, Shape

BARE = "annotation without a segmentation"


class Coco(Format):
    """The format."""

    name = "coco"
    title = "COCO instances"
    holds_many = True
    leaves_open: ClassVar[frozenset[str]] = SHAPES | {"crowd"}

    def recognises(self, outline: Outline) -> bool:
        """Images, and annotations of these which have a category of their own, or none at all."""
        found = outline.of("annotations")
        if outline.kind != "json" or not outline.has("images", "annotations"):
            return False
        if not found:  # all three lists are seen, and this one has no element
            categories = outline.of("categories")
            return "name" in categories and "isthing" not in categories
        return {"image_id", "category_id"} <= found and "segments_info" not in found

    def album(self, path: str, choices: ReadingChoices) -> Album:
        """The images of a file."""
        return CocoAlbum(path)

    def read(self, source: Source, choices: ReadingChoices) -> Picture:
        """The annotations of one image, as `CocoAlbum` gives them."""
        value = object_of(json_of(source), "the file")
        image = object_of(value.get("image"), "the image")
        width, height = size_of(
            image.get("width"),
            image.get("height"),
            choices,
            lambda: size_beside(source, source.relative, choices),
        )
        names = dict(list_of(value.get("categories"), "`categories`"))
        shapes, bad, left_out = shapes_of(
            list_of(value.get("annotations"), "`annotations`"),
            partial(_named, names=names, size=(width, height), crowd=choices.crowd or self.crowd),
        )
        return Picture(width, height, shapes, "coco", bad, left_out)


def _named(value: Any, number: int, **others: Any) -> Shape | str:
    """An annotation, which messages call by its id."""
    try:
        return _shape(value, number, **others)
    except ShapeFaultError as fault:
        told = f"(id {shown(value['id'])}) " if "id" in value else ""
        raise ShapeFaultError(f"{told}{fault}") from fault


def _shape(
    value: Any, number: int, names: Mapping[Any, str], size: tuple[int, int], crowd: Crowd
) -> Shape | str:
    is_crowd = flag_of(value.get("iscrowd"), "iscrowd")
    if is_crowd and crowd == "skip":
        return CROWD
    parts = _parts(value, size)
    if not parts:
        return BARE
    category = key_of(value.get("category_id"))
    if category not in names:
        raise ShapeFaultError(
            f"has a category_id that `categories` does not hold: {shown(value.get('category_id'))}"
        )
    return Shape(names[category], parts, number, ignored=is_crowd and crowd == "ignore")


def _parts(value: Mapping[str, Any], size: tuple[int, int]) -> tuple[Part, ...]:
    """What an annotation covers, nothing where it says nothing of that."""
    found = value.get("segmentation")
    if isinstance(found, dict):
        return (runs_of(found, size),)
    if found is None or found in ([], [[]]):
        return _rectangle(value)
    if not isinstance(found, list):
        raise ShapeFaultError(f"needs polygons or runs for its segmentation, got {shown(found)}")
    polygons = found if isinstance(found[0], list) else [found]
    return tuple(Polygon(flat_points(each, 3)) for each in polygons)


def _rectangle(value: Mapping[str, Any]) -> tuple[Part, ...]:
    """One of CVAT's."""
    attributes = value.get("attributes")
    if not isinstance(attributes, dict) or "rotation" not in attributes:
        return ()
    box = value.get("bbox")
    if not isinstance(box, list) or len(box) != 4:
        raise ShapeFaultError(f"needs 4 numbers for its bbox, got {shown(box)}")
    left, top, width, height = (number_of(each, "its bbox") for each in box)
    rotation = number_of(attributes["rotation"], "its rotation")
    return (Box(left, top, left + width, top + height, rotation),)
