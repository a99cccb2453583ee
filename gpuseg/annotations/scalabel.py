"""Scalabel JSON, which is that of BDD100K, too: a list of frames, or an object with `frames`.

By Scalabel's documentation (doc/src/format.rst) and types (scalabel/label/typing.py), and drawn
as the toolkits do (`seg_to_masks` in bdd100k/label/to_mask.py, bdd100k/bdd100k at 9ac17c6): labels
in the order of the file, by matplotlib, `poly2d` before `rle`, crowds as their class, and classes
of BDD100K without a trainId left out. Outlines of its classes are filled even where `closed` is
false, as those toolkits do; other open paths mark no area. An image is as large as its frame
says, else as the `config` of the file, else as is chosen, else, by its name, as those of BDD100K.
"""

from __future__ import annotations

import json
import os
import re
from array import array
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, ClassVar

from gpuseg.annotations.choices import CROWD, Crowd, ReadingChoices
from gpuseg.annotations.coco_runs import runs_of
from gpuseg.annotations.documents import json_of, open_file
from gpuseg.annotations.fields import (
    ShapeFaultError,
    flag_of,
    label_of,
    list_of,
    number_of,
    object_of,
    shapes_of,
    shown,
    size_of,
)
from gpuseg.annotations.format import LINES, Album, Format, Outline, Record
from gpuseg.annotations.image_sizes import size_beside
from gpuseg.annotations.json_elements import elements
from gpuseg.annotations.poly2d import old_part_of, part_of
from gpuseg.annotations.road_classes import (
    BDD100K_AREAS,
    BDD100K_SIZE,
    BDD100K_STUFF,
    BDD100K_VOID,
)
from gpuseg.discover import Source
from gpuseg.errors import AnnotationError
from gpuseg.shapes import Part, Picture, Shape, Uncounted

_OF_BDD100K = re.compile(r"[0-9a-f]{8}-[0-9a-f]{8}")
"""How the names of its images begin."""

_TELLING = frozenset({"labels", "videoName", "frameIndex"})


class Scalabel(Format):
    """The format."""

    name = "scalabel"
    title = "Scalabel JSON"
    holds_many = True
    crowd: ClassVar[Crowd] = "class"
    undrawn = BDD100K_VOID
    leaves_open: ClassVar[frozenset[str]] = LINES | {"crowd", "label_key"}

    def recognises(self, outline: Outline) -> bool:
        """Frames with names, and labels or a place in a video."""
        frame = outline.of("frames") or outline.of("")
        return outline.kind == "json" and "name" in frame and bool(frame & _TELLING)

    def album(self, path: str, choices: ReadingChoices) -> Album:
        """The frames of one file. Raises AnnotationError."""
        return Frames(path)

    def read(self, source: Source, choices: ReadingChoices) -> Picture:
        """The labels of one frame."""
        value = object_of(json_of(source), "the frame")
        frame = object_of(value.get("frame"), "the frame")
        size = frame.get("size") or value.get("size") or {}
        if not isinstance(size, dict):
            raise AnnotationError(f"needs width and height for its size, got {shown(size)}")
        extent = size_of(
            size.get("width"),
            size.get("height"),
            choices,
            lambda: size_by_name(source, frame.get("name"), choices),
        )
        labels = frame.get("labels")
        return picture_of([] if labels is None else list_of(labels, "`labels`"), extent, choices)


class Frames:
    """The frames of a file, in its order: their names and places are held."""

    def __init__(self, path: str) -> None:
        self._path, self._size = path, b"null"
        self._names, self._ends = list[str | None](), array("q")
        with open_file(path) as file:
            for element in elements(file):
                if element.key == "config" and isinstance(element.raw, dict):
                    size = element.raw.get("imageSize") or element.raw.get("image_size")
                    self._size = json.dumps(size).encode()
                elif element.listed and element.key in ("", "frames"):
                    self._names.append(_name(element.raw))
                    self._ends.extend((element.start, element.end))
        if not self._names:
            raise AnnotationError("holds no frames, in a list or as `frames`; export it anew")

    def names(self) -> Iterator[str]:
        """The name of each frame."""
        return (self._name(place) for place in range(len(self._names)))

    def __iter__(self) -> Iterator[Record]:
        """Each frame, as it stands in the file, and the size that the file gives all of them."""
        with open_file(self._path) as file:
            for place, name in enumerate(self._names):
                if name is None:
                    error = AnnotationError("has no name, which is to be that of an image; mend it")
                    yield Record(self._name(place), error=error)
                    continue
                start, end = self._ends[2 * place : 2 * place + 2]
                file.seek(start)
                frame = file.read(end - start)
                yield Record(name, b'{"size":' + self._size + b',"frame":' + frame + b"}")

    def _name(self, place: int) -> str:
        return self._names[place] or f"frame {place + 1}"


