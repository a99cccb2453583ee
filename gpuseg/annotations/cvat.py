"""CVAT for images 1.1: an XML file with many images.

By CVAT's documentation (XML annotation format, version 1.1; formats, CVAT). Of one z_order the
turned boxes are drawn after all others: CVAT's export of masks makes polygons of them that it
puts at the end of the list (`dataset_manager/formats/transformations.py`), and Datumaro draws
the list by z_order (1.13, `CompiledMask.from_instance_masks`).
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import ClassVar

from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.cvat_shapes import shape_of, values_of
from gpuseg.annotations.documents import content_of, open_file
from gpuseg.annotations.fields import shapes_of, size_of
from gpuseg.annotations.format import LINES, Format, Outline, Record
from gpuseg.annotations.image_sizes import size_beside
from gpuseg.annotations.xml_elements import children, element_of
from gpuseg.discover import Source, repeated
from gpuseg.errors import AnnotationError
from gpuseg.shapes import Order, Picture
from gpuseg.taking import target_name

ROOT, IMAGE, TRACK = "annotations", "image", "track"


class Cvat(Format):
    """The format."""

    name = "cvat"
    title = "CVAT for images 1.1"
    order: ClassVar[Order] = "z"
    background = frozenset({"background"})
    pattern = "*.xml"
    holds_many = True
    leaves_open: ClassVar[frozenset[str]] = LINES

    def recognises(self, outline: Outline) -> bool:
        """Annotations of images, or of a video, which the album refuses."""
        return outline.kind == "xml" and bool(outline.of(ROOT) & {IMAGE, TRACK})

    def album(self, path: str, choices: ReadingChoices) -> CvatAlbum:
        """The images of one file."""
        return _indexed(path)

    def read(self, source: Source, choices: ReadingChoices) -> Picture:
        """The shapes of one image, by its element."""
        image = element_of(content_of(source))
        size = size_of(
            _side(image.get("width")),
            _side(image.get("height")),
            choices,
            lambda: size_beside(source, image.get("name", ""), choices),
        )
        read = partial(shape_of, size=size, line_width=choices.line_width)
        shapes, bad, left_out = shapes_of(map(values_of, image), read)
        return Picture(*size, shapes, "cvat", bad, left_out)


@dataclass(slots=True)
class CvatAlbum:
    """The images of one file: their names, and where their elements are.

    Where several of them would become one label map, as in an export of several subsets, all go
    to a folder of their subset, as CVAT has their images.
    images, subsets: of each. places: first byte and end of each. fault: what ended the reading.
    """

    path: str
    images: list[str] = field(default_factory=list)
    subsets: list[str] = field(default_factory=list)
    places: array[int] = field(default_factory=partial(array, "q"))
    fault: AnnotationError | None = None

    def names(self) -> Iterator[str]:
        """The name of each image."""
        if not repeated(map(target_name, self.images)):
            return iter(self.images)
        both = zip(self.subsets, self.images, strict=True)
        return (f"{subset}/{image}" if subset else image for subset, image in both)

    def __iter__(self) -> Iterator[Record]:
        """Each image, and then what is wrong with the rest of the file."""
        places = iter(self.places)
        with open_file(self.path) as file:
            for name, start, end in zip(self.names(), places, places, strict=True):
                file.seek(start)
                yield Record(name, file.read(end - start))
        if self.fault is not None:
            raise self.fault


def _indexed(path: str) -> CvatAlbum:
    """Raises AnnotationError for a file that cannot be opened."""
    album, subsets = CvatAlbum(path), dict[str, str]()
    with open_file(path) as file:
        try:
            for child in children(file):
                if child.tag == TRACK:
                    raise AnnotationError(
                        "holds tracks, as CVAT for video 1.1 does; export it as CVAT for images "
                        "1.1, which has the shapes of each frame"
                    )
                if child.tag == IMAGE:
                    name, subset = (child.attributes.get(key, "") for key in ("name", "subset"))
                    album.images.append(name)
                    album.subsets.append(subsets.setdefault(subset, subset))
                    album.places.extend((child.start, child.end))
        except AnnotationError as fault:
            album.fault = fault
    return album


def _side(text: str | None) -> object:
    return int(text) if text is not None and _WHOLE.fullmatch(text) else text


_WHOLE = re.compile("[0-9]{1,9}")
