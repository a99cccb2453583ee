"""Photographs in, by Pillow, and what is laid over them out."""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, PngImagePlugin

from gpuseg.codecs.acceptance import (
    refuse_alpha,
    refuse_colour_key,
    refuse_transparent_entries,
    refuse_unsupported,
)
from gpuseg.codecs.fingerprint import CHUNK, Fingerprint
from gpuseg.codecs.opening import SUFFIXES, grey_step, opened, raw_mode
from gpuseg.errors import MaskError, UnreadableMaskError, UnsupportedMaskError


def find_photo(folder: str, relative: str) -> str:
    """The photograph of a label map: the same folder and stem below `folder`, any image suffix.

    relative: the label map's path below SRC. Raises UnreadableMaskError where there is none, more
    than one, or something else than a file.
    """
    stem = os.path.join(folder, os.path.splitext(relative)[0])
    found: dict[tuple[int, int], str] = {}
    for suffix in (*SUFFIXES, *map(str.upper, SUFFIXES)):
        try:
            status = os.stat(stem + suffix)
        except OSError:
            continue
        if not stat.S_ISREG(status.st_mode):  # reading a pipe could wait for ever
            raise UnreadableMaskError(
                f"has no photograph that is a file: {stem + suffix} is a folder, a pipe, a socket "
                "or a device; put the photograph there, or leave that out"
            )
        # where case does not matter, two names are one file
        found.setdefault((status.st_dev, status.st_ino), stem + suffix)
    if len(found) == 1:
        return next(iter(found.values()))
    if not found:
        raise UnreadableMaskError(
            f"has no photograph {stem} with an image suffix ({', '.join(SUFFIXES)}); add it, or "
            "name the folder that it is in by --over"
        )
    names = ", ".join(os.path.basename(path) for path in found.values())
    raise UnreadableMaskError(
        f"has several photographs of one name in {os.path.dirname(stem)}: {names}; remove all but "
        "the one that is meant"
    )


def read_photo(path: str | Path, max_pixels: int) -> NDArray[np.uint8]:
    """The pixels of a photograph as RGB: uint8 (H, W, 3).

    max_pixels: larger images are refused from their header, before memory is taken.
    Raises what `opened` raises, and UnsupportedMaskError for 16 bits, CMYK, several frames, alpha
    that is not opaque, and a photograph that says (in EXIF) that it is to be turned: whether its
    label map is turned already nobody can tell. Messages name the file.
    """
    try:
        with opened(path, max_pixels) as (image, _):
            refuse_unsupported(image)
            turn = image.getexif().get(ExifTags.Base.Orientation, 1)
            if turn != 1:
                raise UnsupportedMaskError(
                    f"says that it is to be turned or mirrored (EXIF orientation {turn}), and "
                    "label maps do not say whether they are; save it turned, for instance by "
                    "PIL.ImageOps.exif_transpose"
                )
            raw = raw_mode(image)  # gone once the image is loaded
            image.load()
            refuse_alpha(image)
            refuse_colour_key(image)
            if image.mode in ("P", "L", "1"):
                refuse_transparent_entries(image, np.asarray(image), grey_step(raw))
            return np.asarray(image.convert("RGB"))
    except MaskError as error:
        raise type(error)(f"photograph {path} {error}") from error


def write_rgb(pixels: NDArray[np.uint8], fingerprint: Fingerprint | None = None) -> bytes:
    """Pixels, uint8 (H, W, 3), as an RGB PNG, by the fastest level of Pillow's zlib."""
    info = PngImagePlugin.PngInfo()
    if fingerprint is not None:
        info.add(CHUNK, fingerprint.payload())
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_level=1, pnginfo=info)
    return buffer.getvalue()
