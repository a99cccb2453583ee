"""What palettes are made of: a colour and what it stands for, checked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from operator import index as whole_number

from gpuseg.errors import PaletteError

RGB = tuple[int, int, int]

MAX_INDEX = 65535
"""Largest class index: label maps hold at most 16 bits a pixel."""


@dataclass(frozen=True, slots=True)
class PaletteClass:
    """One colour of a palette: pixels of `rgb` (three values 0 to 255) are class `index`."""

    index: int
    name: str
    rgb: RGB

    @property
    def hex(self) -> str:
        """The colour as `#rrggbb`."""
        return hex_of(self.rgb)


@dataclass(frozen=True, slots=True)
class Merged:
    """A class that a palette gave up for colours, because another class, `kept`, has the same.

    Its index may be one that label maps do not hold: -1 for the licence plates of Cityscapes.
    """

    name: str
    index: int
    kept: str
    rgb: RGB

    @property
    def hex(self) -> str:
        """The colour as `#rrggbb`."""
        return hex_of(self.rgb)


def hex_of(rgb: RGB) -> str:
    """A colour as `#rrggbb`."""
    return "#{:02x}{:02x}{:02x}".format(*rgb)


def rgb_of(text: str) -> RGB:
    """The colour `#rrggbb`, or `rrggbb`. Raises ValueError."""
    red, green, blue = bytes.fromhex(text.removeprefix("#"))
    return red, green, blue


def integer(value: object) -> int:
    """A whole number of Python or NumPy. Raises PaletteError for anything else."""
    try:
        return whole_number(value)  # type: ignore[arg-type]  # what is no whole number raises
    except TypeError:
        raise PaletteError(
            f"indices and channels must be whole numbers, got {value!r}; colours of 0 to 1 become "
            "channels with round(255 * value)"
        ) from None


def find_duplicates(classes: Iterable[PaletteClass]) -> dict[RGB, list[PaletteClass]]:
    """Colours that come more than once -> the classes that share them, in order."""
    groups: dict[RGB, list[PaletteClass]] = {}
    for entry in classes:
        groups.setdefault(entry.rgb, []).append(entry)
    return {rgb: entries for rgb, entries in groups.items() if len(entries) > 1}


def check_entry(palette: str, entry: PaletteClass | Merged) -> None:
    """Raise PaletteError for values out of range. palette: its name, for the message."""
    for value in (entry.index, *entry.rgb):
        integer(value)
    if len(entry.rgb) != 3 or not all(0 <= channel <= 255 for channel in entry.rgb):
        raise PaletteError(
            f"palette {palette!r}: colour of {entry.name!r} must be three values 0 to 255, "
            f"got {entry.rgb}"
        )
    least = 0 if isinstance(entry, PaletteClass) else -MAX_INDEX
    if not least <= entry.index <= MAX_INDEX:
        raise PaletteError(
            f"palette {palette!r}: index of {entry.name!r} must be {least} to {MAX_INDEX}, "
            f"got {entry.index}"
        )


def describe_duplicates(palette: str, groups: dict[RGB, list[PaletteClass]]) -> str:
    """What `find_duplicates` found, as a message."""
    rows = [
        f"{entries[0].hex} is " + " and ".join(_some([f"{e.name!r} ({e.index})" for e in entries]))
        for entries in groups.values()
    ]
    shown = "; ".join(_some(rows))
    return (
        f"palette {palette!r} needs one class a colour, but {shown}; "
        "mend the palette, or choose with --on-duplicate first|last"
    )


def _some(items: list[str], limit: int = 12) -> list[str]:
    """The first items, and how many more there are: messages stay readable."""
    return items if len(items) <= limit else [*items[:limit], f"{len(items) - limit} more"]
