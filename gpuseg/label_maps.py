"""Reading label maps: by the direct PNG path, and by Pillow what that does not read."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from gpuseg import direct
from gpuseg.batch import Labels
from gpuseg.codecs import label_png, png
from gpuseg.codecs.opening import ImageFile

SHOWN = 12
"""Indices that messages list; the rest are counted."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelMap:
    """A label map as it stands in its file.

    labels: uint8 or uint16 (H, W), C-contiguous. plte: the palette's RGB bytes, as many entries
    as the file has, None for greyscale. bits: of a label in the file: 1, 2, 4, 8 or 16.
    format, codec: what the content is, and which codec read it. warnings: as in DecodedMask.
    """

    labels: Labels
    plte: bytes | None
    bits: int
    format: str
    codec: str
    warnings: tuple[str, ...] = ()

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.labels.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.labels.shape[1])


def read_label_map(path: ImageFile, max_pixels: int) -> LabelMap:
    """A palette or greyscale image; `labels` are valid until this thread reads the next one.

    max_pixels: larger images are refused from their header, before memory is taken.
    Raises UnreadableMaskError, BrokenMaskError, MaskSizeError, and UnsupportedMaskError for an
    image that holds colours, or several frames.
    """
    with suppress(png.NotDirectError):
        mask = png.read_scanlines(path, max_pixels, grey=True)
        if mask.colours is not None:
            plte = None if mask.grey else mask.colours.tobytes()
            return LabelMap(direct.read_labels(mask), plte, mask.bits, mask.format, mask.codec)
    labels, plte, facts = label_png.read_as_stored(path, max_pixels)
    return LabelMap(labels, plte, facts.bits, facts.format, "pillow", facts.warnings)


def count_labels(labels: Labels) -> tuple[tuple[int, int], ...]:
    """(index, pixels) of all indices there are, by index."""
    indices, pixels = np.unique(labels, return_counts=True)
    return tuple(zip(indices.tolist(), pixels.tolist(), strict=True))


def listed(counts: tuple[tuple[int, int], ...]) -> str:
    """The first of `count_labels`, for messages: `3 (1,000 px), 7 (2 px)`."""
    shown = [f"{index} ({pixels:,} px)" for index, pixels in counts[:SHOWN]]
    return ", ".join([*shown, *([f"{len(counts) - SHOWN} more"] * (len(counts) > SHOWN))])


def perhaps_an_object(which: str, indices: Iterable[int], ignore_index: int) -> str:
    """The remark on label maps that hold nothing but 0 and the ignore index, or one of them."""
    return (
        f"{which} hold nothing but {' and '.join(map(str, sorted(indices)))}, and "
        f"{ignore_index} was taken for the ignore index; if it is a class, as in masks of one "
        "object, name another with --ignore-index"
    )
