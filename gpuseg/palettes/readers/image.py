"""The palette of an existing palette PNG: its PLTE chunk, read with the pixels that use it."""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from gpuseg.errors import PaletteFormatError
from gpuseg.palette import RGB, VOID_COLOUR, PaletteClass
from gpuseg.palettes.readers.fields import Draft, failure

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"
MAX_PIXELS = 1 << 26
"""Largest image read for its palette, 67,108,864 pixels: below the size Pillow warns of."""


def read_image(data: bytes, where: str) -> Draft:
    """The palette entries of a PNG file; index = position in the PLTE chunk.

    Of entries that share a colour, those that no pixel uses are filler and dropped. If
    no pixel uses any of them the first is kept, unless its neighbour repeats it: a run of
    one colour is what writers fill a palette up with. The rest are classes as any other.
    Entry 255 of the colour (224, 224, 192) is the ignore index. Raises
    PaletteFormatError for a PNG without a palette, one that is broken, or one of more
    than MAX_PIXELS pixels.
    """
    width, height = (int.from_bytes(data[at : at + 4], "big") for at in (16, 20))
    if width * height > MAX_PIXELS:
        raise failure(where, f"an image of at most {MAX_PIXELS} pixels", f"{width} x {height}")
    colours, pixels = _decode(data, where)
    used = np.bincount(pixels.ravel(), minlength=256)[: len(colours)] > 0
    if int(pixels.max(initial=0)) >= len(colours):
        raise failure(where, f"indices below {len(colours)}, the PLTE entries", int(pixels.max()))
    keep = _without_filler(colours, used.__getitem__)
    has_void = 255 in keep and colours[255] == VOID_COLOUR
    return Draft(
        tuple(
            PaletteClass(i, "void" if has_void and i == 255 else f"class {i}", colours[i])
            for i in keep
        ),
        ignore_index=255 if has_void else None,
    )


def _decode(data: bytes, where: str) -> tuple[list[RGB], NDArray[np.uint8]]:
    """PLTE entries and indices, uint8 of shape (H, W)."""
    from PIL import Image  # not needed for any other format

    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            if image.mode != "P" or image.palette is None:
                raise failure(where, "a palette PNG (colour type 3)", f"a PNG of mode {image.mode}")
            table = bytes(image.palette.palette)  # before load(), which may change its length
            pixels = np.asarray(image)
    except PaletteFormatError:
        raise
    except Exception as broken:  # hostile files make Pillow raise nearly anything
        raise PaletteFormatError(
            f"{where}: expected a palette PNG, got a file that Pillow cannot read ({broken})"
        ) from broken
    rows = [table[at : at + 3] for at in range(0, len(table) - 2, 3)]
    return [(row[0], row[1], row[2]) for row in rows], pixels


def _without_filler(colours: list[RGB], is_used: Callable[[int], bool]) -> list[int]:
    groups: dict[RGB, list[int]] = {}
    for index, rgb in enumerate(colours):
        groups.setdefault(rgb, []).append(index)
    keep: list[int] = []
    for members in groups.values():
        used = [i for i in members if is_used(i)]
        begins_run = len(members) > 1 and members[1] == members[0] + 1
        keep += used or ([] if begins_run else members[:1])
    return sorted(keep)
