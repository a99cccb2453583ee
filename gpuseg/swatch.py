"""A picture of a palette: colour, index, name and hex of every class."""

from __future__ import annotations

import io
import math
import os
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

from gpuseg.errors import UsageError
from gpuseg.output import write_atomically
from gpuseg.palette import Palette, PaletteClass

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

# Sizes in pixels
_MARGIN = 24
_ROW = 30
_BOX_WIDTH, _BOX_HEIGHT = 44, 22
_GAP = 12
_TEXT = 15
_TITLE = 22
_NAME_WIDTH = 260  # longer names are shortened
_COLUMN_GAP = 32

_PAPER = (255, 255, 255)
_INK = (24, 24, 27)
_FADED = (113, 113, 122)
_LINE = (161, 161, 170)

_MAX_ROWS = 32
_MAX_CLASSES = 1024


@dataclass(frozen=True, slots=True)
class _Layout:
    """Rows and columns of the table and the widths of its text, in pixels."""

    rows: int
    columns: int
    index_width: int
    name_width: int
    hex_width: int

    @property
    def column_width(self) -> int:
        widths = (_BOX_WIDTH, self.index_width, self.name_width, self.hex_width)
        return sum(widths) + _GAP * (len(widths) - 1)


def save_swatch(palette: Palette, path: str | os.PathLike[str]) -> None:
    """Write the picture of `draw_swatch` as PNG, replacing an existing file.

    Raises UsageError for a name that does not end in .png, and OutputError.
    """
    write_atomically(os.fspath(path), render_swatch(palette, path))


def render_swatch(palette: Palette, path: str | os.PathLike[str]) -> bytes:
    """The bytes that `save_swatch` writes. Raises UsageError as it does."""
    if not os.fspath(path).lower().endswith(".png"):
        raise UsageError(f"a swatch is a PNG: its name must end in .png, got {path}")
    buffer = io.BytesIO()
    draw_swatch(palette).save(buffer, format="PNG", optimize=True)
    return buffer.getvalue()


def draw_swatch(palette: Palette) -> Image.Image:
    """An RGB picture of the first 1024 colours, read down the columns, with a title.

    Characters that the font lacks are drawn as boxes.
    """
    font = ImageFont.load_default(size=_TEXT)
    title_font = ImageFont.load_default(size=_TITLE)
    classes = palette.classes[:_MAX_CLASSES]
    layout = _measure(classes, font)
    inner = layout.columns * layout.column_width + (layout.columns - 1) * _COLUMN_GAP
    title, facts = _clean(palette.name), _facts(palette)
    inner = max(inner, math.ceil(font.getlength(facts)), 240)
    top = _MARGIN + _TITLE + _TEXT + 26
    image = Image.new("RGB", (inner + 2 * _MARGIN, top + layout.rows * _ROW + _MARGIN), _PAPER)
    draw = ImageDraw.Draw(image)
    middle = _MARGIN + _TITLE // 2
    draw.text((_MARGIN, middle), _shorten(title, title_font, inner), _INK, title_font, "lm")
    middle += _TITLE // 2 + _TEXT // 2 + 8
    draw.text((_MARGIN, middle), facts, _FADED, font, "lm")
    for n, entry in enumerate(classes):
        left = _MARGIN + n // layout.rows * (layout.column_width + _COLUMN_GAP)
        _draw_entry(draw, entry, (left, top + n % layout.rows * _ROW), layout, font)
    return image


def _measure(classes: tuple[PaletteClass, ...], font: Font) -> _Layout:
    rows = min(len(classes), _MAX_ROWS)
    if len(classes) > _MAX_ROWS:
        columns = math.ceil(len(classes) / _MAX_ROWS)
        if len(classes) > _MAX_ROWS * 8:  # keep huge palettes about square
            columns = math.ceil(math.sqrt(len(classes) / 10))
        rows = math.ceil(len(classes) / columns)
    return _Layout(
        rows=rows,
        columns=math.ceil(len(classes) / rows),
        index_width=math.ceil(max(font.getlength(str(c.index)) for c in classes)),
        name_width=math.ceil(
            min(max(font.getlength(_clean(c.name)) for c in classes), _NAME_WIDTH)
        ),
        hex_width=math.ceil(max(font.getlength(c.hex) for c in classes)),
    )


def _draw_entry(
    draw: ImageDraw.ImageDraw,
    entry: PaletteClass,
    corner: tuple[int, int],
    layout: _Layout,
    font: Font,
) -> None:
    x, y = corner
    box_top = y + (_ROW - _BOX_HEIGHT) // 2
    draw.rectangle((x, box_top, x + _BOX_WIDTH - 1, box_top + _BOX_HEIGHT - 1), entry.rgb, _LINE)
    middle = y + _ROW // 2
    x += _BOX_WIDTH + _GAP + layout.index_width
    draw.text((x, middle), str(entry.index), _FADED, font, "rm")
    x += _GAP
    name = _shorten(_clean(entry.name), font, layout.name_width)
    draw.text((x, middle), name, _INK, font, "lm")
    x += layout.name_width + _GAP
    draw.text((x, middle), entry.hex, _FADED, font, "lm")


def _facts(palette: Palette) -> str:
    count = len(palette)
    parts = [f"{count} colour{'' if count == 1 else 's'}"]
    if palette.ignore_index is not None:
        parts.append(f"ignore index {palette.ignore_index}")
    if not palette.verified:
        parts.append("not verified")
    if count > _MAX_CLASSES:
        parts.append(f"the first {_MAX_CLASSES} are shown")
    return " · ".join(parts)


def _clean(text: str) -> str:
    """One line that a font can draw: no control characters, no broken surrogates."""
    line = "".join(char if char.isprintable() else " " for char in text[:400])
    return line.encode("utf-8", "replace").decode("utf-8")


def _shorten(text: str, font: Font, width: int) -> str:
    """`text`, or as much of its beginning as fits `width` pixels together with …."""
    if font.getlength(text) <= width:
        return text
    low, high = 0, len(text)
    while low < high:
        cut = (low + high + 1) // 2
        if font.getlength(text[:cut].rstrip() + "…") <= width:
            low = cut
        else:
            high = cut - 1
    return text[:low].rstrip() + "…"
