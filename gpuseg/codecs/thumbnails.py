"""Pictures small enough for a page: made smaller, and encoded as PNG or JPEG."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gpuseg.batch import Labels
from gpuseg.codecs.opening import opened

RGBPixels = NDArray[np.uint8]
"""uint8 (H, W, 3)."""

Pixels = TypeVar("Pixels", bound=NDArray[Any])

_QUALITY = 80
_MAX_PNG = 200_000  # bytes; colours that a PNG holds no better than that become JPEG
_GREY = np.array([299, 587, 114], np.uint32)  # thousandths: luma of ITU-R BT.601


@dataclass(frozen=True, slots=True)
class Picture:
    """An encoded image. data: its bytes; kind: `png` or `jpeg`; width, height: in pixels."""

    data: bytes
    kind: str
    width: int
    height: int

    @property
    def uri(self) -> str:
        """The image as a `data:` address."""
        return f"data:image/{self.kind};base64,{base64.b64encode(self.data).decode('ascii')}"


def fitted(width: int, height: int, box: int) -> tuple[int, int]:
    """Width and height of an image that is made to fit a square of `box` pixels, if need be."""
    scale = min(1.0, box / max(width, height))
    return max(1, round(width * scale)), max(1, round(height * scale))


def nearest(pixels: Pixels, width: int, height: int) -> Pixels:
    """The pixels (H, W, …) at the middles of `width` x `height` cells: no new values."""
    rows = (2 * np.arange(height) + 1) * pixels.shape[0] // (2 * height)
    columns = (2 * np.arange(width) + 1) * pixels.shape[1] // (2 * width)
    return pixels[rows[:, None], columns]  # type: ignore[no-any-return]


def read_colours(path: str, max_pixels: int, box: int | None = None) -> RGBPixels:
    """An image of any kind as RGB; for a photograph, averaged to fit a square of `box` pixels.

    max_pixels: larger images are refused from their header. Raises MaskError.
    """
    with opened(path, max_pixels) as (image, _):
        if box is None:
            return np.array(image.convert("RGB"))
        size = fitted(image.width, image.height, box)
        image.draft("RGB", size)  # a JPEG is decoded no larger than need be
        return averaged(np.array(image.convert("RGB")), *size)


def averaged(pixels: RGBPixels, width: int, height: int) -> RGBPixels:
    """A photograph made smaller."""
    image = Image.fromarray(pixels)
    return np.array(image.resize((width, height), Image.Resampling.LANCZOS))


def size_of(path: str, max_pixels: int) -> tuple[int, int]:
    """Width and height of an image, from its header. Raises MaskError."""
    with opened(path, max_pixels) as (image, _):
        return image.width, image.height


def flat_picture(pixels: RGBPixels) -> Picture:
    """A picture of few colours, exactly; as JPEG where that would be far too large."""
    keys = pixels.astype(np.uint32) @ np.array([1 << 16, 1 << 8, 1], np.uint32)
    found, places = np.unique(keys, return_inverse=True)
    if len(found) > 256:
        return _smaller_of_two(Image.fromarray(pixels))
    height, width = keys.shape
    image = Image.frombytes("P", (width, height), places.astype(np.uint8).tobytes())
    colours = np.stack([found >> 16, found >> 8 & 255, found & 255], 1).astype(np.uint8)
    image.putpalette(colours.tobytes())
    return _encoded(image, "png")


def photo_picture(pixels: RGBPixels) -> Picture:
    """A picture of many colours, as JPEG."""
    return _encoded(Image.fromarray(pixels), "jpeg")


def painted(labels: Labels, table: NDArray[np.uint8]) -> RGBPixels:
    """Labels (H, W) in their colours. table: uint8 (K, 3); an index beyond it is black."""
    colours = np.zeros((max(len(table), int(labels.max(initial=0)) + 1), 3), np.uint8)
    colours[: len(table)] = table
    return colours[labels]


def blended(below: RGBPixels, colours: RGBPixels, shows: NDArray[np.bool_]) -> RGBPixels:
    """Colours laid over a picture, half and half, where `shows` (H, W) says so."""
    mixed = (below.astype(np.uint16) + colours + 1) // 2
    return np.where(shows[..., None], mixed, below).astype(np.uint8)


def greyed(pixels: RGBPixels) -> RGBPixels:
    """The picture in light greys, so that colours over it are told apart."""
    grey = (pixels.astype(np.uint32) @ _GREY + 500) // 1000
    return np.repeat((64 + grey * 3 // 4).astype(np.uint8)[..., None], 3, axis=2)


def _smaller_of_two(image: Image.Image) -> Picture:
    exact = _encoded(image, "png")
    return exact if len(exact.data) <= _MAX_PNG else _encoded(image, "jpeg")


def _encoded(image: Image.Image, kind: str) -> Picture:
    buffer = io.BytesIO()
    if kind == "png":
        image.save(buffer, "PNG", optimize=True)
    else:
        image.save(buffer, "JPEG", quality=_QUALITY)
    return Picture(buffer.getvalue(), kind, image.width, image.height)
