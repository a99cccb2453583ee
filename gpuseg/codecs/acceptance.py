"""What an image must be to be a colour mask, as far as a decoder can tell, and what to warn of."""

from __future__ import annotations

import re
from typing import IO

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gpuseg.codecs.opening import raw_mode
from gpuseg.codecs.sniff import is_lossy_webp
from gpuseg.errors import UnsupportedMaskError

_BITS_PER_SAMPLE = 258
"""Tag of TIFF: bits of each channel."""


def refuse_unsupported(image: Image.Image) -> None:
    """Raise UnsupportedMaskError for what is whole but no 8-bit colour mask, by the header."""
    refuse_frames(image, "a mask")
    mode, raw = image.mode, raw_mode(image)
    deep = re.match(r"(RGB|RGBA|RGBX|LA?|CMYK);16", raw)
    # the raw mode of a TIFF with one plane a channel names one channel and not its bits:
    # Pillow then takes the halves of a 16-bit value for two pixels
    bits = max(getattr(image, "tag_v2", {}).get(_BITS_PER_SAMPLE, (8,)))
    if mode.startswith("I") or deep or bits > 8:
        raise UnsupportedMaskError(
            f"has 16 bits a channel ({raw or mode}), colours must be 8-bit RGB; if these are "
            "class indices or ids they need no colours, else save the mask as 8-bit RGB"
        )
    if mode not in ("RGB", "RGBA", "P", "PA", "L", "LA", "1"):
        raise UnsupportedMaskError(
            f"is a {mode} image, colours must be 8-bit RGB; save the mask as RGB, without loss"
        )


def refuse_frames(image: Image.Image, what: str) -> None:
    """Raise UnsupportedMaskError for several frames: Pillow shows the first. what: is wanted."""
    frames = getattr(image, "n_frames", 1)
    if frames != 1:
        raise UnsupportedMaskError(
            f"holds {frames} frames, {what} is one image; save the frame you want on its own"
        )


def refuse_alpha(image: Image.Image) -> None:
    """Raise UnsupportedMaskError for an alpha channel that is not opaque everywhere."""
    if image.mode in ("RGBA", "LA", "PA") and image.getchannel("A").getextrema() != (255, 255):
        raise alpha_error()


def refuse_colour_key(image: Image.Image) -> None:
    """A tRNS chunk makes one RGB colour transparent: alpha in another form."""
    key = image.info.get("transparency")
    if isinstance(key, tuple) and (np.asarray(image) == np.array(key)).all(axis=2).any():
        raise alpha_error()


def refuse_transparent_entries(
    image: Image.Image, pixels: NDArray[np.uint8], step: int = 1
) -> None:
    """Palette entries or grey values that are transparent, and used."""
    key = image.info.get("transparency")
    if isinstance(key, int):
        clear = [key * step]
    elif isinstance(key, bytes):
        clear = [position for position, alpha in enumerate(key) if alpha < 255]
    else:
        return
    if np.isin(pixels, clear).any():
        raise alpha_error()


def warnings_of(image: Image.Image, file: IO[bytes]) -> tuple[str, ...]:
    """What the report should tell of this file, from its header."""
    found = []
    lossy = (
        image.format in ("JPEG", "MPO")
        or image.info.get("compression") == "jpeg"
        or (image.format == "WEBP" and is_lossy_webp(file))
    )
    if lossy:
        found.append(f"{image.format} is lossy: colours are not exact, above all at borders")
    if image.format in ("JPEG", "MPO", "TIFF", "WEBP"):
        orientation = image.getexif().get(0x0112, 1)
        if orientation != 1:
            # Pillow turns TIFF images while it loads them, and no others
            done = "is applied" if image.format == "TIFF" else "is not applied: pixels as stored"
            found.append(f"EXIF orientation {orientation} {done}")
    return tuple(found)


def alpha_error() -> UnsupportedMaskError:
    """The error for an image with alpha that is not opaque."""
    return UnsupportedMaskError(
        "has transparent pixels, a mask must be opaque: their colour is not what is seen, or "
        "alpha carries data; flatten the image onto the colour you mean, then convert"
    )
