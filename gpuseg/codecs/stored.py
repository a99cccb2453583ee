"""Any image as it stands in its file, whatever it is: for verbs that look and convert nothing."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gpuseg.codecs.acceptance import warnings_of
from gpuseg.codecs.opening import ImageFile, grey_step, opened, raw_mode

NAME = "pillow"

_BITS_PER_SAMPLE = 258
"""Tag of TIFF: bits of each channel."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class StoredImage:
    """The pixels of a file, without any conversion.

    kind: `palette`, `grey`, `RGB`, or another mode in Pillow's words. bits: of a channel.
    pixels: RGB as uint8 (H, W, 3); palette positions and grey values as uint8 (H, W), or int64
        (H, W) for more bits; None for kinds that are neither.
    alpha: uint8 (H, W), None where the file has none. plte: the palette's RGB bytes.
    frames: how many images the file holds, of which this is the first.
    format, warnings: as in DecodedMask. interlaced: of a PNG.
    """

    kind: str
    bits: int
    width: int
    height: int
    pixels: NDArray[Any] | None
    alpha: NDArray[np.uint8] | None = None
    plte: bytes | None = None
    interlaced: bool = False
    frames: int = 1
    format: str = ""
    lossy: bool = False
    warnings: tuple[str, ...] = ()


def read_stored(path: ImageFile, max_pixels: int) -> StoredImage:
    """An image of any format that Pillow reads.

    max_pixels: larger images are refused from their header, before memory is taken.
    Raises UnreadableMaskError, BrokenMaskError or MaskSizeError.
    """
    with opened(path, max_pixels) as (image, file):
        warnings = warnings_of(image, file)
        raw = raw_mode(image)  # gone once the image is loaded
        frames = int(getattr(image, "n_frames", 1))
        image.load()
        kind, pixels = _pixels(image, raw)
        return StoredImage(
            kind=kind,
            bits=_bits(image, raw),
            width=image.width,
            height=image.height,
            pixels=pixels,
            alpha=_alpha(image, pixels),
            plte=bytes(image.getpalette("RGB") or []) if kind == "palette" else None,
            interlaced=bool(image.info.get("interlace")),
            frames=frames,
            format=image.format or "",
            lossy=any("is lossy" in warning for warning in warnings),
            warnings=warnings,
        )


def _pixels(image: Image.Image, raw: str) -> tuple[str, NDArray[Any] | None]:
    """The kind of an image, and its pixels."""
    mode = image.mode
    if mode == "LA" or (mode == "RGBA" and raw.startswith("LA")):  # that of 16 bits opens so
        return "grey", np.array(image)[..., 0]
    if mode in ("RGB", "RGBA", "RGBX"):
        return "RGB", np.array(image)[..., :3]
    if mode in ("P", "PA"):
        positions = np.array(image)
        return "palette", positions if mode == "P" else positions[..., 0]
    if mode == "1":
        return "grey", np.array(image).astype(np.uint8)
    if mode == "L":
        return "grey", np.array(image) // np.uint8(255 if raw == "L;1" else grey_step(raw))
    if mode.startswith("I"):
        return "grey", np.array(image).astype(np.int64)
    return mode, None


def _bits(image: Image.Image, raw: str) -> int:
    """Bits of a channel in the file: Pillow drops the low ones of 16-bit colours."""
    if image.mode == "1":
        return 1
    if image.mode == "I":
        return 32
    found = re.match(r"(?:P|L|I|RGB|RGBA|RGBX|LA|CMYK);(\d+)", raw)
    tagged = max(getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (0,)))
    return tagged or (int(found[1]) if found else 8)


def _alpha(image: Image.Image, pixels: NDArray[Any] | None) -> NDArray[np.uint8] | None:
    """The alpha channel, or what a tRNS chunk makes of colours."""
    if image.mode in ("RGBA", "LA", "PA"):
        return np.array(image.getchannel("A"))
    key = image.info.get("transparency")
    if key is None or pixels is None:
        return None
    if isinstance(key, bytes):  # an alpha for each of the first palette entries
        table = np.full(256, 255, np.uint8)
        table[: len(key)] = np.frombuffer(key, np.uint8)[:256]
        alpha: NDArray[np.uint8] = table[pixels]
        return alpha
    # one colour or value is transparent; Pillow stretches grey, but not the value
    clear = (pixels == np.array(key)).all(axis=2) if pixels.ndim == 3 else pixels == key
    return np.where(clear, 0, 255).astype(np.uint8)
