"""Opening image files with Pillow: by content, within limits, every fault as a MaskError."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, UnidentifiedImageError, features

from gpuseg.codecs.checksums import check_pixels, check_png
from gpuseg.codecs.sniff import not_an_image
from gpuseg.errors import NO_MEMORY, BrokenMaskError, MaskError, MaskSizeError, UnreadableMaskError

FORMATS = ("PNG", "BMP", "TIFF", "WEBP", "GIF", "JPEG")
"""Formats taken, by content. (MPO, a JPEG of several frames, is opened as JPEG.)"""

SUFFIXES = (".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".jpg", ".jpeg")
"""File names taken when no pattern is given (lower case)."""

GREYS = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
GREYS.flags.writeable = False
"""The colours of greyscale, uint8 (256, 3)."""

ImageFile = str | Path | bytes
"""An encoded image: the path of its file, or its bytes."""

_GREY_STEP = {"L;2": 85, "L;4": 17}


def zlib_version() -> str:
    """Version of the zlib that Pillow runs on; one with `zlib-ng` in it is about twice as fast."""
    return str(features.version("zlib"))


@contextmanager
def opened(path: ImageFile, max_pixels: int) -> Iterator[tuple[Image.Image, IO[bytes]]]:
    """An image whose pixels are not loaded yet, and its file; a PNG's checksums are right.

    max_pixels: larger images are refused from their header, before memory is taken.
    What the body raises is translated, too.
    Raises UnreadableMaskError, BrokenMaskError or MaskSizeError.
    """
    file: IO[bytes]
    try:
        # closed by the with below
        file = io.BytesIO(path) if isinstance(path, bytes) else open(path, "rb")  # noqa: SIM115
    except OSError as error:
        raise UnreadableMaskError(f"cannot be opened: {error.strerror}") from error
    with file:
        try:
            check_png(file)
            with Image.open(file, formats=FORMATS) as image:
                check_size(image.width, image.height, max_pixels)
                if image.format == "PNG":
                    check_pixels(file)
                yield image, file
        except MaskError:
            raise
        except UnidentifiedImageError as error:
            raise BrokenMaskError(not_an_image(file, FORMATS)) from error
        except Image.DecompressionBombError as error:
            raise MaskSizeError(f"{error}; raise the limit with --max-pixels") from error
        except MemoryError as error:
            raise MaskSizeError(NO_MEMORY) from error
        # Pillow's parsers raise nearly anything on damaged input: OSError, SyntaxError,
        # ValueError, struct.error, KeyError … To the user all mean: this file is damaged.
        except Exception as error:
            raise BrokenMaskError(
                f"is damaged and cannot be decoded ({error}); restore it from its source"
            ) from error


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raise MaskSizeError for more than `max_pixels` pixels."""
    if width * height > max_pixels:
        raise MaskSizeError(
            f"claims {width:,} x {height:,} = {width * height:,} pixels, the limit is "
            f"{max_pixels:,}; if the file can be trusted, use --max-pixels {width * height}"
        )


def grey_step(raw: str) -> int:
    """What Pillow multiplies grey values by, but not the one that is transparent.

    It stretches 2 and 4 bits to 0 to 255, also where TIFF has them inverted or in reverse order.
    raw: as `raw_mode` gives it.
    """
    return _GREY_STEP.get(raw.rstrip("IR"), 1)


def raw_mode(image: Image.Image) -> str:
    """How the file stores pixels: 16-bit RGB opens as mode RGB, its low bytes dropped."""
    tiles = getattr(image, "tile", None)
    if not tiles:
        return ""
    arguments = tiles[0][3]
    first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return first if isinstance(first, str) else ""
