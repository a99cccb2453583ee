"""What a codec hands over, before any class is known: pixels, or the scanlines of a PNG."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class DecodedMask:
    """The pixels of one image file.

    Either `colours` is None and `pixels` is uint8 (H, W, 3): RGB, contiguous unless it is a
    view of `words`; or `pixels` is uint8 (H, W): positions in `colours`, uint8 (K, 3).

    words: the pixels of an RGB image as uint32 (H, W), contiguous, if they lie in memory so:
        r | g << 8 | b << 16, and a byte without meaning.
    grey: the file was greyscale: `colours` is the ramp (v, v, v), and the values may
        be finished indices instead of colours.
    format: what the content is, for instance `PNG`; the suffix does not matter.
    codec: which codec read it.
    warnings: what the report should tell about this file.
    """

    pixels: NDArray[np.uint8]
    colours: NDArray[np.uint8] | None
    format: str
    codec: str
    grey: bool = False
    warnings: tuple[str, ...] = ()
    words: NDArray[np.uint32] | None = None

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.pixels.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.pixels.shape[1])


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Scanlines:
    """A PNG whose pixels are still deflated and filtered.

    width, height: in pixels. channels: 1 (palette), 3 (RGB) or 4 (RGBA).
    bits: of a palette position: 1, 2, 4 or 8; of a channel: 8.
    row_bytes: of a row without its filter byte; several palette positions may share one.
    colours: the palette, uint8 (K, 3), None for RGB and RGBA. grey: it is the ramp (v, v, v).
    inflate: the scanlines, a filter byte and `row_bytes` bytes each, some whole rows at a time;
        each call begins anew. Raises MaskError where the file is damaged, and what the codec
        raises for files that are not its own: some show only now.
    mark: the payload of a fingerprint chunk, empty if there is none.
    format, codec, warnings: as in DecodedMask.
    """

    width: int
    height: int
    channels: int
    bits: int
    row_bytes: int
    colours: NDArray[np.uint8] | None
    inflate: Callable[[], Iterator[bytes]]
    codec: str
    grey: bool = False
    mark: bytes = b""
    format: str = "PNG"
    warnings: tuple[str, ...] = ()
