"""Values of palettes that are out of range."""

from __future__ import annotations

import pytest

from gpuseg.errors import PaletteError
from gpuseg.palette import Palette
from gpuseg.palette_entries import MAX_INDEX, Merged, PaletteClass, check_entry, find_duplicates

BLACK = (0, 0, 0)
A = PaletteClass(0, "a", BLACK)


def test_what_is_in_range() -> None:
    for index in (0, MAX_INDEX):
        check_entry("p", PaletteClass(index, "a", (255, 0, 255)))
        check_entry("p", Merged("b", -index, "a", BLACK))
    assert Merged("b", 7, "a", (1, 2, 255)).hex == "#0102ff"


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (PaletteClass(-1, "b", BLACK), "index of 'b' must be 0 to 65535, got -1"),
        (PaletteClass(65536, "b", BLACK), "index of 'b' must be 0 to 65535, got 65536"),
        (Merged("b", 65536, "a", BLACK), "index of 'b' must be -65535 to 65535, got 65536"),
        (Merged("b", -65536, "a", BLACK), "must be -65535 to 65535, got -65536"),
        (Merged("b", 1, "a", (0, 0, 256)), "colour of 'b' must be three values 0 to 255"),
        (Merged("b", 1.0, "a", BLACK), "whole numbers, got 1.0"),
    ],
)
def test_what_is_not_is_told(entry: PaletteClass | Merged, words: str) -> None:
    with pytest.raises(PaletteError, match=words):
        check_entry("p", entry)
    if isinstance(entry, Merged):
        with pytest.raises(PaletteError, match=words):
            Palette((A,), merged=(entry,))


def test_duplicates() -> None:
    other, twin = PaletteClass(1, "b", (1, 1, 1)), PaletteClass(2, "c", BLACK)
    assert find_duplicates((A, other, twin)) == {BLACK: [A, twin]}
    assert find_duplicates((A, other)) == {}
