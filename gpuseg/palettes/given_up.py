"""Classes that a palette gave up, where label maps hold them all the same."""

from __future__ import annotations

from collections.abc import Collection

from gpuseg.palette import Palette


def given_up(palette: Palette, indices: Collection[int]) -> str:
    """What some of these indices would be that are no classes; the end of a message, or "".

    Two classes of one colour cannot be told apart in colour masks, but in label maps they can.
    """
    for gone in palette.merged:
        if gone.index in indices and gone.index not in palette.indices:
            return (
                f"; {gone.index} is {gone.name!r}, which palette {palette.name!r} gave up, for "
                f"{gone.kept!r} has its colour: a palette file with another colour for it holds "
                "both (gpuseg palettes NAME --save FILE, and add it)"
            )
    return ""