def _name(frame: object) -> str | None:
    """What a frame calls its image, None for nothing."""
    name = frame.get("name") if isinstance(frame, dict) else None
    return name if isinstance(name, str) and name else None


def size_by_name(source: Source, name: object, choices: ReadingChoices) -> tuple[int, int]:
    """Width and height of an image that no file tells. Raises AnnotationError."""
    name = name if isinstance(name, str) else source.relative
    if choices.images is None and _OF_BDD100K.match(os.path.basename(name)):
        return BDD100K_SIZE
    return size_beside(source, name, choices)


def picture_of(labels: list[Any], size: tuple[int, int], choices: ReadingChoices) -> Picture:
    """The labels of an image of a size, width and height."""
    shapes, bad, left_out = shapes_of(labels, partial(_shape, size=size, choices=choices))
    return Picture(*size, shapes, "agg", bad, left_out)


def _shape(value: Any, number: int, size: tuple[int, int], choices: ReadingChoices) -> Shape | str:
    kind = next((kind for kind in _KINDS if value.get(kind)), "tag")
    if kind not in _AREAS:
        return kind
    attributes = value.get("attributes") or {}
    if not isinstance(attributes, dict):
        raise ShapeFaultError(f"needs an object for its attributes, got {shown(attributes)}")
    is_crowd = any(flag_of(attributes.get(key), key) for key in _CROWDS)
    crowd = choices.crowd or Scalabel.crowd
    if is_crowd and crowd == "skip":
        return CROWD
    label = label_of(attributes.get(choices.label_key, value.get("category")))
    parts = (runs_of(value[kind], size),) if kind == "rle" else _parts(value, kind, label, choices)
    if not parts:
        return "path"
    score = value.get("score")
    return Shape(
        label,
        parts,
        number,
        _instance(value, label, is_crowd),
        ignored=is_crowd and crowd == "ignore",
        z=0.0 if score is None else number_of(score, "its score"),
    )


_CROWDS = ("crowd", "ignored")
_AREAS = ("poly2d", "segments2d", "rle")
_KINDS = (*_AREAS, "box2d", "box3d", "graph")


def _instance(value: Mapping[str, Any], label: str, is_crowd: bool) -> str | Uncounted | None:
    if label in BDD100K_STUFF:
        return Uncounted.STUFF
    if is_crowd:
        return Uncounted.GROUP
    return str(value["id"]) if isinstance(value.get("id"), (str, int)) else None


def _parts(
    value: Mapping[str, Any], kind: str, label: str, choices: ReadingChoices
) -> tuple[Part, ...]:
    """The polygons and lines of a label; none of one that has only paths, without a width."""
    polys, width = value[kind], choices.line_width
    if not isinstance(polys, list):
        raise ShapeFaultError(f"needs a list for {kind}, got {shown(polys)}")
    category = str(value.get("category"))
    is_area = category in BDD100K_AREAS
    if kind == "segments2d":
        parts = [old_part_of(poly, True, width) for poly in polys]
    elif isinstance(polys[0], list):
        parts = [old_part_of(polys, not category.startswith("lane"), width)]
    else:
        parts = [part_of(poly, is_area, width) for poly in polys]
    drawn = tuple(part for part in parts if part is not None)
    if drawn and len(drawn) < len(parts):
        raise ShapeFaultError("has open paths beside polygons; give paths a width by --line-width")
    return drawn
