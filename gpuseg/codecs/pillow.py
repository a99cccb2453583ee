"""The Pillow codec: colour masks in, of every format that Pillow reads."""

from __future__ import annotations

from typing import Any

import numpy as np
from PIL import Image

from gpuseg.codecs.acceptance import (
    refuse_alpha,
    refuse_colour_key,
    refuse_transparent_entries,
    refuse_unsupported,
    warnings_of,
)
from gpuseg.codecs.memory import pixel_words
from gpuseg.codecs.opening import GREYS, ImageFile, grey_step, opened, raw_mode
from gpuseg.errors import BrokenMaskError
from gpuseg.mask import DecodedMask

NAME = "pillow"


def read_mask(path: ImageFile, max_pixels: int) -> DecodedMask:
    """Decode one image file; its content, not its suffix, decides the format.

    max_pixels: larger images are refused from their header, before memory is taken.
    Raises UnreadableMaskError, BrokenMaskError, MaskSizeError or UnsupportedMaskError.
    """
    with opened(path, max_pixels) as (image, file):
        warnings = warnings_of(image, file)
        refuse_unsupported(image)
        raw = raw_mode(image)  # gone once the image is loaded
        image.load()
        return _decoded(image, raw, warnings)


def _decoded(image: Image.Image, raw: str, warnings: tuple[str, ...]) -> DecodedMask:
    """The loaded image, stored in mode `raw`, as DecodedMask; refuses alpha that is not opaque."""
    fields: dict[str, Any] = {"format": image.format or "", "codec": NAME, "warnings": warnings}
    refuse_alpha(image)
    if image.mode in ("LA", "PA"):
        image = image.convert(image.mode[:-1])
    if image.mode in ("RGB", "RGBA"):
        refuse_colour_key(image)
        return _decoded_rgb(image, fields)
    if image.mode == "P":
        palette = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
        if not len(palette):
            raise BrokenMaskError("has no palette for its pixels; restore it from its source")
        pixels = np.asarray(image)
        refuse_transparent_entries(image, pixels)
        return DecodedMask(pixels, palette, **fields)
    pixels = np.asarray(image.convert("L"))
    refuse_transparent_entries(image, pixels, step=grey_step(raw))
    return DecodedMask(pixels, GREYS, grey=True, **fields)


def _decoded_rgb(image: Image.Image, fields: dict[str, Any]) -> DecodedMask:
    """An RGB or opaque RGBA image, where it lies in memory if that is possible."""
    words = pixel_words(image)
    if words is None:
        return DecodedMask(np.asarray(image.convert("RGB")), None, **fields)
    pixels = words.view(np.uint8).reshape(*words.shape, 4)[..., :3]
    return DecodedMask(pixels, None, words=words, **fields)
