"""A COCO panoptic file, image by image: what is held of it is an index."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from gpuseg.annotations.coco_tables import Key, key_of, take_tables
from gpuseg.annotations.documents import open_file
from gpuseg.annotations.fields import list_of, object_of, shown
from gpuseg.annotations.format import Record
from gpuseg.annotations.json_elements import Element, value_of
from gpuseg.errors import AnnotationError
from gpuseg.names import why_unsafe


class _Image(NamedTuple):
    """error: why it cannot be used, if so."""

    name: str
    width: Any = None
    height: Any = None
    error: AnnotationError | None = None


class _Category(NamedTuple):
    name: str
    is_thing: bool


class _Annotation(NamedTuple):
    """What is in the bytes `start` to `end` of the file. image: its id."""

    start: int
    end: int
    image: Key


@dataclass(slots=True)
class PanopticAlbum:
    """The images of a file. folder: of the id maps."""

    path: str
    folder: str
    _images: dict[Key, _Image] = field(default_factory=dict)
    _categories: dict[Key, _Category] = field(default_factory=dict)
    _annotations: list[_Annotation] = field(default_factory=list)

    def read(self) -> None:
        """Make the index. Raises AnnotationError."""
        take = {"images": self._image, "categories": self._category, "annotations": self._note}
        with open_file(self.path) as file:
            take_tables(file, take)

    def names(self) -> Iterator[str]:
        """Of each image: those with annotations in their order, then the others."""
        for annotation in self._annotations:
            yield self._of(annotation).name
        for image in self._bare():
            yield image.name

    def __iter__(self) -> Iterator[Record]:
        """Each image, one by one."""
        with open_file(self.path) as file:
            for annotation in self._annotations:
                file.seek(annotation.start)
                data = file.read(annotation.end - annotation.start)
                try:
                    yield self._record(annotation, object_of(value_of(data), "an annotation"))
                except AnnotationError as error:
                    yield Record(self._of(annotation).name, error=error)
        for image in self._bare():
            bare = AnnotationError("has no annotation in the file, so there is nothing to draw")
            yield Record(image.name, error=image.error or bare)

    def _of(self, annotation: _Annotation) -> _Image:
        """The image of an annotation, one called by its id where the file has none."""
        return self._images.get(annotation.image) or _Image(str(annotation.image))

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
        if image.error is not None:
            raise image.error
        path = name.replace("\\", "/") if isinstance(name, str) else ""
        if why_unsafe(path):
            raise AnnotationError(
                f"needs a path below the folder of id maps for `file_name`, got {shown(name)}; "
                "mend it"
            )
        segments = [_needed(each) for each in list_of(value.get("segments_info"), "segments_info")]
        used = dict.fromkeys(id for each in segments if (id := _class_of(each)) is not None)
        categories = [(id, *self._categories[id]) for id in used if id in self._categories]
        content = {
            "width": image.width,
            "height": image.height,
            "categories": categories,
            "segments": segments,
        }
        return Record(image.name, json.dumps(content).encode(), os.path.join(self.folder, path))

    def _image(self, element: Element) -> None:
        raw = object_of(element.raw, "each of `images`")
        id, name = _id(raw.get("id"), "the `id` of each of `images`"), raw.get("file_name")
        if id in self._images:
            raise AnnotationError(f"has two images of the id {shown(id)}; export it anew")
        if isinstance(name, str) and name:
            name = name.replace("\\", "/")
            self._images[id] = _Image(name, raw.get("width"), raw.get("height"))
        else:
            error = AnnotationError(
                f"is an image that needs a text for `file_name`, got {shown(name)}; name it"
            )
            self._images[id] = _Image(f"image {len(self._images) + 1}", error=error)

    def _category(self, element: Element) -> None:
        raw = object_of(element.raw, "each of `categories`")
        id, name = _id(raw.get("id"), "the `id` of each of `categories`"), raw.get("name")
        if not isinstance(name, str):
            raise AnnotationError(
                f"needs a text for `name` in each of `categories`, got {shown(name)}; "
                "export it anew"
            )
        if id in self._categories:
            raise AnnotationError(f"has two categories of the id {shown(id)}; export it anew")
        self._categories[id] = _Category(name, bool(raw.get("isthing", 1)))

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


def _class_of(segment: Any) -> Key | None:
    return key_of(segment.get("category_id")) if isinstance(segment, dict) else None


def _id(value: object, what: str) -> Key:
    """Raises AnnotationError for what is none."""
    key = key_of(value)
    if key is None:
        raise AnnotationError(f"needs a number for {what}, got {shown(value)}; export it anew")
    return key
