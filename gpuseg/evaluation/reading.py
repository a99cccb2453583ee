"""Reading one side of a pair: a label map as its indices, a colour mask by the palette."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gpuseg import direct
from gpuseg.batch import Labels
from gpuseg.codecs import png
from gpuseg.codecs.opening import ImageFile
from gpuseg.colour_masks import read_colour_mask
from gpuseg.errors import ColouredMaskError, LabelError, UnknownColourError, UnsupportedMaskError
from gpuseg.indexing import index_mask
from gpuseg.kernels.lut import Lookup, build_lookup
from gpuseg.label_maps import count_labels, listed, read_label_map
from gpuseg.options import ConvertOptions, Depth
from gpuseg.palette import Palette
from gpuseg.palettes.index_table import FLAG, Unmapped, index_table, narrow_table
from gpuseg.palettes.mapping import IndexMap
from gpuseg.results import count
from gpuseg.scratch import Take

_SHOWN = 3


@dataclass(frozen=True, slots=True, eq=False)
class Image:
    """One side of a pair, read.

    labels: uint8 or uint16 (H, W), C-contiguous. format, codec, warnings: as in FileResult.
    painted: classes that the file's own palette, if it has one, gives another colour than the
    palette of the run does, with that colour as `#rrggbb`; they need not occur.
    """

    labels: Labels
    format: str
    codec: str
    warnings: tuple[str, ...] = ()
    painted: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Colours:
    """What colour masks mean. Pickled as the palette: each process makes its own table."""

    palette: Palette
    ignore_index: int

    def __reduce__(self) -> tuple[type[Colours], tuple[Palette, int]]:
        return Colours, (self.palette, self.ignore_index)

    @property
    def options(self) -> ConvertOptions:
        """How a colour mask is converted: unknown colours fail it."""
        top = max(self.palette.max_index, self.ignore_index)
        depth: Depth = 8 if top < 256 else 16
        return ConvertOptions(ignore_index=self.ignore_index, depth=depth)

    @cached_property
    def lookup(self) -> Lookup:
        """The table, made for the first colour mask: most evaluations have none."""
        return build_lookup(self.palette, self.options)

    @cached_property
    def differing(self) -> Callable[[bytes], Mapping[int, str]]:
        """Looks for what a file paints otherwise, see `Image.painted`, by 3 bytes a colour.

        Most files of a run have the same palette. What was found goes with this object.
        """
        return lru_cache(maxsize=256)(self._differing)

    @cached_property
    def _listed(self) -> Mapping[int, set[str]]:
        """The colours that each class may have in a label map."""
        found: dict[int, set[str]] = {}
        for entry in self.palette.label_classes:
            if entry.index != self.ignore_index:
                found.setdefault(entry.index, set()).add(entry.hex)
        return found

    def _differing(self, plte: bytes) -> Mapping[int, str]:
        size = len(plte) // 3
        given = {index: f"#{plte[3 * index : 3 * index + 3].hex()}" for index in range(size)}
        return {
            index: given[index]
            for index, listed in self._listed.items()
            if index in given and given[index] not in listed
        }


@dataclass(frozen=True, slots=True, eq=False)
class Indices:
    """What becomes of the indices of label maps. Pickled as the map.

    plan: None lets them be. table: uint32 (65536,), narrow: uint16 (256,), see `index_table`.
    """

    plan: IndexMap | None = None
    unmapped: Unmapped = "error"
    ignore_index: int = 255
    table: NDArray[np.uint32] | None = field(init=False, repr=False)
    narrow: NDArray[np.uint16] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        table, narrow = None, direct.IDENTITY
        if self.plan is not None:
            ignored = self.ignore_index
            pairs = [(old, ignored if new is None else new) for old, new in self.plan.pairs]
            table = index_table(pairs, self.unmapped, ignored)
            if self.unmapped == "ignore":
                table &= np.uint32(FLAG - 1)
            narrow = narrow_table(table)
        object.__setattr__(self, "table", table)
        object.__setattr__(self, "narrow", narrow)

    def __reduce__(self) -> tuple[type[Indices], tuple[IndexMap | None, Unmapped, int]]:
        return Indices, (self.plan, self.unmapped, self.ignore_index)

    def of(self, labels: Labels) -> Labels:
        """What labels become: uint8 where all fit, else uint16. Raises LabelError."""
        if self.table is None:
            return labels.copy()
        entries = self.table[labels]
        if unnamed := count_labels(labels[entries >= FLAG]):
            raise LabelError(
                f"holds indices that the map does not name: {listed(unnamed)}; add them to it, "
                "or choose --unmapped ignore"
            )
        kind = np.uint8 if entries.max(initial=0) < 256 else np.uint16
        return entries.astype(kind)


@dataclass(frozen=True, slots=True, eq=False)
class Reader:
    """Reads the files of one side.

    A palette or greyscale image is a label map, whatever its colours; any other is a colour mask.
    colours: what colour masks mean, None where no palette is known. max_pixels: larger images are
    refused from their header.
    """

    colours: Colours | None
    indices: Indices
    max_pixels: int

    def read(self, path: ImageFile, take: Take) -> Image:
        """The labels of a file. take: where their memory may come from.

        Raises MaskError, UnknownColourError included, and LabelError for indices that the map
        does not name.
        """
        with suppress(png.NotDirectError):
            mask = png.read_scanlines(path, self.max_pixels, grey=True)
            table = self._table(mask.colours is None)
            if table is not None:
                labels = direct.look_up(mask, table, take)
                if labels is not None:
                    plte = None if mask.colours is None or mask.grey else mask.colours.tobytes()
                    return Image(labels, mask.format, mask.codec, (), self._painted(plte))
        return self._thoroughly(path)

    def _painted(self, plte: bytes | None) -> Mapping[int, str]:
        """As in Image. Of a map, the colours are those of other indices."""
        if plte is None or self.colours is None or self.indices.plan is not None:
            return {}
        return self.colours.differing(plte)

    def _table(self, is_coloured: bool) -> NDArray[np.uint16] | None:
        """The table of the kernels, None where the long way must be gone."""
        if not is_coloured:
            return self.indices.narrow
        if self.colours is None or self.colours.lookup.depth != 8:
            return None
        return self.colours.lookup.table

    def _thoroughly(self, path: ImageFile) -> Image:
        """By the pixels, which tells what is wrong; the labels are in memory of their own."""
        try:
            found = read_label_map(path, self.max_pixels)
        except ColouredMaskError:
            return self._coloured(path)
        labels = self.indices.of(found.labels)
        painted = self._painted(found.plte)
        return Image(labels, found.format, found.codec, found.warnings, painted)

    def _coloured(self, path: ImageFile) -> Image:
        if self.colours is None:
            raise UnsupportedMaskError(
                "holds colours, and no palette tells what they mean; give it with --palette"
            )
        mask = read_colour_mask(path, self.max_pixels)
        known = self.colours
        try:
            found: Any = index_mask(mask, known.lookup, known.palette, known.options)
        except UnknownColourError as error:
            raise _unknown(error, known.palette) from error
        return Image(found.labels.copy(), mask.format, mask.codec, mask.warnings)


def _unknown(error: UnknownColourError, palette: Palette) -> UnknownColourError:
    """The error in words of this verb: nothing takes the place of an unknown colour here."""
    shown = "; ".join(map(str, error.colours[:_SHOWN]))
    return UnknownColourError(
        f"holds {count(error.pixels, 'pixel')} of colours that palette {palette.name!r} does not: "
        f"{shown}; name the palette they belong to, or make label maps of the masks first: gpuseg "
        "convert",
        error.colours,
        error.pixels,
    )
