"""`colorize`: label maps as colours, alone or over photographs."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar, Unpack

import numpy as np
from numpy.typing import NDArray

from gpuseg import direct
from gpuseg.batch import Labels
from gpuseg.codecs import photo, png
from gpuseg.codecs.fingerprint import Fingerprint
from gpuseg.discover import Source
from gpuseg.errors import LabelError, UsageError
from gpuseg.label_maps import LabelMap, count_labels, listed, read_label_map
from gpuseg.options import WriteKeywords, WriteOptions
from gpuseg.palette import MAX_INDEX, VOID_COLOUR, Palette
from gpuseg.palettes.load import load_palette
from gpuseg.palettes.of_run import palette_of_run
from gpuseg.results import Report
from gpuseg.rewriting import About, Made, Mark, rewrite
from gpuseg.runs import Progress, StrPath, make_ready

_BAND = 1 << 16
"""Pixels that are laid over a photograph at a time."""


def colorize(
    src: StrPath,
    dst: StrPath,
    *,
    palette: Palette | StrPath | None = None,
    over: StrPath | None = None,
    alpha: float = 0.5,
    ignore_index: int | None = None,
    report: StrPath | None = None,
    progress: Progress | None = None,
    **options: Unpack[WriteKeywords],
) -> Report:
    """Paint label maps: opaque RGB PNGs of 8 bits.

    src: a folder of label maps, or one. dst: a folder, made if need be; names keep their stem.
    palette: a Palette, the name of a preset, or a palette file. None takes each file's own
        palette, and for greyscale that of the run which made SRC, as its report tells.
    over: a folder of photographs, of the same relative paths but for the suffix; colours are
        laid over them: round((1 - alpha) * photograph + alpha * colour) of each channel, halves
        up, and where there is no class (the ignore index) the photograph alone.
    alpha: 0 (only the photograph) to 1 (only colours).
    ignore_index: painted (224, 224, 192) unless it is a class; None takes the palette's own (that
        of the run which made SRC, if no other is given), else 255. What a file's own palette has
        an entry for is painted so, and left bare over a photograph.
    report, progress: as in `convert_directory`. options: the fields of `WriteOptions`.

    Without `over` the pixels are those of `index_to_rgb`. An index without a colour fails the
    file, and so does a photograph that is missing, there twice, of another size, or to be turned
    (EXIF). A changed photograph is not noticed when a run is resumed: use resume=False.
    Raises UsageError, PaletteError, OutputError, Interrupted.
    """
    _check(over, alpha, ignore_index)
    chosen = load_palette(palette) if palette is not None else None
    settings = WriteOptions(**options)
    maker = _Colouring(
        chosen,
        palette_of_run(src) if chosen is None else None,
        ignore_index,
        os.path.abspath(over) if over is not None else None,
        float(alpha),
        settings.max_pixels,
    )
    any_colours, mark = np.zeros(256, np.uint32), Fingerprint(bytes(16))
    make_ready(
        lambda: direct.make_ready(lambda labels: direct.encode_colours(labels, any_colours, mark))
    )
    return rewrite(src, dst, maker, settings, report=report, progress=progress)


def _check(over: StrPath | None, alpha: float, ignore_index: int | None) -> None:
    if not isinstance(alpha, (int, float)) or not 0 <= alpha <= 1:
        raise UsageError(f"alpha must be 0 (only the photograph) to 1 (only colours), got {alpha}")
    if over is not None and not os.path.isdir(over):
        raise UsageError(
            f"over must be a folder of photographs on this machine, got {os.fspath(over)}"
        )
    if ignore_index is not None and not 0 <= ignore_index <= MAX_INDEX:
        raise UsageError(f"ignore_index must be 0 to {MAX_INDEX}, got {ignore_index}")


@dataclass(frozen=True, slots=True, eq=False)
class _Colours:
    """Colours of indices.

    rgb: uint8 (N, 3), N being 256 or 65536. known: bool (N,), which have one. bare: the index
    that is no class, over a photograph. whose: for messages. words, table: of the first 256, as
    `direct.encode_colours` and `direct.map_labels` take them.
    """

    rgb: NDArray[np.uint8]
    known: NDArray[np.bool_]
    bare: int
    whose: str
    words: NDArray[np.uint32]
    table: NDArray[np.uint16]

    @classmethod
    def of(
        cls, rgb: NDArray[np.uint8], known: NDArray[np.bool_], bare: int, whose: str
    ) -> _Colours:
        """With what is made of these."""
        table = np.arange(256, dtype=np.uint16)
        table[~known[:256]] |= 3 << 8
        table.flags.writeable = False  # as other tables: kernels are compiled for that
        return cls(rgb, known, bare, whose, _words(rgb[:256]), table)


def _words(rgb: NDArray[np.uint8]) -> NDArray[np.uint32]:
    """`r | g << 8 | b << 16` of colours, (N, 3) -> (256,), what is missing being 0."""
    words = np.zeros(256, np.uint32)
    wide = rgb.astype(np.uint32)
    words[: len(rgb)] = wide[:, 0] | wide[:, 1] << 8 | wide[:, 2] << 16
    return words


@dataclass(frozen=True, slots=True, eq=False)  # so that colours are kept by a cheap key
class _Colouring:
    """The Maker. chosen: the palette that was given; of_run: that of greyscale without one."""

    verb: ClassVar[str] = "colorize"
    is_python: ClassVar[bool] = False
    about: ClassVar[About] = About()

    chosen: Palette | None
    of_run: Palette | None
    ignore_index: int | None
    over: str | None
    alpha: float
    max_pixels: int

    @property
    def shaped_by(self) -> tuple[object, ...]:
        """All that shapes the targets."""
        palettes = [p.digest() if p is not None else None for p in (self.chosen, self.of_run)]
        return (*palettes, self.ignore_index, self.over, self.alpha)

    def make(self, source: Source, mark: Mark) -> Made:
        """The target of one label map."""
        made = self._fast(source, mark) if self.over is None else None
        return made or self._thorough(source, mark)

    def _fast(self, source: Source, mark: Mark) -> Made | None:
        """By the direct path; None for what it does not read, or what may have no colour."""
        with suppress(png.NotDirectError):
            mask = png.read_scanlines(source.image, self.max_pixels, grey=True)
            if mask.colours is not None:
                plte = None if mask.grey else mask.colours.tobytes()
                colours = _colours(self, plte, False)
                labels = direct.map_labels(mask, colours.table)
                if labels is not None:
                    data = direct.encode_colours(labels, colours.words, mark(0))
                    facts = {"width": mask.width, "height": mask.height}
                    return Made(data, facts | {"format": mask.format, "codec": mask.codec})
        return None

    def _thorough(self, source: Source, mark: Mark) -> Made:
        found = read_label_map(source.image, self.max_pixels)
        colours = _colours(self, found.plte, found.labels.dtype == np.uint16)
        _check_known(found.labels, colours)
        facts = {"width": found.width, "height": found.height, "format": found.format}
        facts |= {"codec": found.codec, "warnings": found.warnings}
        if self.over is None:
            return Made(_encode(found.labels, colours, mark), facts)
        pixels = self._photo_of(source, found)
        mixed = _blend(pixels, found.labels, colours, self.alpha)
        return Made(photo.write_rgb(mixed, mark(0)), facts)

    def _photo_of(self, source: Source, found: LabelMap) -> NDArray[np.uint8]:
        path = photo.find_photo(self.over or "", source.relative)
        pixels = photo.read_photo(path, self.max_pixels)
        height, width = pixels.shape[:2]
        if (height, width) != found.labels.shape:
            raise LabelError(
                f"is {found.width} x {found.height} pixels, its photograph {path} "
                f"{width} x {height}; they must be of one size, so give those that belong together"
            )
        return pixels


@lru_cache(maxsize=64)
def _colours(maker: _Colouring, plte: bytes | None, deep: bool) -> _Colours:
    """The colours of a file. plte: its own. deep: it has 16 bits. Raises LabelError."""
    palette = maker.chosen or (maker.of_run if plte is None else None)
    if palette is not None:
        return _of_palette(palette, maker.ignore_index, deep)
    if plte is None:
        raise LabelError(
            "is greyscale and has no colours, and no report beside it tells its palette; name "
            "that with --palette"
        )
    rgb = np.zeros((256, 3), np.uint8)
    listed = np.frombuffer(plte, np.uint8).reshape(-1, 3)
    rgb[: len(listed)] = listed
    known = np.arange(256) < len(listed)
    ignored = maker.ignore_index
    if ignored is None:
        ignored = maker.of_run.ignore_for(8) if maker.of_run is not None else 255
    if ignored < 256 and not known[ignored]:
        rgb[ignored] = VOID_COLOUR
        known[ignored] = maker.ignore_index is not None or maker.over is not None
    return _Colours.of(rgb, known, ignored, f"its own palette of {len(listed)} entries")


def _of_palette(palette: Palette, ignore_index: int | None, deep: bool) -> _Colours:
    rgb = np.zeros((1 << 16, 3), np.uint8)
    known = np.zeros(1 << 16, bool)
    ignored = palette.ignore_for(16 if deep else 8, ignore_index)
    rgb[ignored], known[ignored] = VOID_COLOUR, True
    for index, entry in palette.first_by_index().items():
        rgb[index], known[index] = entry.rgb, True
    bare = -1 if palette.is_real_class(ignored) else ignored
    return _Colours.of(rgb, known, bare, f"palette {palette.name!r}")


def _check_known(labels: Labels, colours: _Colours) -> None:
    strange = labels[~colours.known[labels]]
    if not strange.size:
        return
    raise LabelError(
        f"holds indices without a colour in {colours.whose}: "
        f"{listed(count_labels(strange))}; use the palette they belong to, or name the one "
        "that means no class with --ignore-index"
    )


def _encode(labels: Labels, colours: _Colours, mark: Mark) -> bytes:
    """An RGB PNG of labels of 8 or 16 bits that all have colours."""
    if labels.dtype == np.uint8:
        return direct.encode_colours(np.ascontiguousarray(labels), colours.words, mark(0))
    used = np.flatnonzero(np.bincount(labels.reshape(-1), minlength=1 << 16))
    if len(used) > 256:
        return photo.write_rgb(colours.rgb[labels], mark(0))
    numbers = np.zeros(1 << 16, np.uint8)
    numbers[used] = np.arange(len(used))
    return direct.encode_colours(numbers[labels], _words(colours.rgb[used]), mark(0))


def _blend(
    pixels: NDArray[np.uint8], labels: Labels, colours: _Colours, alpha: float
) -> NDArray[np.uint8]:
    """Colours over a photograph, uint8 (H, W, 3); the specification is `blended`."""
    table = _mixes(alpha)
    rgb = colours.rgb[: np.iinfo(labels.dtype).max + 1].astype(np.uint16) << 8
    mixed = np.empty_like(pixels)
    rows = max(1, _BAND // labels.shape[1])
    for y in range(0, len(labels), rows):  # keys take as much memory as many pixels
        some, band = labels[y : y + rows], pixels[y : y + rows]
        found = table.take(rgb.take(some, axis=0) | band)
        mixed[y : y + rows] = np.where((some == colours.bare)[..., None], band, found)
    return mixed


@lru_cache(maxsize=8)
def _mixes(alpha: float) -> NDArray[np.uint8]:
    """What a channel of a colour makes of one of a photograph: uint8 (65536,), by both."""
    values = np.arange(256, dtype=np.float64)
    mixed = np.floor((1 - alpha) * values + alpha * values[:, None] + 0.5)
    return mixed.astype(np.uint8).reshape(-1)
