"""What all readers share: the draft they fill, and the parsing of one colour, index or name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from gpuseg.errors import PaletteFormatError
from gpuseg.palette import MAX_INDEX, RGB, Merged, PaletteClass
from gpuseg.palette_entries import rgb_of

_CHANNEL = re.compile(r"\d{1,3}(\.0*)?", re.ASCII)  # some tables hold "219.0"
_HEX = re.compile(r"#?[0-9a-fA-F]{6}", re.ASCII)
_INDEX = re.compile(r"\d{1,9}(\.0*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Draft:
    """What a file says, before repeated colours are resolved. Fields as in Palette."""

    classes: tuple[PaletteClass, ...]
    name: str = ""
    ignore_index: int | None = None
    source: str = ""
    notes: str = ""
    verified: bool = True
    merged: tuple[Merged, ...] = ()


def failure(where: str, expected: str, came: object) -> PaletteFormatError:
    """The error to raise: where, what was expected, what came (shortened)."""
    shown = came if isinstance(came, str) else _shown(came)
    if len(shown) > 80:
        shown = shown[:77] + "…"
    return PaletteFormatError(f"{where}: expected {expected}, got {shown!r}")


def _shown(came: object) -> str:
    try:
        return repr(came)
    except (ValueError, RecursionError):  # an int of thousands of digits, deep nesting
        return f"a {type(came).__name__} too large to show"


def is_hex(value: object) -> bool:
    """Whether `value` is text of the form #RRGGBB (the # is needed)."""
    return isinstance(value, str) and value.startswith("#") and bool(_HEX.fullmatch(value))


def is_decimal(value: object) -> bool:
    """Whether `value` is text of ASCII digits."""
    return isinstance(value, str) and value.isascii() and value.isdecimal()


def parse_hex(text: str, where: str) -> RGB:
    """The colour `#RRGGBB` (or `RRGGBB`). Raises PaletteFormatError."""
    text = text.strip()
    if not _HEX.fullmatch(text):
        raise failure(where, "a colour #RRGGBB", text)
    return rgb_of(text)


def parse_colour(value: object, where: str) -> RGB:
    """A colour of a JSON file: `#RRGGBB` or three numbers. Raises PaletteFormatError."""
    if isinstance(value, str):
        return parse_hex(value, where)
    if isinstance(value, list) and len(value) == 3:
        channels = [_whole(channel, 255) for channel in value]
        if None not in channels:
            red, green, blue = (channel or 0 for channel in channels)
            return red, green, blue
    raise failure(where, "a colour: #RRGGBB or three whole numbers 0 to 255", value)


def parse_channels(cells: Sequence[str], where: str, expected: str, row: str) -> RGB:
    """Three channels of a text file.

    Raises PaletteFormatError naming the `expected` form and the `row` that came.
    """
    values = [
        int(float(text)) if _CHANNEL.fullmatch(text) else -1 for text in map(str.strip, cells)
    ]
    if len(values) != 3 or not all(0 <= value <= 255 for value in values):
        raise failure(where, expected, row)
    red, green, blue = values
    return red, green, blue


def parse_index(value: object, where: str) -> int:
    """A class index 0 to 65535, as a number or as decimal text. Raises PaletteFormatError."""
    number = None
    if isinstance(value, str):
        text = value.strip()
        if _INDEX.fullmatch(text) and float(text) <= MAX_INDEX:
            number = int(float(text))
    else:
        number = _whole(value, MAX_INDEX)
    if number is None:
        raise failure(where, f"an index: a whole number 0 to {MAX_INDEX}", value)
    return number


def parse_name(value: object, where: str) -> str:
    """A class name: any text that can be written as UTF-8. Raises PaletteFormatError."""
    if not isinstance(value, str):
        raise failure(where, "a name", value)
    try:
        value.encode()
    except UnicodeEncodeError:  # lone surrogates, from \ud800 in JSON
        raise failure(where, "a name of whole Unicode characters", ascii(value)) from None
    return value


def _whole(value: object, top: int) -> int | None:
    """`value` if it is a whole number (not a bool) 0 to `top`, else None."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= top:
        return value
    return None
