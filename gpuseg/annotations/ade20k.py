"""The full ADE20K (2021_17_01): a JSON file for each image, and beside it a mask of its objects.

By `utils/utils_ade20k.py` of github.com/CSAILVision/ADE20K (`loadAde20K`): in X_seg.png the class
of a pixel is R / 10 * 256 + G, the number that X.json calls `name_ndx`, and B tells instances
apart; 0 is no class. Parts of objects, whose `part_level` is above 0, are in X_parts_1.png and so
on; they are not drawn.

The masks are the truth. `ade20k-polygons` draws the polygons of the JSON instead: as the masks
were drawn, by `poly2mask` of Matlab, which is `pycocotools` with pixels whose centres are at whole
coordinates; but the JSON does not hold which object hides which, that was guessed from the picture
(`LMsortlayers` of the LabelMe toolbox). The smaller one over the larger one comes nearest.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from functools import partial
from typing import Any, ClassVar

from gpuseg import storage
from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.documents import json_of
from gpuseg.annotations.fields import (
    ShapeFaultError,
    label_of,
    list_of,
    object_of,
    paired_points,
    shapes_of,
    shown,
    size_of,
)
from gpuseg.annotations.format import Format, Outline
from gpuseg.annotations.segment_masks import as_drawn, read_mask
from gpuseg.discover import Source
from gpuseg.errors import AnnotationError
from gpuseg.id_maps import IdMap
from gpuseg.shapes import Picture, Polygon, Shape

PART = "part"
"""What a row counts of objects that are parts of others."""


class Ade20k(Format):
    """Classes and instances of X_seg.png, by the names of X.json."""

    name = "ade20k"
    title = "ADE20K JSON with masks"
    leaves_open: ClassVar[frozenset[str]] = frozenset({"masks"})

    def recognises(self, outline: Outline) -> bool:
        """An annotation with objects, and the size of its image as Matlab has it."""
        return outline.kind == "json" and {"object", "imsize"} <= outline.of("annotation")

    def read(self, source: Source, choices: ReadingChoices) -> Picture:
        """The objects of one image that are in its mask."""
        annotation = _annotation(source)
        names: dict[int, str] = {}
        objects = list_of(annotation.get("object"), "`object`")
        _, bad, left_out = shapes_of(objects, partial(_named, names=names))
        path = _mask(source, choices)
        if path is None or not os.path.lexists(path):
            raise AnnotationError(
                f"has no mask {os.path.basename(_mask_name(source.relative))} beside it; name its "
                "folder by --masks, or draw the polygons by --format ade20k-polygons"
            )
        mask = read_mask(path, choices.max_pixels)
        size = _size(annotation, choices, mask.size)
        shapes, places = _segments(mask, names)
        drawn, strange = as_drawn(mask, size, places, len(objects) + 1, _told)
        return Picture(*size, shapes, "coco", (*bad, *strange), left_out, drawn)

    def beside(self, source: Source, choices: ReadingChoices) -> tuple[str, ...]:
        """The mask."""
        path = _mask(source, choices)
        return () if path is None else (path,)

    def names(self, label: str) -> tuple[str, ...]:
        """The whole, however its words are divided, then each of its synonyms."""
        return (label, _words(label), *_synonyms(label))

    def aliases(self, name: str) -> tuple[str, ...]:
        """The whole, however its words are divided, then the first of its synonyms."""
        return _words(name), _synonyms(name)[0]


class Ade20kPolygons(Ade20k):
    """The polygons of X.json; asked for by its name only."""

    name = "ade20k-polygons"
    title = "ADE20K JSON"
    order = "area"
    leaves_open = frozenset({"order"})

    def recognises(self, outline: Outline) -> bool:
        """Never: masks are exact, these are not."""
        return False

    def read(self, source: Source, choices: ReadingChoices) -> Picture:
        """The objects of one image."""
        annotation = _annotation(source)
        objects = list_of(annotation.get("object"), "`object`")
        shapes, bad, left_out = shapes_of(objects, _drawn)
        return Picture(*_size(annotation, choices), shapes, "coco", bad, left_out)

    def beside(self, source: Source, choices: ReadingChoices) -> tuple[str, ...]:
        """Nothing."""
        return ()


def _mask(source: Source, choices: ReadingChoices) -> str | None:
    """The path of X_seg.png beside X.json, or below --masks."""
    if choices.masks is not None:
        below = os.path.join(choices.masks, _mask_name(source.relative))
        flat = os.path.join(choices.masks, os.path.basename(below))
        return below if os.path.lexists(below) else flat
    return None if storage.is_url(source.path) else _mask_name(source.path)


def _annotation(source: Source) -> Mapping[str, Any]:
    value = object_of(json_of(source, "latin-1"), "the file")
    return object_of(value.get("annotation"), "`annotation`")


def _size(
    annotation: Mapping[str, Any], choices: ReadingChoices, other: tuple[int, int] = (0, 0)
) -> tuple[int, int]:
    """Width and height of the image. Raises AnnotationError."""
    rows_first = annotation.get("imsize")
    if not isinstance(rows_first, list) or len(rows_first) < 2:
        raise AnnotationError(f"needs rows and columns for `imsize`, got {shown(rows_first)}")
    return size_of(rows_first[1], rows_first[0], choices, lambda: other)


def _named(value: Any, number: int, names: dict[int, str]) -> Shape | str:
    """Take in what the class of an object is called; its pixels are in the mask."""
    label, is_part = _object(value)
    index = value.get("name_ndx")
    if isinstance(index, bool) or not isinstance(index, int):
        raise ShapeFaultError(f"needs a number for name_ndx, got {shown(index)}")
    if names.setdefault(index, label) != label:
        raise ShapeFaultError(f"has the name_ndx {index}, which {names[index]!r} has, too")
    return PART if is_part else Shape(label, (), number)


def _drawn(value: Any, number: int) -> Shape | str:
    label, is_part = _object(value)
    if is_part:
        return PART
    polygon = value.get("polygon")
    if not isinstance(polygon, dict):
        raise ShapeFaultError(f"needs an object for polygon, got {shown(polygon)}")
    outline = paired_points(polygon.get("x"), polygon.get("y"), 3) - 0.5
    return Shape(label, (Polygon(outline),), number)


def _object(value: Any) -> tuple[str, bool]:
    """The label of an object, and whether it is a part of another."""
    parts = value.get("parts")
    level = parts.get("part_level") if isinstance(parts, dict) else 0
    return label_of(value.get("name")), level not in (0, "0", None)


def _segments(mask: IdMap, names: Mapping[int, str]) -> tuple[tuple[Shape, ...], Mapping[int, int]]:
    """A shape for each colour whose class has a name, and which of them each colour is."""
    shapes: list[Shape] = []
    places = {}
    for colour in mask.ids.tolist():
        number = class_of(colour)
        if number == 0:
            places[colour] = 0
        elif number in names:
            shapes.append(Shape(names[number], (), len(shapes) + 1, colour >> 16))
            places[colour] = len(shapes)
    return tuple(shapes), places


def class_of(colour: int) -> int:
    """The number of a class by r + 256 g + 65536 b, -1 for none.

    Only multiples of 10 are written; of others the dataset's own tools make different classes.
    """
    tens, rest = divmod(colour & 255, 10)
    return -1 if rest else tens << 8 | colour >> 8 & 255


def _told(colour: int) -> str:
    rgb = colour & 255, colour >> 8 & 255, colour >> 16
    number = class_of(colour)
    return f"colour {rgb}" + (f" of class {number}" if number >= 0 else "")


def _mask_name(path: str) -> str:
    return os.path.splitext(path)[0] + "_seg.png"


def _words(name: str) -> str:
    """`pool table, billiard table` and `pool;table;billiard;table`, as objectInfo150.csv has it."""
    return ";".join(filter(None, re.split(r"[\s,;]+", name)))


def _synonyms(name: str) -> list[str]:
    return [synonym.strip() for synonym in name.split(",")]
