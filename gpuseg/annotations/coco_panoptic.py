"""COCO panoptic: a JSON file for all images, and for each a PNG whose colours are segment ids.

By panopticapi (`utils.rgb2id`, `evaluation.pq_compute` and its VOID) and
cocodataset.org/#format-data: the id of a pixel is R + 256 G + 65536 B, 0 is no segment, and the
PNGs are in the folder that is named as the file is. Mapillary Vistas has them beside the file.
An image may be in the file without annotations, as those of test sets are: that is an error, for
there is nothing to draw.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from gpuseg.annotations.choices import CROWD, Crowd, ReadingChoices
from gpuseg.annotations.coco_tables import Key, key_of
from gpuseg.annotations.documents import json_of
from gpuseg.annotations.fields import (
    ShapeFaultError,
    flag_of,
    object_of,
    shapes_of,
    shown,
    size_of,
)
from gpuseg.annotations.format import Album, Format, Outline
from gpuseg.annotations.panoptic_index import PanopticAlbum
from gpuseg.annotations.segment_masks import as_drawn, read_mask
from gpuseg.discover import Source
from gpuseg.shapes import Picture, Shape

LARGEST_ID = (1 << 24) - 1

EMPTY = "segment without pixels"
"""What a row counts of segments whose id no pixel has."""


class CocoPanoptic(Format):
    """The format."""

    name = "coco-panoptic"
    title = "COCO panoptic JSON"
    bare_is_void = True
    holds_many = True
    leaves_open: ClassVar[frozenset[str]] = frozenset({"crowd", "masks"})

    def recognises(self, outline: Outline) -> bool:
        """Annotations that are lists of segments; of none, categories that are things or not."""
        found = outline.of("annotations")
        if outline.kind != "json" or found:
            return "segments_info" in found
        bare = outline.has("images", "annotations")
        return bare and {"name", "isthing"} <= outline.of("categories")

    def read(self, source: Source, choices: ReadingChoices) -> Picture:
        """The segments of one image; `source.path` is the id map."""
        value = object_of(json_of(source), "the image")
        segments = _Segments(
            {key: (name, thing) for key, name, thing in value["categories"]},
            choices.crowd or self.crowd,
        )
        shapes, bad, left_out = shapes_of(value["segments"], segments.read)
        ids = read_mask(source.path, choices.max_pixels)
        size = size_of(value["width"], value["height"], choices, lambda: ids.size)
        drawn, strange = as_drawn(ids, size, segments.places, len(value["segments"]) + 1)
        if empty := len(segments.places.keys() - {0, *ids.ids.tolist()}):
            left_out[EMPTY] += empty
        return Picture(*size, shapes, "coco", (*bad, *strange), left_out, drawn)

    def album(self, path: str, choices: ReadingChoices) -> Album:
        """The images of one file."""
        folder = choices.masks
        if folder is None:
            stem = os.path.splitext(path)[0]
            folder = stem if os.path.isdir(stem) else os.path.dirname(path)
        album = PanopticAlbum(path, folder)
        album.read()
        return album


@dataclass(slots=True)
class _Segments:
    """Makes shapes of segments. places: which shape each id is, from 1; 0 for none."""

    categories: Mapping[Key | None, tuple[str, bool]]
    crowd: Crowd
    places: dict[int, int] = field(default_factory=lambda: {0: 0})
    _count: int = 0

    def read(self, value: Any, number: int) -> Shape | str:
        id = value.get("id")
        if isinstance(id, bool) or not isinstance(id, int) or not 0 < id <= LARGEST_ID:
            raise ShapeFaultError(f"needs an id of 1 to {LARGEST_ID:,}, got {shown(id)}")
        if id in self.places:
            raise ShapeFaultError(f"has the id {id}, which another segment of the image has, too")
        self.places[id] = 0
        label, thing = self._category(value.get("category_id"))
        is_crowd = flag_of(value.get("iscrowd"), "iscrowd")
        if is_crowd and self.crowd == "skip":
            return CROWD
        self._count += 1
        self.places[id] = self._count
        ignored = is_crowd and self.crowd == "ignore"
        return Shape(label, (), number, id if thing else 0, ignored)

    def _category(self, id: object) -> tuple[str, bool]:
        found = self.categories.get(key_of(id))
        if found is None:
            raise ShapeFaultError(f"has a category_id that no category has: {shown(id)}")
        return found
