"""Label maps as PNG by Pillow: 8-bit palette or 16-bit greyscale, out and in."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from gpuseg.batch import Labels
from gpuseg.codecs.acceptance import refuse_frames, warnings_of
from gpuseg.codecs.fingerprint import CHUNK, Fingerprint
from gpuseg.codecs.limit import size_limit_is_ours
from gpuseg.codecs.opening import ImageFile, grey_step, opened, raw_mode
from gpuseg.errors import ColouredMaskError, LabelError, MaskError, UnsupportedMaskError
from gpuseg.options import DEFAULT_MAX_PIXELS

Z_RLE = 3
"""zlib strategy for runs: label maps get smaller and 3 times faster than by the default."""


def write_label(
    labels: Labels,
    plte: bytes | None,
    fingerprint: Fingerprint | None = None,
) -> bytes:
    """A label map as PNG: 8-bit palette with all 256 entries, or 16-bit greyscale.

    labels: uint8 or uint16 (H, W). plte: the 768 bytes of the palette (uint8 only), None for
    uint16. With fewer than 17 entries Pillow would write 1, 2 or 4 bits a pixel and drop the
    rest of every index, so fewer than 256 are refused. Raises LabelError.
    """
    if labels.size == 0:
        raise LabelError(f"a PNG needs at least one pixel, got shape {labels.shape}")
    labels = np.ascontiguousarray(labels)
    height, width = labels.shape
    if labels.dtype == np.uint8:
        if plte is None or len(plte) != 768:
            raise LabelError("a palette PNG needs all 256 palette entries (768 bytes)")
        image = Image.frombuffer("P", (width, height), labels, "raw", "P", 0, 1)
        image.putpalette(plte)
    else:
        data = labels.astype(np.dtype("<u2"), copy=False)
        image = Image.frombuffer("I;16", (width, height), data, "raw", "I;16", 0, 1)
    info = PngImagePlugin.PngInfo()
    if fingerprint is not None:
        info.add(CHUNK, fingerprint.payload())
    buffer = io.BytesIO()
    image.save(buffer, "PNG", compress_type=Z_RLE, pnginfo=info)
    return buffer.getvalue()


def read_label(
    path: str | Path, max_pixels: int = DEFAULT_MAX_PIXELS
) -> tuple[Labels, bytes | None]:
    """The indices of a label map and its palette, as they stand in the file.

    Takes palette images (1 to 8 bits), 8-bit and 16-bit greyscale. Returns uint8 or uint16
    (H, W), and the palette's RGB bytes or None. max_pixels: larger images are refused.
    Raises UnreadableMaskError, BrokenMaskError, MaskSizeError or UnsupportedMaskError.
    """
    try:
        with size_limit_is_ours():
            return read_as_stored(path, max_pixels)[:2]
    except MaskError as error:
        raise type(error)(f"{path} {error}") from error


def read_back(path: ImageFile, max_pixels: int) -> tuple[Labels, bytes | None]:
    """As `read_label`, within `size_limit_is_ours`. Errors do not name the file."""
    return read_as_stored(path, max_pixels)[:2]


@dataclass(frozen=True, slots=True)
class Stored:
    """How a file stores a label map. format: what it is. bits: of a label. warnings: of it."""

    format: str
    bits: int
    warnings: tuple[str, ...] = ()


def read_as_stored(path: ImageFile, max_pixels: int) -> tuple[Labels, bytes | None, Stored]:
    """As `read_label`, within `size_limit_is_ours`, and how the labels are stored.

    Errors do not name the file.
    """
    with opened(path, max_pixels) as (image, file):
        refuse_frames(image, "a label map")
        warnings = warnings_of(image, file)
        bits = _BITS.get(raw_mode(image), 8)
        labels, plte = _indices(image)
        return labels, plte, Stored(image.format or "", bits, warnings)


_BITS = {"P;1": 1, "P;2": 2, "P;4": 4, "L;1": 1, "L;2": 2, "L;4": 4, "1": 1}
_BITS |= {"I;16": 16, "I;16B": 16, "I;16L": 16}


def _indices(image: Image.Image) -> tuple[Labels, bytes | None]:
    raw = raw_mode(image)  # gone once the image is loaded
    if image.mode == "P":
        pixels = np.array(image)
        return pixels, bytes(image.getpalette("RGB") or [])
    if image.mode == "L":
        return np.array(image) // np.uint8(grey_step(raw)), None
    if image.mode == "1":
        return np.array(image).astype(np.uint8), None
    if image.mode in ("I;16", "I;16L", "I;16B"):
        return np.array(image).astype(np.uint16), None
    is_coloured = image.mode in ("RGB", "RGBA")
    what = "holds colours" if is_coloured else f"is of mode {image.mode}"
    raise (ColouredMaskError if is_coloured else UnsupportedMaskError)(
        f"{what}; a label map is a palette or greyscale image: make label maps of colour masks "
        "first: gpuseg convert"
    )
