"""Comparing a colour mask with its label map: whether every pixel is what its colour says."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

import numpy as np

from gpuseg import direct
from gpuseg.codecs import png
from gpuseg.codecs.fingerprint import Fingerprint, read_fingerprint
from gpuseg.codecs.opening import ImageFile
from gpuseg.codecs.png import NotDirectError
from gpuseg.colour_masks import read_colour_mask
from gpuseg.comparison.differences import Differences, find_differences
from gpuseg.comparison.meanings import Meaning, Standard
from gpuseg.errors import GpusegError, LabelError, UnreadableMaskError, UnsupportedMaskError
from gpuseg.label_maps import LabelMap, read_label_map
from gpuseg.mask import DecodedMask, Scanlines
from gpuseg.results import count
from gpuseg.scratch import Scratch

COLOURS_IN_DST = (
    "holds colours, not indices: it is no label map; convert it, or compare with the folder that "
    "holds what was made of it"
)

_wanted = Scratch()
_found = Scratch()  # both images are alive at once


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """How a label map compares with its colour mask.

    mask: what was read of the mask. problem: how they differ, empty where they do not.
    unknown: pixels of unknown colour. differences: pixels at fault.
    """

    mask: Scanlines | DecodedMask
    problem: str = ""
    unknown: int = 0
    differences: Differences | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Comparer:
    """Compares files. Sent to worker processes by pickle.

    standard: what label maps mean. allow_unknown: pixels of unknown colour may be any number
    where the label map does not report how many there are. max_pixels: larger images are refused.
    """

    standard: Standard
    allow_unknown: bool
    max_pixels: int

    def compare(self, source: ImageFile, target: str) -> Comparison:
        """Compare the label map at `target` with the colour mask at `source`.

        Usual PNGs go through the kernels, each side once: colours and labels both become
        indices. Only where these differ, or a colour is unknown, pixels are looked at one by
        one. Raises MaskError for a file that cannot be read, and LabelError for a target that
        is no label map; where it is the target, the message says so.
        """
        with suppress(NotDirectError):  # it may show only while inflating
            quick = self._by_kernels(source, target)
            if quick is not None:
                return quick
        return self._by_pixels(source, target)

    def _by_kernels(self, source: ImageFile, target: str) -> Comparison | None:
        """The comparison of two PNGs that are equal, or that cannot be; None for others."""
        with _of_target:
            stored = png.read_scanlines(target, self.max_pixels, grey=True)
            if stored.colours is None:
                raise LabelError(COLOURS_IN_DST)
            plte = None if stored.grey else stored.colours.tobytes()
        mark = Fingerprint.parse(stored.mark)
        if mark is not None and mark.unknown:  # the kernels would stop at the first such pixel
            return None
        mask = png.read_scanlines(source, self.max_pixels, grey=True)
        problem, meaning = self._judged(mask, stored, plte, stored.bits)
        if meaning is None:
            return Comparison(mask, problem)
        table = meaning.lookup.table
        if meaning.lookup.depth != 8:
            return None
        if mask.colours is not None:
            table = meaning.lookup.entries(mask.colours)
        wanted = direct.look_up(mask, table, _wanted.take)
        if wanted is None:
            return None
        with _of_target:
            shown = direct.IDENTITY if meaning.shown is None else meaning.shown
            found = direct.look_up(stored, shown, _found.take)
        return Comparison(mask) if found is not None and np.array_equal(wanted, found) else None

    def _by_pixels(self, source: ImageFile, target: str) -> Comparison:
        """The comparison of any two images, each read anew."""
        with _of_target:
            mark = read_fingerprint(target)
            reported = None if mark is None else mark.unknown
            stored = read_label_map(target, self.max_pixels)
        mask = read_colour_mask(source, self.max_pixels)
        problem, meaning = self._judged(mask, stored, stored.plte, stored.bits)
        if meaning is None:
            return Comparison(mask, problem)
        found = find_differences(mask, stored.labels, meaning)
        unknown = found.unknown + found.doubtful
        if not found.wrong:
            if reported is None and not found.doubtful and (self.allow_unknown or not unknown):
                return Comparison(mask, unknown=unknown)
            if reported is not None and unknown <= reported <= unknown + found.spare:
                return Comparison(mask, unknown=reported)
        problem = _problem(found, mask.width * mask.height, reported)
        return Comparison(mask, problem, found.unknown, found)

    def _judged(
        self,
        mask: Scanlines | DecodedMask,
        stored: Scanlines | LabelMap,
        plte: bytes | None,
        bits: int,
    ) -> tuple[str, Meaning | None]:
        """What differs before any pixel is compared, or what the labels mean."""
        size, other = (mask.width, mask.height), (stored.width, stored.height)
        if size != other:
            return (
                f"the mask is {size[0]} x {size[1]} pixels, its label map {other[0]} x {other[1]}"
                "; convert it again"
            ), None
        if problem := self.standard.problem(plte, bits):
            return problem, None
        with _of_target:
            return "", self.standard.meaning(plte, bits)


def _problem(found: Differences, pixels: int, reported: int | None) -> str:
    """The sentence for pixels at fault."""
    place = found.first
    if not found.pixels or place is None:
        return _of_unknown(found, reported)
    text = f"{found.pixels:,} of {pixels:,} pixels differ, the first at x={place.x} y={place.y}: "
    if place.index is None:
        text += f"index {place.label}, which is not in the palette"
    else:
        text += f"{place.hex} should have index {place.index}, not {place.label}"
    if found.swapped == found.pixels + found.unknown:
        text += "; with red and blue swapped they are right"
    if found.unknown != (reported or 0) and found.unknown:
        text += f"; besides, {_of_unknown(found, reported)}"
    return text


def _of_unknown(found: Differences, reported: int | None) -> str:
    text = f"{count(found.unknown, 'pixel')} of a colour that is not in the palette"
    if found.first_unknown is not None:
        place = found.first_unknown
        text += f", the first at x={place.x} y={place.y} ({place.hex})"
    if reported is None:
        return f"{text}; check --palette, or allow them with --allow-unknown"
    return f"{text}, the label map reports {reported:,}; check --palette, or convert it again"


class _OfTarget:
    """A context: what goes wrong in it is told as the label map's fault.

    An image that is whole and yet no label map becomes a LabelError, whichever codec found that.
    """

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, UnsupportedMaskError):
            raise LabelError(f"its label map {error}") from error
        if isinstance(error, GpusegError):
            raise type(error)(f"its label map {error}") from error
        if isinstance(error, OSError):
            raise UnreadableMaskError(
                f"its label map cannot be opened: {error.strerror}"
            ) from error


_of_target = _OfTarget()
