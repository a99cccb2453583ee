"""Files to int64 labels, as losses take them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gpuseg.batch import Labels
from gpuseg.errors import LabelError, MaskError, UnknownColourError
from gpuseg.evaluation.reading import Colours, Image, Indices, Reader
from gpuseg.label_maps import count_labels, listed
from gpuseg.options import IndexOptions, ReadOptions
from gpuseg.palette import Palette
from gpuseg.scratch import Scratch

_SHOWN = 3

_scratch = Scratch()


@dataclass(frozen=True, slots=True)
class LabelReader:
    """Reads label maps, and by a palette colour masks; small, for it travels to workers.

    colours: the palette and its ignore index; None takes label maps of any index, and no other.
    reader: that of evaluations.
    """

    colours: Colours | None
    reader: Reader

    @classmethod
    def of(cls, palette: Palette | None, ignore_index: int | None, max_pixels: int) -> LabelReader:
        """One whose options have been looked at.

        ignore_index: None takes the palette's own, else 255 (65535 where classes need 16 bits).
        max_pixels: larger images are refused from their header. Raises UsageError.
        """
        limit = ReadOptions(max_pixels=max_pixels).max_pixels
        colours = None
        if palette is not None:
            IndexOptions(ignore_index=ignore_index, depth=16)  # is it one?
            ignored = palette.ignore_for(palette.least_depth, ignore_index)
            colours = Colours(palette, ignored)
        return cls(colours, Reader(colours, Indices(), limit))

    def read(self, path: str) -> NDArray[np.int64]:
        """The labels of a file, int64 (H, W), within `size_limit_is_ours`.

        Palette and greyscale images hold indices, whatever their colours are, and are not
        expanded; with a palette the indices must be its own, and RGB images are looked up.
        Warns of classes in colours that are not the palette's: perhaps those were meant.
        Raises MaskErrors and LabelError, which name the file.
        """
        try:
            image = self.reader.read(path, _scratch.take)
            labels = image.labels
            if self.colours is not None:
                _check(labels, self.colours.palette, self.colours.ignore_index)
                if image.painted:
                    _warn(image, self.colours.palette)
        except UnknownColourError as error:
            raise UnknownColourError(f"{path} {error}", error.colours, error.pixels) from error
        except (MaskError, LabelError) as error:
            raise type(error)(f"{path} {error}") from error
        return labels.astype(np.int64)  # a copy: the next file is read into the same memory


def _check(labels: Labels, palette: Palette, ignored: int) -> None:
    """Raise LabelError for indices that are neither classes nor the ignore index."""
    allowed = _allowed(palette, ignored)[labels]
    if not allowed.all():
        strange = count_labels(labels[~allowed])
        raise LabelError(
            f"holds indices that are neither classes of palette {palette.name!r} nor the ignore "
            f"index {ignored}: {listed(strange)}; use the palette they belong to, or pass "
            "ignore_index"
        )


def _warn(image: Image, palette: Palette) -> None:
    """Warn of classes in a label map whose own palette gives them other colours.

    Names no file, so that Python tells it once, and not of each file in every epoch.
    """
    there = [index for index in np.unique(image.labels).tolist() if index in image.painted]
    if there:
        named = palette.first_by_index()
        rows = [
            f"{index} {named[index].name!r} is {named[index].hex}, here {image.painted[index]}"
            for index in there[:_SHOWN]
        ]
        more = f"; {len(there) - _SHOWN} more" if len(there) > _SHOWN else ""
        warnings.warn(
            f"a palette image has other colours than palette {palette.name!r} ({'; '.join(rows)}"
            f"{more}), and its indices were taken; where the colours are what is meant, make label "
            "maps first: gpuseg convert",
            stacklevel=2,
        )


@lru_cache(maxsize=4)
def _allowed(palette: Palette, ignored: int) -> NDArray[np.bool_]:
    """Which indices a label map may hold: bool (65536,)."""
    allowed = np.zeros(1 << 16, bool)
    allowed[[*palette.label_indices, ignored]] = True
    return allowed
