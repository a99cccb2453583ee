"""Files to int64 labels, as losses take them."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from gpuseg import direct
from gpuseg.batch import Labels
from gpuseg.codecs import label_png, pillow, png
from gpuseg.errors import LabelError, MaskError, UnknownColourError, UnsupportedMaskError
from gpuseg.indexing import Indexed, index_mask
from gpuseg.kernels.lut import build_lookup
from gpuseg.label_maps import count_labels, listed, read_label_map
from gpuseg.options import ConvertOptions, Depth, ReadOptions
from gpuseg.palette import Palette

_UNKNOWN = 1 << 8


@dataclass(frozen=True, slots=True)
class LabelReader:
    """Reads label maps, and by a palette colour masks; small, for it travels to workers.

    palette: None takes label maps of any index, and nothing else. ignore_index: None takes the
    palette's own, else 255. max_pixels: larger images are refused from their header.
    """

    palette: Palette | None
    ignore_index: int | None
    max_pixels: int

    @classmethod
    def of(cls, palette: Palette | None, ignore_index: int | None, max_pixels: int) -> LabelReader:
        """A reader whose options have been looked at. Raises UsageError and PaletteError."""
        reader = cls(palette, ignore_index, ReadOptions(max_pixels=max_pixels).max_pixels)
        if palette is not None:
            options = _options(palette, ignore_index)
            palette.check_depth(options.depth, options.ignore_index)
        return reader

    def read(self, path: str) -> NDArray[np.int64]:
        """The labels of a file, int64 (H, W), within `size_limit_is_ours`.

        Palette and greyscale images hold indices, whatever their colours are, and are not
        expanded; with a palette the indices must be its own, and RGB images are looked up.
        Raises MaskErrors and LabelError, which name the file.
        """
        try:
            labels = self._indices(path) if self.palette is None else self._known(path)
        except UnknownColourError as error:
            raise UnknownColourError(f"{path}: {error}", error.colours, error.pixels) from error
        except (MaskError, LabelError) as error:
            raise type(error)(f"{path} {error}") from error
        return labels.astype(np.int64)  # a copy: they are valid until the next file is read

    def _indices(self, path: str) -> Labels:
        return read_label_map(path, self.max_pixels).labels

    def _known(self, path: str) -> Labels:
        assert self.palette is not None  # noqa: S101  # for mypy: `read` has looked
        palette, options = self.palette, _options(self.palette, self.ignore_index)
        with suppress(png.NotDirectError):
            mask = png.read_scanlines(path, self.max_pixels, grey=True)
            if mask.colours is None:
                lookup = build_lookup(palette, options)
                return _array(
                    direct.index_scanlines(mask, lookup, palette, options, lambda stage: None)
                )
            labels = direct.map_labels(mask, _table(palette, options))
            # bits that fill up a row may have been taken for an index, so all are looked at
            return (
                _checked(direct.read_labels(mask), palette, options) if labels is None else labels
            )
        with suppress(UnsupportedMaskError):  # it holds colours, or the next says what is wrong
            return _checked(label_png.read_as_stored(path, self.max_pixels)[0], palette, options)
        pixels = pillow.read_mask(path, self.max_pixels)
        return _array(index_mask(pixels, build_lookup(palette, options), palette, options))


def _options(palette: Palette, ignore_index: int | None) -> ConvertOptions:
    """Exact, and of 16 bits where the palette needs them."""
    ignored = palette.ignore_for(8, ignore_index)
    depth: Depth = 8 if max(palette.max_index, ignored) < _UNKNOWN else 16
    return ConvertOptions(ignore_index=ignore_index, depth=depth)


@lru_cache(maxsize=4)
def _allowed(palette: Palette, options: ConvertOptions) -> NDArray[np.bool_]:
    """Which indices a label map may hold: bool (65536,)."""
    allowed = np.zeros(1 << 16, bool)
    allowed[palette.indices] = True
    allowed[palette.ignore_for(options.depth, options.ignore_index)] = True
    return allowed


@lru_cache(maxsize=4)
def _table(palette: Palette, options: ConvertOptions) -> NDArray[np.uint16]:
    """The table of labels that stay as they are, uint16 (256,), flagged where not allowed."""
    flags = np.where(_allowed(palette, options)[:256], 0, _UNKNOWN)
    table = direct.IDENTITY | flags.astype(np.uint16)
    table.flags.writeable = False  # as other tables: kernels are compiled for that
    return table


def _array(indexed: Indexed) -> Labels:
    assert isinstance(indexed.labels, np.ndarray)  # noqa: S101  # scanlines are the device's
    return indexed.labels


def _checked(labels: Labels, palette: Palette, options: ConvertOptions) -> Labels:
    strange = labels[~_allowed(palette, options)[labels]]
    if not strange.size:
        return labels
    raise LabelError(
        f"holds indices that are neither classes of palette {palette.name!r} nor the ignore index "
        f"{palette.ignore_for(options.depth, options.ignore_index)}: "
        f"{listed(count_labels(strange))}; use the palette they belong to, or pass ignore_index"
    )
