"""What one image holds, counted: its colours, or its indices."""

from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gpuseg import direct
from gpuseg.codecs import png, stored
from gpuseg.codecs.fingerprint import Fingerprint, parse, read_fingerprint
from gpuseg.codecs.opening import ImageFile
from gpuseg.errors import MaskSizeError, UnsupportedMaskError
from gpuseg.kernels.lut import COLOURS, colour_keys
from gpuseg.mask import Scanlines

_NO_COUNTS = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Alpha:
    """values: how many different ones. least, largest: of them. clear: pixels that are not 255."""

    values: int
    least: int
    largest: int
    clear: int


class Census(NamedTuple):
    """One image, counted (a tuple, for there is one for each file).

    kind: `palette`, `grey`, `RGB`, or another mode in Pillow's words, of which nothing is counted.
    bits: of a channel or position in the file; of colours of more than 8, the high byte counts.
    values: what comes, int64 (K,): ascending indices of palette and grey images; else keys of
        colours, `r | g << 8 | b << 16`. counts: pixels of each, int64 (K,).
    plte: RGB bytes of the palette. alpha: None where there is none.
    fingerprint: what gpuseg wrote into it. frames, interlaced, format, codec, lossy, warnings:
        as in `StoredImage`.
    """

    kind: str
    bits: int
    width: int
    height: int
    values: NDArray[np.int64]
    counts: NDArray[np.int64]
    plte: bytes | None = None
    alpha: Alpha | None = None
    fingerprint: Fingerprint | None = None
    frames: int = 1
    interlaced: bool = False
    format: str = "PNG"
    codec: str = png.NAME
    lossy: bool = False
    warnings: tuple[str, ...] = ()

    @property
    def pixels(self) -> int:
        """Width times height."""
        return self.width * self.height

    @property
    def entries(self) -> int:
        """Colours of its palette."""
        return len(self.plte or b"") // 3

    @property
    def is_opaque(self) -> bool:
        """Whether no pixel is transparent."""
        return self.alpha is None or not self.alpha.clear

    def colours(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Keys of all colours, int64 (K,), and pixels of each, int64 (K,).

        Positions outside the palette have none, and grey of more than 8 bits has none at all.
        """
        if self.kind == "RGB":
            return self.values, self.counts
        if self.plte is not None:
            table = colour_keys(np.frombuffer(self.plte, np.uint8).reshape(-1, 3)).astype(np.int64)
            inside = self.values < len(table)
            keys, place = np.unique(table[self.values[inside]], return_inverse=True)
            counts = np.zeros(len(keys), np.int64)
            np.add.at(counts, place, self.counts[inside])  # two entries may be one colour
            return keys, counts
        if self.kind == "grey" and self.bits <= 8:
            return self.values * (0x010101 * 255 // ((1 << self.bits) - 1)), self.counts
        return _NO_COUNTS, _NO_COUNTS


def take_census(path: ImageFile, max_pixels: int) -> Census:
    """Count an image of any kind.

    max_pixels: larger images are refused from their header, before memory is taken.
    Raises UnreadableMaskError, BrokenMaskError and MaskSizeError.
    """
    try:
        mask = png.read_scanlines(path, max_pixels, grey=True)
        return _of_positions(mask) if mask.colours is not None else _of_colours(mask)
    except png.NotDirectError:
        pass
    except UnsupportedMaskError:  # alpha that is not opaque, which only Pillow hands over
        pass
    return _of_stored(stored.read_stored(path, max_pixels), path)


def _of_positions(mask: Scanlines) -> Census:
    if mask.bits == 8:
        counts = direct.count_labels(mask)
    else:
        from gpuseg.kernels import counting  # numba loads with the first image

        counts = counting.count_labels(direct.read_labels(mask))
    assert mask.colours is not None  # noqa: S101  # for mypy
    values = counts.nonzero()[0]
    return Census(
        kind="grey" if mask.grey else "palette",
        bits=mask.bits,
        width=mask.width,
        height=mask.height,
        values=values,
        counts=counts[values],
        plte=None if mask.grey else mask.colours.tobytes(),
        fingerprint=parse(mask.mark) if mask.mark else None,
    )


def _fingerprint(path: ImageFile) -> Fingerprint | None:
    with suppress(OSError):  # it has gone since it was read
        return read_fingerprint(path)
    return None


class _Known:
    """Numbers for up to 256 colours that masks of this process had: most masks have no others.

    Scanlines are then counted without their pixels ever being in memory.
    """

    def __init__(self) -> None:
        self.keys = np.zeros(256, np.int64)
        self._table = np.full(COLOURS, 256, np.uint16)  # 256 is the flag of what is unknown
        self.table = self._table.view()
        self.table.flags.writeable = False  # as other tables: kernels are compiled for that
        self._taken = 0
        self._lock = threading.Lock()

    def add(self, keys: NDArray[np.int64]) -> None:
        """Give numbers to the colours of a mask, if all of them get one."""
        with self._lock:
            new = keys[self._table[keys] == 256]
            end = self._taken + len(new)
            if end > 256:
                return
            self.keys[self._taken : end] = new  # first, for other threads may read meanwhile
            self._table[new] = np.arange(self._taken, end)
            self._taken = end


_known: _Known | None = None
_making = threading.Lock()


def _known_colours() -> _Known:
    global _known
    with _making:
        _known = _known or _Known()
    return _known


def _of_colours(mask: Scanlines) -> Census:
    known = _known_colours()
    numbers = direct.count_colours(mask, known.table)
    if numbers is not None:
        used = numbers.nonzero()[0]
        keys, counts = known.keys[used], numbers[used]
    else:
        keys, counts = _count_colours(direct.decode(mask, lambda stage: None).pixels)
        if len(keys) <= 256:
            known.add(keys)
    opaque = Alpha(values=1, least=255, largest=255, clear=0) if mask.channels == 4 else None
    return Census(
        kind="RGB",
        bits=8,
        width=mask.width,
        height=mask.height,
        values=keys,
        counts=counts,
        alpha=opaque,
    )


def _count_colours(pixels: NDArray[np.uint8]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Keys and counts of an image, uint8 (H, W, 3). Raises MaskSizeError."""
    from gpuseg.kernels import census

    if pixels.size // 3 > census.MOST_PIXELS:
        raise MaskSizeError(
            f"has {pixels.size // 3:,} pixels, colours are counted up to {census.MOST_PIXELS:,}; "
            "cut it into tiles"
        )
    keys, counts = census.count_colours(np.require(pixels, requirements=("C", "W")).reshape(-1))
    return keys.astype(np.int64), counts


def _of_stored(image: stored.StoredImage, path: ImageFile) -> Census:
    values, counts = _NO_COUNTS, _NO_COUNTS
    if image.kind == "RGB" and image.pixels is not None:
        values, counts = _count_colours(image.pixels)
    elif image.pixels is not None:
        values, counts = _count_numbers(image.pixels)
    return Census(
        kind=image.kind,
        bits=image.bits,
        width=image.width,
        height=image.height,
        values=values,
        counts=counts,
        plte=image.plte,
        alpha=_alpha(image.alpha) if image.alpha is not None else None,
        fingerprint=_fingerprint(path) if image.format == "PNG" else None,
        frames=image.frames,
        interlaced=image.interlaced,
        format=image.format,
        codec=stored.NAME,
        lossy=image.lossy,
        warnings=image.warnings,
    )


def _count_numbers(pixels: NDArray[Any]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    from gpuseg.kernels import counting

    if pixels.dtype == np.uint8:
        counts = counting.count_labels(np.require(pixels, requirements=("C", "W")))
        values = counts.nonzero()[0]
        return values, counts[values]
    values, counts = np.unique(pixels, return_counts=True)
    return values.astype(np.int64), counts.astype(np.int64)


def _alpha(alpha: NDArray[np.uint8]) -> Alpha:
    counts = np.bincount(alpha.reshape(-1), minlength=256)
    used = counts.nonzero()[0]
    clear = int(alpha.size - counts[255])
    return Alpha(values=len(used), least=int(used[0]), largest=int(used[-1]), clear=clear)
