"""The Pillow codec: every format Pillow reads in, palette PNG or 16-bit greyscale PNG out."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, PngImagePlugin, UnidentifiedImageError, features

from gpuseg.batch import Labels
from gpuseg.codecs.checksums import check_png
from gpuseg.codecs.fingerprint import CHUNK, Fingerprint
from gpuseg.codecs.limit import size_limit_is_ours
from gpuseg.codecs.memory import pixel_words
from gpuseg.codecs.sniff import is_lossy_webp, not_an_image
from gpuseg.errors import (
    BrokenMaskError,
    LabelError,
    MaskError,
    MaskSizeError,
    UnreadableMaskError,
    UnsupportedMaskError,
)
from gpuseg.mask import DecodedMask
from gpuseg.options import DEFAULT_MAX_PIXELS

FORMATS = ("PNG", "BMP", "TIFF", "WEBP", "GIF", "JPEG")
"""Formats taken, by content. (MPO, a JPEG of several frames, is opened as JPEG.)"""

SUFFIXES = (".png", ".bmp", ".tif", ".tiff", ".webp", ".gif", ".jpg", ".jpeg")
"""File names taken when no pattern is given (lower case)."""

Z_RLE = 3
"""zlib strategy for runs: label maps get smaller and 3 times faster than by the default."""

NAME = "pillow"

_BITS_PER_SAMPLE = 258
"""Tag of TIFF: bits of each channel."""

_GREY_STEP = {"L;2": 85, "L;4": 17}
"""Pillow stretches grey of 2 and 4 bits to 0 to 255, but not the value that is transparent."""


def zlib_version() -> str:
    """Version of the zlib that Pillow runs on; one with `zlib-ng` in it is about twice as fast."""
    return str(features.version("zlib"))


def read_mask(path: str | Path, max_pixels: int) -> DecodedMask:
    """Decode one image file; its content, not its suffix, decides the format.

    max_pixels: larger images are refused from their header, before memory is taken.
    Raises UnreadableMaskError, BrokenMaskError, MaskSizeError or UnsupportedMaskError.
    """
    try:
        file = open(path, "rb")  # noqa: SIM115  # closed by the with below
    except OSError as error:
        raise UnreadableMaskError(f"cannot be opened: {error.strerror}") from error
    with file:
        try:
            check_png(file)
            with Image.open(file, formats=FORMATS) as image:
                check_size(image.width, image.height, max_pixels)
                warnings = _warnings(image, file)
                _refuse_unsupported(image)
                raw = _raw_mode(image)  # gone once the image is loaded
                image.load()
                return _decoded(image, raw, warnings)
        except MaskError:
            raise
        except UnidentifiedImageError as error:
            raise BrokenMaskError(not_an_image(file, FORMATS)) from error
        except Image.DecompressionBombError as error:
            raise MaskSizeError(f"{error}; raise the limit with --max-pixels") from error
        except MemoryError as error:
            raise MaskSizeError(
                "needs more memory than there is; use fewer --workers, or restore it if it "
                "should be small: damaged files may claim any size"
            ) from error
        # Pillow's parsers raise nearly anything on damaged input: OSError, SyntaxError,
        # ValueError, struct.error, KeyError … To the user all mean: this file is damaged.
        except Exception as error:
            raise BrokenMaskError(
                f"is damaged and cannot be decoded ({error}); restore it from its source"
            ) from error


def read_rgb_shape(path: str, max_pixels: int) -> tuple[int, int] | None:
    """(height, width) from the header of a file that decodes to RGB pixels, else None.

    Raises as `read_mask` does, though damage behind the header is not seen.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            check_size(image.width, image.height, max_pixels)
            _refuse_unsupported(image)
            return (image.height, image.width) if image.mode in ("RGB", "RGBA") else None
    except MaskError:
        raise
    except Exception as error:  # see read_mask
        raise BrokenMaskError(f"has no header that can be read ({error})") from error


