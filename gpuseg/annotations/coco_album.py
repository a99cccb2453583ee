"""The images of a COCO file, each with its annotations, wherever these stand in the file.

One pass makes an index: where each annotation is, and of which image and category. So memory is
that of the index, 24 bytes an annotation and more an image, and that of one image, whatever the
size of the file.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from gpuseg.annotations.coco_tables import Key, key_of, take_tables
from gpuseg.annotations.documents import open_file
from gpuseg.annotations.fields import shown
from gpuseg.annotations.format import Record
from gpuseg.annotations.json_elements import Element
from gpuseg.errors import AnnotationError
from gpuseg.text import count


class CocoAlbum:
    """The Album of a file. Raises AnnotationError where the file itself is at fault."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._images: list[_Image] = []
        self._image_ids = _Numbers()
        self._described: set[int] = set()  # the ids that `images` holds
        self._categories: dict[Key, str] = {}
        self._annotations = _Annotations()
        take = {
            "images": self._take_image,
            "annotations": self._take_annotation,
            "categories": self._take_category,
        }
        with open_file(self._path) as file:
            take_tables(file, take)
        if not self._images:
            raise AnnotationError("has no images in `images`; export it anew, with images")

    def names(self) -> Iterator[str]:
        """The name of each image."""
        return (image.name for image in self._images)

    def __iter__(self) -> Iterator[Record]:
        """Each image in the order of `images`; then one record for annotations of none of them."""
        order, ends = self._annotations.by_image(len(self._image_ids))
        with open_file(self._path) as file:
            for image in self._images:
                if image.error is not None:
                    yield Record(image.name, error=image.error)
                else:
                    mine = order[ends[image.number] : ends[image.number + 1]].tolist()
                    yield Record(image.name, self._content(file, image, mine))
        error = self._strays(np.diff(ends))
        if error is not None:
            yield Record(self._path.replace("\\", "/").rpartition("/")[2], error=error)

    def _take_image(self, element: Element) -> None:
        value = _object(element)
        key, name = key_of(value.get("id")), value.get("file_name")
        image = _Image(f"image {len(self._images) + 1}", element.start, element.end)
        self._images.append(image)
        if isinstance(name, str) and name:
            image.name = name.replace("\\", "/")
        else:
            image.error = AnnotationError(
                f"is an image that needs a text for `file_name`, got {shown(name)}; name it"
            )
        if key is None:
            image.error = image.error or AnnotationError(
                f"is an image that needs a number for `id`, got {shown(value.get('id'))}"
            )
            return
        image.number = self._image_ids.of(key)
        if image.number in self._described:
            image.error = image.error or AnnotationError(
                f"has the id {shown(key)}, which an image before it has; number them anew"
            )
        self._described.add(image.number)

    def _take_annotation(self, element: Element) -> None:
        value = _object(element)
        key = key_of(value.get("image_id"))
        number = -1 if key is None else self._image_ids.of(key)
        self._annotations.add(element, number, key_of(value.get("category_id")))

    def _take_category(self, element: Element) -> None:
        value = _object(element)
        key, name = key_of(value.get("id")), value.get("name")
        if key is None or not isinstance(name, str):
            raise AnnotationError(
                "has a category that needs a number for `id` and a text for `name`, got "
                f"{shown(element.raw)}; mend it"
            )
        if self._categories.setdefault(key, name) != name:
            raise AnnotationError(
                f"has two categories of id {shown(key)}, {self._categories[key]!r} and {name!r}; "
                "number them anew"
            )

    def _content(self, file: IO[bytes], image: _Image, mine: list[int]) -> bytes:
        """What shapes the label map of an image, as JSON, with the categories that it uses."""
        found = self._annotations
        used = [
            [key, self._categories[key]] for key in found.kinds(mine) if key in self._categories
        ]
        return b'{"image":%b,"categories":%b,"annotations":[%b]}' % (
            _bytes(file, image.start, image.end - image.start),
            json.dumps(used).encode(),
            b",".join(_bytes(file, found.starts[k], found.sizes[k]) for k in mine),
        )

    def _strays(self, counts: NDArray[np.int64]) -> AnnotationError | None:
        """What is wrong where annotations are of no image. counts: annotations of each id."""
        lost = [k for k in np.flatnonzero(counts).tolist() if k not in self._described]
        found = []
        if lost:
            found.append(
                f"has {count(int(counts[lost].sum()), 'annotation')} of "
                f"{count(len(lost), 'image')} that `images` does not hold, as of image_id "
                f"{shown(self._image_ids.key(lost[0]))}; add the images, or remove the annotations"
            )
        if nobodys := self._annotations.nobodys:
            found.append(
                f"has {count(nobodys, 'annotation')} without an `image_id`; mend or remove them"
            )
        return AnnotationError("; ".join(found)) if found else None


@dataclass(slots=True)
class _Image:
    """Where an image is in the file. number: that of its id."""

    name: str
    start: int
    end: int
    number: int = -1
    error: AnnotationError | None = None


@dataclass(slots=True)
class _Numbers:
    """Ids, numbered from 0 as they come."""

    _numbers: dict[Key | None, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._numbers)

    def of(self, key: Key | None) -> int:
        return self._numbers.setdefault(key, len(self._numbers))

    def key(self, number: int) -> Key | None:
        return next(key for key, found in self._numbers.items() if found == number)


class _Annotations:
    """Where annotations are, in the order of the file. nobodys: how many have no image."""

    def __init__(self) -> None:
        self.nobodys = 0
        self.starts, self.sizes = array("q"), array("i")
        self._images, self._kinds = array("i"), array("i")
        self._categories = _Numbers()
        self._keys: list[Key | None] = []

    def add(self, element: Element, image: int, category: Key | None) -> None:
        """image: its number, -1 for none."""
        if image < 0:
            self.nobodys += 1
            return
        kind = self._categories.of(category)
        if kind == len(self._keys):
            self._keys.append(category)
        self.starts.append(element.start)
        self.sizes.append(element.end - element.start)
        self._images.append(image)
        self._kinds.append(kind)

    def by_image(self, number: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The annotations image by image, and where those of each of `number` begin and end."""
        images = np.array(self._images, np.int32)
        ends = np.zeros(number + 1, np.int64)
        np.cumsum(np.bincount(images, minlength=number), out=ends[1:])
        return np.argsort(images, kind="stable"), ends

    def kinds(self, places: list[int]) -> list[Key]:
        """The ids of the categories of some annotations."""
        found = sorted({self._kinds[k] for k in places})
        return [key for kind in found if (key := self._keys[kind]) is not None]


def _object(element: Element) -> dict[str, Any]:
    return element.raw if isinstance(element.raw, dict) else {}


def _bytes(file: IO[bytes], start: int, size: int) -> bytes:
    file.seek(start)
    return file.read(size)
