"""The size of an image that an annotation names, from the header of its file."""

from __future__ import annotations

import io
import os

from PIL import Image

from gpuseg import storage
from gpuseg.annotations.choices import ReadingChoices
from gpuseg.annotations.fields import shown
from gpuseg.codecs.opening import FORMATS
from gpuseg.discover import Source
from gpuseg.errors import AnnotationError

TURNED = frozenset({5, 6, 7, 8})
"""EXIF orientations by which width and height change places: tools show images turned."""

_ORIENTATION = 0x0112


def size_beside(source: Source, name: str, choices: ReadingChoices) -> tuple[int, int]:
    """Width and height of the image of an annotation file, in pixels, as it is shown.

    name: its path from the annotation's folder. Looked for below `choices.images` first.
    Raises AnnotationError where it is not found, or damaged.
    """
    folders = []
    if choices.images is not None:
        below = os.path.join(choices.images, os.path.dirname(source.relative))
        folders = [below, choices.images]
    if not storage.is_url(source.path):
        folders.append(os.path.dirname(source.path))
    for folder in folders:
        for each in dict.fromkeys((name, os.path.basename(name))):  # folders differ by machine
            path = os.path.join(folder, each)
            if os.path.isfile(path):  # and no pipe, which could be waited for without end
                return size_in(path)
    raise AnnotationError(
        f"does not say how large its image is, and {shown(name)} is not found; name the folder of "
        "the images by --images, or the size of them all by --size"
    )


def size_in(image: str | bytes) -> tuple[int, int]:
    """Width and height of an image, its path or its bytes, as it is shown.

    Only its header is looked at. Raises AnnotationError for what is no image.
    """
    what = shown(image) if isinstance(image, str) else "the one in the file"
    try:
        with Image.open(
            io.BytesIO(image) if isinstance(image, bytes) else image, "r", FORMATS
        ) as i:
            # that of PngImageFile would read all pixels, for what may stand behind them
            turned = Image.Image.getexif(i).get(_ORIENTATION) in TURNED
            return i.size[::-1] if turned else i.size
    except Exception as error:  # Pillow's parsers raise nearly anything on damaged input
        raise AnnotationError(
            f"does not say how large its image is, and {what} cannot be read ({error}); restore "
            "it, or tell the size by --size"
        ) from error
