"""Reports: what became of each file, and of the run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class UnknownColour:
    """A colour outside the palette, as found in one mask.

    rgb: the colour; pixels: how many pixels have it; x, y: column and row of the first one.
    """

    rgb: tuple[int, int, int]
    pixels: int
    x: int
    y: int

    @property
    def hex(self) -> str:
        """The colour as `#rrggbb`."""
        return "#{:02x}{:02x}{:02x}".format(*self.rgb)
