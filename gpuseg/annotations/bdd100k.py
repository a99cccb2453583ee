"""BDD100K JSON of its first release: one image a file, `objects` in a list of one frame.

By the labels of 2018 and the scripts that came with them (ucbdrive/bdd100k,
bdd_data/show_labels.py): objects with `poly2d` or `segments2d`, lists of [x, y, "L"]; lanes are
open, all else is closed. These scripts also stroked the outlines, a point wide; here polygons
are filled as the toolkit of today does it. Later releases are in Scalabel's format.
"""

from __future__ import annotations

from typing import ClassVar

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.documents import json_of
from gpuseg.annotations.fields import list_of, object_of
from gpuseg.annotations.format import Format, Outline
from gpuseg.annotations.image_sizes import size_beside
from gpuseg.annotations.road_classes import BDD100K_SIZE, BDD100K_VOID
from gpuseg.annotations.scalabel import Scalabel, picture_of
from gpuseg.discover import Source
from gpuseg.errors import AnnotationError
from gpuseg.shapes import Picture


class Bdd100k(Format):
    """The format."""

    name = "bdd100k"
    title = "BDD100K JSON of 2018"
    undrawn = BDD100K_VOID
    leaves_open: ClassVar[frozenset[str]] = Scalabel.leaves_open

    def recognises(self, outline: Outline) -> bool:
        """Frames that have objects."""
        return outline.kind == "json" and "objects" in outline.of("frames")

    def read(self, source: Source, choices: ReadingChoices) -> Picture:
        """The objects of one file."""
        value = object_of(json_of(source), "the file")
        frames = list_of(value.get("frames"), "`frames`")
        if len(frames) != 1:
            raise AnnotationError(
                f"has {len(frames)} frames, and 1 was expected, that of its image; divide it"
            )
        objects = list_of(object_of(frames[0], "its frame").get("objects"), "`objects`")
        size = choices.size or _size(source, value.get("name"), choices)
        return picture_of(objects, size, choices)


def _size(source: Source, name: object, choices: ReadingChoices) -> tuple[int, int]:
    if choices.images is None:
        return BDD100K_SIZE
    return size_beside(source, f"{name}.jpg", choices)
