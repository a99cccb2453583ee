"""What COCO's files have in common: lists of images, annotations and categories, and their ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import IO

from gpuseg.annotations.fields import shown
from gpuseg.annotations.json_elements import Element, elements
from gpuseg.errors import AnnotationError

Key = int | float | str
"""An id. Those of COCO are integers, and tools write texts, too."""

_DIGITS = 18


def key_of(value: object) -> Key | None:
    """An id, None for what is none.

    A text of digits is that number: VGG Image Annotator's exports have `"id": 1` in `images`, and
    `"image_id": "1"` in `annotations`.
    """
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str) and value.isdecimal() and len(value) <= _DIGITS:
        number = int(value)
        return number if str(number) == value else value
    return value


def take_tables(file: IO[bytes], take: Mapping[str, Callable[[Element], None]]) -> None:
    """Hand over each element of the lists `images`, `annotations` and `categories` of a file.

    take: who takes it, by the name of the list. Raises AnnotationError, also for a file without
    annotations, as those of test sets are: label maps of nothing but background would be wrong.
    """
    keys, filled = set[str](), set[str]()
    for element in elements(file, keys=keys):
        if element.key in take:
            if not element.listed:
                raise AnnotationError(
                    f"needs a list for `{element.key}`, got {shown(element.raw)}; export it anew"
                )
            filled.add(element.key)
            take[element.key](element)
    if "annotations" not in keys:
        raise AnnotationError("has no `annotations`, so there is nothing to draw; export it anew")
    if "annotations" in filled and "categories" not in filled:
        raise AnnotationError("has no `categories`, which name the classes; export it anew")
