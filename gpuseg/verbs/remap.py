"""`remap`: other indices for label maps; classes merged, dropped, or numbered as elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, ClassVar, Unpack, get_args

import numpy as np
from numpy.typing import NDArray

from gpuseg import direct
from gpuseg.codecs import label_png, png
from gpuseg.codecs.opening import GREYS
from gpuseg.discover import Source
from gpuseg.errors import LabelError, UsageError
from gpuseg.label_maps import SHOWN, count_labels, listed, read_label_map
from gpuseg.options import Depth, WriteKeywords, WriteOptions
from gpuseg.palette import MAX_INDEX, VOID_COLOUR, Palette
from gpuseg.palettes.index_table import FLAG, Unmapped, check_names, index_table, narrow_table
from gpuseg.palettes.load import load_palette
from gpuseg.palettes.mapping import IndexMap, Spec, load_mapping
from gpuseg.results import Report
from gpuseg.rewriting import About, Made, Mark, rewrite
from gpuseg.runs import Progress, StrPath, make_ready


def remap(
    src: StrPath,
    dst: StrPath,
    mapping: Spec | IndexMap,
    *,
    palette: Palette | StrPath | None = None,
    unmapped: Unmapped = "error",
    ignore_index: int | None = None,
    report: StrPath | None = None,
    progress: Progress | None = None,
    **options: Unpack[WriteKeywords],
) -> Report:
    """Give label maps other indices.

    src: a folder of label maps, or one. dst: a folder, made if need be; names keep their stem.
    mapping: a dict of old index to new one (or "ignore", the ignore index), a JSON, CSV or TSV
        file of that, two palettes `FROM:TO` whose classes of equal names are the same,
        `FROM:contiguous`, or `reduce-zero-label`; see `palettes.mapping`.
    palette: of the label maps that are made. None takes TO; where there is none, the colours of
        each file: a new index takes that of the first old index that becomes it (greyscale is
        its own colour), and the ignore index (224, 224, 192).
    unmapped: an index that the mapping does not name: `error` fails the file, `keep` lets it be,
        `ignore` makes it the ignore index.
    ignore_index: None takes the palette's own, else 255.
    report, progress: as in `convert_directory`. options: the fields of `WriteOptions`.

    Makes 8-bit palette PNGs, opaque. Where a new index is above 255, all become 16-bit
    greyscale; so do 16-bit files under `keep`. Raises UsageError for a mapping that leaves
    classes of FROM out (unless they are ignored) or makes an index that the palette does not
    hold, PaletteError, OutputError, Interrupted.
    """
    plan = mapping if isinstance(mapping, IndexMap) else load_mapping(mapping)
    if unmapped not in get_args(Unmapped):
        raise UsageError(f"unmapped must be error, keep or ignore, got {unmapped!r}")
    check_names(plan, unmapped)
    table = load_palette(palette) if palette is not None else plan.palette
    settings = WriteOptions(**options)
    maker = _maker(plan, table, unmapped, ignore_index, settings.max_pixels)
    if table is not None:
        table = replace(table, ignore_index=maker.ignore_index)
    palette = table if maker.depth == 8 else None
    make_ready(lambda: direct.make_ready(lambda labels: direct.encode(labels, bytes(768))))
    return rewrite(src, dst, maker, settings, palette, report=report, progress=progress)


def _maker(
    plan: IndexMap,
    palette: Palette | None,
    unmapped: Unmapped,
    ignore_index: int | None,
    max_pixels: int,
) -> _Remapping:
    """How each file is made. Raises UsageError for indices that the palette does not hold."""
    top = max((new for _, new in plan.pairs if new is not None), default=0)
    depth: Depth = 8 if top < 256 else 16
    ignored = palette.ignore_for(8, ignore_index) if palette else ignore_index
    ignored = 255 if ignored is None else ignored
    if not 0 <= ignored <= (MAX_INDEX if depth == 16 else 255):
        raise UsageError(f"ignore_index must be 0 to 255 (65535 at 16 bits), got {ignored}")
    pairs = tuple((old, ignored if new is None else new) for old, new in plan.pairs)
    if palette is None:
        return _Remapping(pairs, unmapped, ignored, depth, max_pixels)
    known = {*palette.label_indices, ignored}
    strange = sorted({new for _, new in plan.pairs if new is not None} - known)
    if plan.is_rule:  # what it makes no class of is as if it were not named
        pairs = tuple((old, new) for old, new in pairs if new in known)
    elif strange:
        raise UsageError(
            f"new indices must be classes of palette {palette.name!r} or the ignore index "
            f"{ignored}, got {', '.join(map(str, strange[:SHOWN]))}; mend the map, or use the "
            "palette it is for"
        )
    plte = palette.plte(ignored) if depth == 8 else None
    return _Remapping(pairs, unmapped, ignored, depth, max_pixels, plte, frozenset(known))


@dataclass(frozen=True, slots=True)
class _Unmapped:
    """Pixels of each index that became the ignore index because the mapping does not name it."""

    counts: tuple[tuple[int, int], ...]

    def row(self) -> Mapping[str, Any]:
        return {"unmapped": {str(index): pixels for index, pixels in self.counts}}


@dataclass(frozen=True, slots=True, eq=False)  # so that tables are kept by a cheap key
class _Remapping:
    """The Maker. pairs: (old, new). plte: None for the files' own colours. known: those it has."""

    verb: ClassVar[str] = "remap"
    is_python: ClassVar[bool] = False
    about: ClassVar[About] = About()

    pairs: tuple[tuple[int, int], ...]
    unmapped: Unmapped
    ignore_index: int
    depth: Depth
    max_pixels: int
    plte: bytes | None = None
    known: frozenset[int] | None = None

    @property
    def shaped_by(self) -> tuple[object, ...]:
        """The mapping, and what becomes of the indices that it does not name."""
        known = sorted(self.known or ())  # of 16 bits, too, where no palette tells
        return self.pairs, self.plte, self.ignore_index, self.unmapped, self.depth, known

    def make(self, source: Source, mark: Mark) -> Made:
        """The target of one label map."""
        made = self._fast(source, mark) if self.depth == 8 else None
        return made or self._thorough(source, mark)

    def _fast(self, source: Source, mark: Mark) -> Made | None:
        """By the direct path; None for what it does not read or what may be unmapped."""
        with suppress(png.NotDirectError):
            mask = png.read_scanlines(source.image, self.max_pixels, grey=True)
            if mask.colours is not None:
                labels = direct.map_labels(mask, _narrow_table(self))
                if labels is not None:
                    plte = self.plte or _own_plte(self, mask.colours.tobytes())
                    data = direct.encode(labels, plte, mark(0))
                    facts = {"width": mask.width, "height": mask.height}
                    return Made(data, facts | {"format": mask.format, "codec": mask.codec})
        return None

    def _thorough(self, source: Source, mark: Mark) -> Made:
        found = read_label_map(source.image, self.max_pixels)
        entries = _table(self)[found.labels]
        counts = count_labels(found.labels[entries >= FLAG])
        if counts and self.unmapped != "ignore":
            raise LabelError(
                f"holds indices that the mapping does not name: {listed(counts)}; add them to "
                "it, or choose --unmapped ignore"
            )
        labels = entries & (FLAG - 1)
        facts = {"width": found.width, "height": found.height, "format": found.format}
        facts |= {"codec": found.codec, "warnings": found.warnings}
        facts |= {"details": _Unmapped(counts) if counts else None}
        if self.depth == 16 or (self.unmapped == "keep" and found.bits == 16):
            deep = labels.astype(np.uint16)
            return Made(label_png.write_label(deep, None, mark(0)), facts)
        grey = GREYS.tobytes()
        plte = self.plte or _own_plte(self, grey if found.plte is None else found.plte)
        return Made(direct.encode(labels.astype(np.uint8), plte, mark(0)), facts)


@lru_cache(maxsize=4)
def _table(maker: _Remapping) -> NDArray[np.uint32]:
    """What each of the 65536 old indices becomes; FLAG with those that are not named."""
    return index_table(maker.pairs, maker.unmapped, maker.ignore_index, maker.known)


@lru_cache(maxsize=4)
def _narrow_table(maker: _Remapping) -> NDArray[np.uint16]:
    """The same for 8 bits, as the kernels take it."""
    return narrow_table(_table(maker))


@lru_cache(maxsize=64)
def _own_plte(maker: _Remapping, colours: bytes) -> bytes:
    """768 bytes: a file's own colours (RGB bytes) at their new indices."""
    table = np.zeros((256, 3), np.uint8)
    entries = _table(maker)[: len(colours) // 3].tolist()
    for old, entry in reversed(list(enumerate(entries))):  # the first of several comes last
        if entry < 256:
            table[entry] = tuple(colours[3 * old : 3 * old + 3])
    table[maker.ignore_index] = VOID_COLOUR
    return table.tobytes()