def check_size(width: int, height: int, max_pixels: int) -> None:
    """Raise MaskSizeError for more than `max_pixels` pixels."""
    if width * height > max_pixels:
        raise MaskSizeError(
            f"claims {width:,} x {height:,} = {width * height:,} pixels, the limit is "
            f"{max_pixels:,}; if the file can be trusted, use --max-pixels {width * height}"
        )


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
    path: str | Path | IO[bytes], max_pixels: int = DEFAULT_MAX_PIXELS
) -> tuple[Labels, bytes | None]:
    """The indices of a label map and its palette, as they stand in the file.

    Takes palette images (1 to 8 bits), 8-bit and 16-bit greyscale. Returns uint8 or uint16
    (H, W), and the palette's RGB bytes or None. max_pixels: as in `read_mask`. Raises
    FileNotFoundError, UnreadableMaskError, BrokenMaskError, MaskSizeError or
    UnsupportedMaskError.
    """
    try:
        with (
            size_limit_is_ours(),
            _opened(path) as file,
            Image.open(file, formats=FORMATS) as image,
        ):
            check_size(image.width, image.height, max_pixels)
            mode, raw = image.mode, _raw_mode(image)
            if mode not in ("P", "L", "I;16", "I;16L", "I;16B"):
                raise UnsupportedMaskError(
                    f"{path} is a {mode} image; a label map is a palette or greyscale image"
                )
            pixels, palette = np.array(image), image.getpalette("RGB")
    except MaskError:
        raise
    except Exception as error:  # see read_mask
        raise BrokenMaskError(f"{path} cannot be read as a label map ({error})") from error
    if mode == "P":
        return pixels, bytes(palette or [])
    if mode == "L":
        return pixels // np.uint8(_GREY_STEP.get(raw, 1)), None
    return pixels.astype(np.uint16), None


@contextmanager
def _opened(path: str | Path | IO[bytes]) -> Iterator[IO[bytes]]:
    """The file, with its checksums checked."""
    if isinstance(path, str | Path):
        try:
            file = open(path, "rb")  # noqa: SIM115  # closed by the with below
        except OSError as error:
            raise UnreadableMaskError(f"{path} cannot be opened: {error.strerror}") from error
        with file:
            check_png(file)
            yield file
    else:
        check_png(path)
        yield path


def _decoded(image: Image.Image, raw: str, warnings: tuple[str, ...]) -> DecodedMask:
    """The loaded image, stored in mode `raw`, as DecodedMask; refuses alpha that is not opaque."""
    fields: dict[str, Any] = {"format": image.format or "", "codec": NAME, "warnings": warnings}
    if image.mode in ("RGBA", "LA", "PA"):
        if image.getchannel("A").getextrema() != (255, 255):
            raise _alpha_error()
        if image.mode != "RGBA":
            image = image.convert(image.mode[:-1])
    if image.mode in ("RGB", "RGBA"):
        _refuse_colour_key(image)
        return _decoded_rgb(image, fields)
    if image.mode == "P":
        palette = np.array(image.getpalette("RGB"), np.uint8).reshape(-1, 3)
        if not len(palette):
            raise BrokenMaskError("has no palette for its pixels; restore it from its source")
        pixels = np.asarray(image)
        _refuse_transparent_entries(image, pixels)
        return DecodedMask(pixels, palette, **fields)
    pixels = np.asarray(image.convert("L"))
    _refuse_transparent_entries(image, pixels, step=_GREY_STEP.get(raw, 1))
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, axis=1)
    return DecodedMask(pixels, ramp, grey=True, **fields)


def _decoded_rgb(image: Image.Image, fields: dict[str, Any]) -> DecodedMask:
    """An RGB or opaque RGBA image, where it lies in memory if that is possible."""
    words = pixel_words(image)
    if words is None:
        return DecodedMask(np.asarray(image.convert("RGB")), None, **fields)
    pixels = words.view(np.uint8).reshape(*words.shape, 4)[..., :3]
    return DecodedMask(pixels, None, words=words, **fields)


def _refuse_unsupported(image: Image.Image) -> None:
    """Raise UnsupportedMaskError for what is whole but no 8-bit colour mask, by the header."""
    frames = getattr(image, "n_frames", 1)
    if frames != 1:
        raise UnsupportedMaskError(
            f"holds {frames} frames, a mask is one image; save the frame you want on its own"
        )
    mode, raw = image.mode, _raw_mode(image)
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


def _raw_mode(image: Image.Image) -> str:
    """How the file stores pixels: 16-bit RGB opens as mode RGB, its low bytes dropped."""
    tiles = getattr(image, "tile", None)
    if not tiles:
        return ""
    arguments = tiles[0][3]
    first = arguments[0] if isinstance(arguments, tuple) and arguments else arguments
    return first if isinstance(first, str) else ""


def _refuse_colour_key(image: Image.Image) -> None:
    """A tRNS chunk makes one RGB colour transparent: alpha in another form."""
    key = image.info.get("transparency")
    if isinstance(key, tuple) and (np.asarray(image) == np.array(key)).all(axis=2).any():
        raise _alpha_error()


def _refuse_transparent_entries(
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
        raise _alpha_error()


def _alpha_error() -> UnsupportedMaskError:
    return UnsupportedMaskError(
        "has transparent pixels, a mask must be opaque: their colour is not what is seen, or "
        "alpha carries data; flatten the image onto the colour you mean, then convert"
    )


def _warnings(image: Image.Image, file: io.BufferedReader) -> tuple[str, ...]:
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
