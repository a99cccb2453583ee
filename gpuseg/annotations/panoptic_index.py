"""A COCO panoptic file, image by image: what is held of it is an index."""

from __future__ import annotations

import json
import os
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from typing import IO, Any, NamedTuple

from gpuseg.annotations.fields import list_of, object_of, shown
from gpuseg.annotations.format import Record
from gpuseg.annotations.json_elements import Element, elements, value_of
from gpuseg.errors import AnnotationError
from gpuseg.names import why_unsafe


class _Image(NamedTuple):
    name: str
    width: Any
    height: Any


class _Category(NamedTuple):
    name: str
    is_thing: bool


class _Annotation(NamedTuple):
    """What is in the bytes `start` to `end` of the file. image: its id."""

    start: int
    end: int
    image: Hashable


@dataclass(slots=True)
class PanopticAlbum:
    """The images of a file. folder: of the id maps."""

    path: str
    folder: str
    _images: dict[Hashable, _Image] = field(default_factory=dict)
    _categories: dict[Hashable, _Category] = field(default_factory=dict)
    _annotations: list[_Annotation] = field(default_factory=list)

    def read(self) -> None:
        """Make the index. Raises AnnotationError."""
        take = {"images": self._image, "categories": self._category, "annotations": self._note}
        with self._opened() as file:
            for element in elements(file):
                if element.listed and element.key in take:
                    take[element.key](element)
        if self._annotations and not self._categories:
            raise AnnotationError("has no `categories`, which name the classes; export it anew")

    def names(self) -> Iterator[str]:
        """Of each image: those with annotations in their order, then the others."""
        for annotation in self._annotations:
            yield self._of(annotation).name
        for image in self._bare():
            yield image.name

    def __iter__(self) -> Iterator[Record]:
        """Each image, one by one."""
        with self._opened() as file:
            for annotation in self._annotations:
                file.seek(annotation.start)
                data = file.read(annotation.end - annotation.start)
                try:
                    yield self._record(annotation, object_of(value_of(data), "an annotation"))
                except AnnotationError as error:
                    yield Record(self._of(annotation).name, error=error)
        for image in self._bare():
            bare = AnnotationError("has no annotation in the file, so there is nothing to draw")
            yield Record(image.name, error=bare)

    def _opened(self) -> IO[bytes]:
        try:
            return open(self.path, "rb")
        except OSError as error:
            raise AnnotationError(f"cannot be read: {error.strerror}; mend that") from error

    def _of(self, annotation: _Annotation) -> _Image:
        """The image of an annotation, one called by its id where the file has none."""
        return self._images.get(annotation.image) or _Image(str(annotation.image), None, None)

    def _bare(self) -> Iterator[_Image]:
        annotated = {annotation.image for annotation in self._annotations}
        return (image for id, image in self._images.items() if id not in annotated)

    def _record(self, annotation: _Annotation, value: Any) -> Record:
        """Raises AnnotationError."""
        if annotation.image not in self._images:
            raise AnnotationError(
                f"is an image that `images` does not list, by the id {shown(annotation.image)}; "
                "export it anew"
            )
        image, name = self._images[annotation.image], value.get("file_name")
        path = name.replace("\\", "/") if isinstance(name, str) else ""
        if why_unsafe(path):
            raise AnnotationError(
                f"needs a path below the folder of id maps for `file_name`, got {shown(name)}; "
                "mend it"
            )
        segments = [_needed(each) for each in list_of(value.get("segments_info"), "segments_info")]
        used = dict.fromkeys(id for each in segments if isinstance(id := _class_of(each), Hashable))
        categories = [(id, *self._categories[id]) for id in used if id in self._categories]
        content = {
            "width": image.width,
            "height": image.height,
            "categories": categories,
            "segments": segments,
        }
        return Record(image.name, json.dumps(content).encode(), os.path.join(self.folder, path))

    def _image(self, element: Element) -> None:
        id, name = _named(element, "file_name")
        if id in self._images:
            raise AnnotationError(f"has two images of the id {shown(id)}; export it anew")
        raw = element.raw
        self._images[id] = _Image(name.replace("\\", "/"), raw.get("width"), raw.get("height"))

    def _category(self, element: Element) -> None:
        id, name = _named(element, "name")
        if id in self._categories:
            raise AnnotationError(f"has two categories of the id {shown(id)}; export it anew")
        self._categories[id] = _Category(name, bool(element.raw.get("isthing", 1)))

    def _note(self, element: Element) -> None:
        raw = object_of(element.raw, "an annotation")
        image = _id(raw.get("image_id"), "an annotation's `image_id`")
        self._annotations.append(_Annotation(element.start, element.end, image))


_NEEDED = ("id", "category_id", "iscrowd")


def _needed(segment: Any) -> Any:
    """What of a segment shapes the label map: a change of the rest makes none anew."""
    if not isinstance(segment, dict):
        return segment
    return {key: segment[key] for key in _NEEDED if key in segment}


def _class_of(segment: Any) -> Any:
    return segment.get("category_id") if isinstance(segment, dict) else None


def _named(element: Element, key: str) -> tuple[Hashable, str]:
    """The id of an image or a category, and its name. Raises AnnotationError."""
    raw = object_of(element.raw, f"each of `{element.key}`")
    name = raw.get(key)
    if not isinstance(name, str):
        raise AnnotationError(
            f"needs a text for `{key}` in each of `{element.key}`, got {shown(name)}; "
            "export it anew"
        )
    return _id(raw.get("id"), f"the `id` of each of `{element.key}`"), name


def _id(value: object, what: str) -> Hashable:
    """A number or a text. Raises AnnotationError."""
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise AnnotationError(f"needs a number for {what}, got {shown(value)}; export it anew")
    return value
