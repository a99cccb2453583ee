"""The size of an image that an annotation names, from the header of its file."""

from __future__ import annotations

import os

from PIL import Image

from gpuseg import storage
from gpuseg.annotations.choices import ReadingChoices
from gpuseg.codecs.opening import FORMATS
from gpuseg.discover import Source
from gpuseg.errors import AnnotationError

TURNED = frozenset({5, 6, 7, 8})
"""EXIF orientations by which width and height change places: tools show images turned."""

_ORIENTATION = 0x0112


def size_beside(source: Source, name: str, choices: ReadingChoices) -> tuple[int, int]:
    """Width and height of the image of an annotation file, in pixels, as it is shown.

    name: its path from the annotation's folder. Looked for in `choices.images`, too.
    Raises AnnotationError where it is not found.
    """
    folders = [os.path.dirname(source.path)] if not storage.is_url(source.path) else []
    if choices.images is not None:
        below = os.path.join(choices.images, os.path.dirname(source.relative))
        folders = [below, choices.images]
    found = (_size(os.path.join(folder, each)) for folder in folders for each in _names(name))
    size = next(filter(None, found), None)
    if size is None:
        raise AnnotationError(
            f"does not say how large its image is, and {name!r} is not found; name the folder of "
            "the images by --images, or the size of them all by --size"
        )
    return size


def _names(name: str) -> list[str]:
    """A path as it stands, and its last part: folders may not be the same everywhere."""
    return list(dict.fromkeys((name, os.path.basename(name))))


def _size(path: str) -> tuple[int, int] | None:
    try:
        with Image.open(path, formats=FORMATS) as image:
            turned = image.getexif().get(_ORIENTATION) in TURNED
            return image.size[::-1] if turned else image.size
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
